/**
 * Reads what a test runner reports in JUnit's XML. Deno, Bun and Node all write it, each in its
 * own dialect; only what the three have in common is read here. This is not a reader of XML.
 *
 * @module
 */

/** One test as a runner reported it. */
export interface TestCase {
  readonly name: string;
  readonly file: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it failed, or why it was skipped where the runner says so. */
  readonly detail: string;
}

/** All test cases of one report, in its order. */
export function parseJunit(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  const pattern = /<testcase\b((?:[^>"]|"[^"]*")*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  for (const match of xml.matchAll(pattern)) {
    const attributes = match[1]!;
    const body = match[2] ?? "";
    const failure = /<(?:failure|error)\b((?:[^>"]|"[^"]*")*?)(?:\/>|>([\s\S]*?)<\/)/.exec(body);
    const skipped = /<skipped\b((?:[^>"]|"[^"]*")*?)\/?>/.exec(body);
    cases.push({
      name: attribute(attributes, "name"),
      file: attribute(attributes, "file") || attribute(attributes, "classname"),
      outcome: failure !== null ? "failed" : skipped !== null ? "skipped" : "passed",
      detail: failure !== null
        ? unescape(failure[2] ?? "").trim() || attribute(failure[1]!, "message")
        : skipped !== null
        ? attribute(skipped[1]!, "message")
        : "",
    });
  }
  return cases;
}

function attribute(attributes: string, name: string): string {
  const match = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes);
  return match === null ? "" : unescape(match[1]!);
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

function unescape(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(parseInt(decimal, 10));
    return ENTITIES[name] ?? whole;
  });
}
