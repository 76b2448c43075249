/**
 * Where statements of the standard are named: in sources at the line that obeys, and in tests by
 * the name of the test or of the case of a fixture.
 *
 * @module
 */

import type { Project } from "../tidy/source.ts";

/** Where a statement is named in a file of the checkout. */
export interface Place {
  readonly path: string;
  readonly line: number;
  /** In a test: what it is called, without the statements that it names. */
  readonly name: string;
}

/** One normative statement, where it is obeyed, and where it is tested. */
export interface Trace {
  readonly id: string;
  readonly asks: string;
  readonly obeyed: readonly Place[];
  readonly tested: readonly Place[];
}

const ID = /\bMQTT-(?:3\.1(?:\.1)?-(?=\d+\.))?\d+(?:\.\d+)*-\d+\b/g;

/** All places below a folder, by statement. */
export function placesOf(project: Project, folder: "src/" | "test/"): Map<string, Place[]> {
  const places = new Map<string, Place[]>();
  for (const [path, text] of project.files) {
    // The tests of this tool spell ids that are samples, not statements about the broker.
    if (!path.startsWith(folder) || path.startsWith("test/tools/")) continue;
    const lines = text.split("\n");
    for (const [index, line] of lines.entries()) {
      for (const [id] of line.matchAll(ID)) {
        const name = folder === "src/" ? "" : nameAt(lines, index, id);
        const place = { path, line: index + 1, name };
        places.set(id, [...places.get(id) ?? [], place]);
      }
    }
  }
  return places;
}

/** A test or a case of a table begins, and its name with it. */
const NAME = /(?:\b(?:test|suiteTest|everyWay(?:AtOnce)?)\(|\bname"?:)\s*(["'`])(.*?[^\\])\1/;
const LITERAL = /(["'`])((?:\\.|(?!\1).)*)\1/g;

/** What the test that names a statement on this line is called. */
function nameAt(lines: readonly string[], index: number, id: string): string {
  const line = lines[index]!;
  for (const [, , text] of line.matchAll(LITERAL)) {
    // A literal that is nothing but statements is part of a longer name.
    if (text!.includes(`[${id}]`) && readable(text!).includes(" ")) return readable(text!);
  }
  for (let at = index; at >= 0; at--) {
    const match = NAME.exec(lines[at]!);
    if (match !== null) return readable(match[2]!);
  }
  return "";
}

function readable(text: string): string {
  return text
    .replaceAll(/\s*\[(?:MQTT-[\d.-]+|B-\d\d|RFC [^\]]*)\]|\s*\(B-\d\d\)|^B-\d\d /g, "")
    .replaceAll(/\$\{[^}]*\}/g, "…")
    .replaceAll(/\\(.)/g, "$1")
    .trim();
}
