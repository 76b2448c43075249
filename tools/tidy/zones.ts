/**
 * What each zone may name. The core has the language and its byte arrays; the neutral rest of `src`
 * has the web's interfaces; only `src/runtime` knows a runtime. And nowhere in `src` does a module
 * hold state of its own.
 *
 * @module
 */

import { blank, importsOf, lineAt, type Project, type Rule, sourceFiles } from "./source.ts";

const RUNTIME_GLOBALS = ["Deno", "Bun", "process", "Buffer", "require", "__dirname", "global"];

// What the type check of the core, which knows the language only, would let through.
const LANGUAGE_GLOBALS = ["Date", "Promise", "Intl", "globalThis", "Atomics", "WeakRef"];

/** The core's answers depend on its inputs alone. */
export const pureCore: Rule = {
  name: "the core waits for nothing and knows neither time nor chance",
  find(project: Project): string[] {
    const names = [...RUNTIME_GLOBALS, ...LANGUAGE_GLOBALS];
    return sourceFiles(project, "src/core/").flatMap(([path, text]) => {
      const code = blank(text);
      return [
        ...globalsIn(path, code, names),
        ...matches(path, code, /\b(?:await|async)\b|\bMath\.random\b/g),
      ];
    });
  },
};

/** Outside `src/runtime` nothing is named that only one runtime has. */
export const neutralZone: Rule = {
  name: "only src/runtime names a runtime",
  find(project: Project): string[] {
    return sourceFiles(project, "src/").filter(([path]) => isNeutral(path))
      .flatMap(([path, text]) => [
        ...globalsIn(path, blank(text), RUNTIME_GLOBALS),
        ...importsOf(text).filter(({ specifier }) =>
          /^(?:node|bun):|\bruntime\/\w+\//.test(specifier)
        )
          .map(({ specifier, line }) => `${path}:${line}: "${specifier}"`),
      ]);
  },
};

/** No module of `src` keeps state, so that two brokers live in one process. */
export const noModuleState: Rule = {
  name: "no module of src has a mutable variable of its own",
  find(project: Project): string[] {
    const pattern =
      /^(?:export )?(?:let|var) \w+|^(?:export )?const \w+(?:: [^=\n]+)? = new (?:Map|Set|WeakMap)(?:<[^\n]*>)?\(\)/gm;
    return sourceFiles(project, "src/").flatMap(([path, text]) =>
      matches(path, blank(text), pattern)
    );
  },
};

/** Private members are private at run time too. */
export const hashPrivate: Rule = {
  name: "private is written with #",
  find(project: Project): string[] {
    const pattern = /^\s+(?:private|protected)\s+\w+/gm;
    return sourceFiles(project, "src/").flatMap(([path, text]) =>
      matches(path, blank(text), pattern)
    );
  },
};

function isNeutral(path: string): boolean {
  return !path.startsWith("src/runtime/") || path === "src/runtime/runtime.ts";
}

/** Uses of a global: not a member, not a key, not a declaration or parameter of that name. */
function globalsIn(path: string, code: string, names: readonly string[]): string[] {
  const pattern = new RegExp(`(?<![.#\\w$])(?:${names.join("|")})\\b(?!\\s*\\??:|\\w)`, "g");
  return matches(path, code, pattern);
}

function matches(path: string, code: string, pattern: RegExp): string[] {
  return [...code.matchAll(pattern)].map((match) =>
    `${path}:${lineAt(code, match.index)}: ${match[0].trim()}`
  );
}
