/**
 * The words of a command line that are not the program's arguments: the runtime, its flags, our
 * file. With them the program is started again, and the last one is the name it was called by.
 *
 * @module
 */

const EXTENSION = /\.[jt]s$/;

/** Takes the arguments off a command line as `/proc` shows it. */
export function ownWords(commandLine: string, argumentCount: number): string[] {
  const words = commandLine.split("\0").slice(0, -1);
  return words.slice(0, Math.max(1, words.length - argumentCount));
}

/** The name behind the last word, without its folder and the extension of a script. */
export function nameOf(words: readonly string[]): string {
  const path = words.at(-1) ?? "";
  return path.slice(path.lastIndexOf("/") + 1).replace(EXTENSION, "");
}
