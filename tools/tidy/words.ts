/**
 * Words that must not be in the checkout: promises to do something later, paths of somebody's
 * machine, hosts of registries; tests that are switched off without saying why; and packages in the
 * product's lock that only tests need.
 *
 * @module
 */

import { lineAt, type Project, type Rule, sourceFiles } from "./source.ts";

// The rules and their tests have to spell what they forbid.
const OWN_FILES = /^(?:tools\/tidy\/|test\/tools\/tidy)/;

/** Work that is not done is not noted in the code. */
export const noPromises: Rule = {
  name: "no file promises to be finished later",
  find: (project) => findWords(project, /\b(?:TODO|FIXME|XXX|HACK)\b/g, () => true),
};

/** Nothing depends on, or tells of, one machine. */
export const noMachinePaths: Rule = {
  name: "no file outside of the tests names a path of one machine",
  find: (project) =>
    findWords(
      project,
      /(?<![\w.~$}-])\/(?:work|tmp|home|root|Users)\/[\w.-]+/g,
      (path) => !path.startsWith("test/"),
    ),
};

/** Where packages come from is the business of whoever fetches them. */
export const noRegistryHosts: Rule = {
  name: "no file names the host of a registry",
  find: (project) =>
    findWords(
      project,
      /\b(?:registry\.[\w-]+\.\w+|(?:www\.)?npmjs\.(?:com|org)|jsr\.io|deb\.debian\.org)\b/g,
      () => true,
    ),
};

/** A test that does not run says why. */
export const reasonedSkips: Rule = {
  name: "a test that is switched off says why in the same line",
  find(project: Project): string[] {
    const pattern = /\b(?:test|it|describe)\.(?:skip|todo|only)\(.*|\b(?:skip|only|todo): true.*/g;
    return sourceFiles(project, "test/").filter(([path]) => !OWN_FILES.test(path))
      .flatMap(([path, text]) =>
        [...text.matchAll(pattern)]
          .filter((match) => /only/.test(match[0]) || !/\/\/ \w/.test(match[0]))
          .map((match) => `${path}:${lineAt(text, match.index)}: ${match[0]}`)
      );
  },
};

/** A first run fetches what is in the lock of the product, so tests keep a lock of their own. */
export const productLock: Rule = {
  name: "deno.lock names no package but those of the import map",
  find(project: Project): string[] {
    if (project.productLock === "") return [];
    const imports: Record<string, string> = JSON.parse(project.files.get("deno.json")!).imports;
    const lock: { specifiers?: Record<string, string> } = JSON.parse(project.productLock);
    return Object.keys(lock.specifiers ?? {}).filter((specifier) =>
      !Object.values(imports).some((target) =>
        target === specifier || target.startsWith(`${specifier}/`)
      )
    );
  },
};

function findWords(
  project: Project,
  pattern: RegExp,
  applies: (path: string) => boolean,
): string[] {
  return [...project.files]
    .filter(([path]) => path !== "LICENSE" && !OWN_FILES.test(path) && applies(path))
    .flatMap(([path, text]) =>
      [...text.matchAll(pattern)].map((match) =>
        `${path}:${lineAt(text, match.index)}: ${match[0]}`
      )
    );
}
