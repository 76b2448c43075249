/**
 * The words of a command line, as far as a runtime does not tell them: those before the program's
 * arguments (the runtime, its flags, our file), with which the program is started again and whose
 * last one is the name it was called by; and all of them as bytes.
 *
 * @module
 */

const EXTENSION = /\.[jt]s$/;

/** Takes the arguments off a command line as `/proc` shows it. */
export function ownWords(commandLine: string, argumentCount: number): string[] {
  const words = commandLine.split("\0").slice(0, -1);
  return words.slice(0, Math.max(1, words.length - argumentCount));
}

/** The words of a command line as `/proc` shows it, as bytes. */
export function wordBytes(commandLine: Uint8Array): Uint8Array[] {
  const words: Uint8Array[] = [];
  for (let start = 0; start < commandLine.length;) {
    const end = commandLine.indexOf(0, start);
    if (end < 0) break;
    words.push(commandLine.subarray(start, end));
    start = end + 1;
  }
  return words;
}

/** The name behind the last word, without its folder and the extension of a script. */
export function nameOf(words: readonly string[]): string {
  const path = words.at(-1) ?? "";
  return path.slice(path.lastIndexOf("/") + 1).replace(EXTENSION, "");
}
