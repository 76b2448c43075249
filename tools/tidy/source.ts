/**
 * What the rules need to know of a source file without a parser: its code with comments and the
 * insides of strings blanked (same length, same lines), its imports, its exports. The formatter
 * has been over every file, so quotes and line breaks are where they are expected.
 *
 * @module
 */

/** All text files of the checkout by path, and the lock of the product as it would be committed. */
export interface Project {
  readonly files: ReadonlyMap<string, string>;
  readonly productLock: string;
}

/** A house rule: a sentence that names it, and a search for what breaks it. */
export interface Rule {
  readonly name: string;
  find(project: Project): string[];
}

/** One import or re-export of a file. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** The TypeScript files whose path starts with one of these. */
export function sourceFiles(
  project: Project,
  ...prefixes: readonly string[]
): [path: string, text: string][] {
  return [...project.files].filter(([path]) =>
    path.endsWith(".ts") && prefixes.some((prefix) => path.startsWith(prefix))
  );
}

/** The line number, from one, of a place in a text. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/**
 * The text with comments replaced by blanks, and with strings emptied too unless they are to be
 * kept. Code inside the braces of a template stays: it is code.
 */
export function blank(
  text: string,
  options: { keepStrings: boolean } = { keepStrings: false },
): string {
  let out = "";
  let at = 0;
  const templates: number[] = [];
  let braces = 0;
  const hide = (end: number): void => {
    out += text.slice(at, end).replaceAll(/[^\n]/g, " ");
    at = end;
  };
  const string = (end: number): void => {
    if (options.keepStrings) {
      out += text.slice(at, end);
      at = end;
      return;
    }
    out += text[at]!;
    at++;
    hide(end - 1);
    out += text.slice(at, end);
    at = end;
  };
  const template = (from: number): void => {
    let end = from;
    while (end < text.length && text[end] !== "`" && !text.startsWith("${", end)) {
      end += text[end] === "\\" ? 2 : 1;
    }
    if (options.keepStrings) {
      out += text.slice(at, end);
      at = end;
    } else hide(end);
    if (text[end] === "`") {
      out += "`";
      at = end + 1;
    } else if (end < text.length) {
      out += "${";
      at = end + 2;
      templates.push(braces);
    }
  };
  while (at < text.length) {
    const char = text[at]!;
    if (text.startsWith("//", at)) {
      const end = text.indexOf("\n", at);
      hide(end < 0 ? text.length : end);
    } else if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2);
      hide(end < 0 ? text.length : end + 2);
    } else if (char === '"' || char === "'") {
      string(endOfDelimited(text, at, char));
    } else if (char === "/" && isRegexStart(out)) {
      string(endOfRegex(text, at));
    } else if (char === "`") {
      out += "`";
      at++;
      template(at);
    } else if (char === "}" && templates.at(-1) === braces) {
      templates.pop();
      out += "}";
      at++;
      template(at);
    } else {
      if (char === "{") braces++;
      if (char === "}") braces--;
      out += char;
      at++;
    }
  }
  return out;
}

function endOfDelimited(text: string, start: number, delimiter: string): number {
  let end = start + 1;
  while (end < text.length && text[end] !== delimiter && text[end] !== "\n") {
    end += text[end] === "\\" ? 2 : 1;
  }
  return end + 1;
}

function endOfRegex(text: string, start: number): number {
  let isInClass = false;
  let end = start + 1;
  for (; end < text.length && text[end] !== "\n"; end++) {
    if (text[end] === "\\") end++;
    else if (text[end] === "[") isInClass = true;
    else if (text[end] === "]") isInClass = false;
    else if (text[end] === "/" && !isInClass) return end + 1;
  }
  return end;
}

function isRegexStart(before: string): boolean {
  return /(?:^|[=(,:;!&|?{}[+]|\breturn|\bcase|=>)$/.test(before.slice(-200).trimEnd());
}

/** Every module a file names, whether for values or for types only. */
export function importsOf(text: string): Import[] {
  const code = blank(text, { keepStrings: true });
  const pattern =
    /\b(?:import|export)\b[^"';=()]*?\bfrom\s*"([^"]+)"|\bimport\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/g;
  return [...code.matchAll(pattern)].map((match) => ({
    specifier: match[1] ?? match[2] ?? match[3]!,
    line: lineAt(code, match.index),
  }));
}

/** The path that a relative specifier means, seen from a file. */
export function resolvePath(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** The names that a file declares and exports. */
export function exportsOf(text: string): Import[] {
  const code = blank(text);
  const pattern =
    /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|interface|type|const) (\w+)/gm;
  return [...code.matchAll(pattern)].map((match) => ({
    specifier: match[1]!,
    line: lineAt(code, match.index),
  }));
}
