/**
 * The table of docs/conformance.md: each statement with the sources that obey it and the tests that
 * would notice if they did not. A few of each are enough to begin reading; all of them have the id.
 *
 * @module
 */

import type { Place, Trace } from "./places.ts";

const SOURCES_SHOWN = 3;
const TESTS_SHOWN = 2;

/** Tests that are about the standard itself come first. */
const TEST_ORDER = ["test/conformance/", "test/core/", "test/client/", "test/transport/", "test/"];

const SECTIONS: readonly (readonly [prefix: string, heading: string])[] = [
  ["1.", "Text and numbers (1.5)"],
  ["2.", "All packets (2)"],
  ["3.1.", "CONNECT (3.1)"],
  ["3.2.", "CONNACK (3.2)"],
  ["3.3.", "PUBLISH (3.3)"],
  ["3.4.", "PUBACK (3.4)"],
  ["3.5.", "PUBREC (3.5)"],
  ["3.6.", "PUBREL (3.6)"],
  ["3.7.", "PUBCOMP (3.7)"],
  ["3.8.", "SUBSCRIBE (3.8)"],
  ["3.9.", "SUBACK (3.9)"],
  ["3.10.", "UNSUBSCRIBE (3.10)"],
  ["3.11.", "UNSUBACK (3.11)"],
  ["3.12.", "PINGREQ (3.12)"],
  ["3.14.", "DISCONNECT (3.14)"],
  ["3.15.", "AUTH (3.15)"],
  ["4.1.", "Sessions (4.1)"],
  ["4.2.", "Network connections (4.2)"],
  ["4.3.", "Quality of service (4.3)"],
  ["4.4.", "Delivery again (4.4)"],
  ["4.5.", "Receipt (4.5)"],
  ["4.6.", "Order (4.6)"],
  ["4.7.", "Topics (4.7)"],
  ["4.8.", "Shared subscriptions (4.8)"],
  ["4.9.", "Flow control (4.9)"],
  ["4.12.", "Enhanced authentication (4.12)"],
  ["4.13.", "Errors (4.13)"],
  ["6.", "WebSocket (6)"],
  ["3.1.1-", "What is different in version 3.1.1"],
];

/** A heading and a table for each section. */
export function describeTraces(traces: readonly Trace[]): string {
  return SECTIONS.map(([prefix, heading]) => {
    const own = traces.filter(({ id }) =>
      // The statements of 3.1.1 begin like those of section 3.1.
      id.startsWith(`MQTT-${prefix}`) && (prefix === "3.1.1-") === id.startsWith("MQTT-3.1.1-")
    );
    const rows = own.map(describeOne);
    return `### ${heading}\n\n| | What it asks for | Obeyed in | Tested by |\n` +
      `| --- | --- | --- | --- |\n${rows.join("\n")}`;
  }).join("\n\n");
}

function describeOne({ id, asks, obeyed, tested }: Trace): string {
  const sources = [...new Set(obeyed.map(({ path }) => path))].slice(0, SOURCES_SHOWN);
  const cells = [
    id.replace(/^MQTT-(?:3\.1\.1-(?=\d+\.))?/, ""),
    asks,
    sources.map((path) => link(path.replace(/^src\//, ""), path)).join("<br>"),
    firstTests(tested).map(({ path, name }) => `${link(stem(path), path)}: ${escape(name)}`)
      .join("<br>"),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** One test of each file, those about the standard first. */
function firstTests(places: readonly Place[]): Place[] {
  const sorted = places.toSorted((a, b) => rank(a) - rank(b));
  return sorted
    .filter(({ path }, at) => sorted.findIndex((place) => place.path === path) === at)
    .slice(0, TESTS_SHOWN);
}

function rank({ path }: Place): number {
  return TEST_ORDER.findIndex((folder) => path.startsWith(folder));
}

function stem(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.(?:ts|json)$/, "");
}

function link(text: string, path: string): string {
  return `[${text}](../${path})`;
}

/** What would be read as markup. */
function escape(text: string): string {
  return text.replaceAll(/[|*_`<>[\]#]/g, "\\$&");
}
