/**
 * The shape of files: how long, how named, how they open, which test belongs to which source, and
 * that nothing is exported for nobody. Exceptions are tables here, each with its reason, so that
 * an exception is a decision someone can read.
 *
 * @module
 */

import { blank, exportsOf, type Project, type Rule, sourceFiles } from "./source.ts";

const LINES_MAX = 400;
const COLUMNS_MAX = 100;

type Exceptions = Readonly<Record<string, string>>;

/** Sources that read better whole than cut. */
const LONG_FILES: Exceptions = {};

/** Sources of the core whose behaviour is tested under another name. */
const TESTED_ELSEWHERE: Exceptions = {};

/** A source file is read from top to bottom in one sitting. */
export const fileSize: Rule = {
  name: `a source file has at most ${LINES_MAX} lines of at most ${COLUMNS_MAX} columns`,
  find(project: Project): string[] {
    return sourceFiles(project, "src/", "mod.ts", "client.ts", "client_web.ts", "web.ts").flatMap(
      ([path, text]) => {
        const lines = text.trimEnd().split("\n");
        const problems = lines.flatMap((line, index) =>
          [...line].length > COLUMNS_MAX
            ? [`${path}:${index + 1}: ${[...line].length} columns`]
            : []
        );
        if (lines.length > LINES_MAX && LONG_FILES[path] === undefined) {
          problems.push(`${path}: ${lines.length} lines`);
        }
        return problems;
      },
    );
  },
};

/** Files and folders are in snake case. */
export const snakeCase: Rule = {
  name: "files and folders are named in snake case",
  find(project: Project): string[] {
    return sourceFiles(project, "src/", "test/", "bench/", "tools/", "examples/")
      .map(([path]) => path)
      .filter((path) => !path.split("/").every((part) => /^[a-z0-9_]+(?:\.ts)?$/.test(part)));
  },
};

/** Every file says first what lives in it. */
export const openingComment: Rule = {
  name: "every file opens with a comment",
  find(project: Project): string[] {
    return sourceFiles(
      project,
      "src/",
      "mod.ts",
      "client.ts",
      "client_web.ts",
      "web.ts",
      "test/",
      "bench/",
      "tools/",
    )
      .filter(([, text]) => !/^(?:#!.*\n)?(?:\/\*\*|\/\/ )/.test(text))
      .map(([path]) => path);
  },
};

/** Each source of the core that does something has a test file at the mirrored path. */
export const testPerSource: Rule = {
  name: "each source of the core has its test",
  find(project: Project): string[] {
    return sourceFiles(project, "src/core/")
      .filter(([path, text]) => hasBehaviour(text) && TESTED_ELSEWHERE[path] === undefined)
      .map(([path]) => path.replace(/^src/, "test").replace(/\.ts$/, "_test.ts"))
      .filter((path) => !project.files.has(path))
      .map((path) => `${path} is missing`);
  },
};

function hasBehaviour(text: string): boolean {
  return /\bfunction\b|\bclass\b|=>\s*[{(\w]/.test(withoutTypes(blank(text)));
}

// The members of an interface or a type look like functions, but are not.
function withoutTypes(code: string): string {
  return code.replaceAll(/^(?:export )?(?:interface|type) [\s\S]*?(?:^\}|;$)/gm, "");
}

/** What a module of `src` exports, someone else names. */
export const noUnusedExports: Rule = {
  name: "nothing is exported for nobody",
  find(project: Project): string[] {
    const users = new Map<string, Set<string>>();
    for (const [path, text] of sourceFiles(project, "")) {
      for (const word of new Set(blank(text).match(/\w+/g) ?? [])) {
        let paths = users.get(word);
        if (paths === undefined) users.set(word, paths = new Set());
        paths.add(path);
      }
    }
    return sourceFiles(project, "src/").flatMap(([path, text]) =>
      exportsOf(text)
        .filter(({ specifier }) => ![...users.get(specifier) ?? []].some((user) => user !== path))
        // A type that another export of the same file is made of has to be nameable by its users.
        .filter(({ specifier }) => !isPartOfSignature(text, specifier))
        .map(({ specifier, line }) => `${path}:${line}: ${specifier}`)
    );
  },
};

function isPartOfSignature(text: string, name: string): boolean {
  const code = blank(text);
  const isType = new RegExp(`^export (?:interface|type) ${name}\\b`, "m").test(code);
  return isType && (code.match(new RegExp(`\\b${name}\\b`, "g")) ?? []).length > 1;
}
