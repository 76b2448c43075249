// Requests of the control API and what is made of the responses.

import { assertEquals } from "@std/assert";
import { encodeRequest, readResponse } from "../../../src/cli/ctrl/control_request.ts";
import { test } from "../../harness.ts";
import { bytesOf } from "../../support/packets.ts";

const REQUEST = { command: "listThings", fields: { count: 2 }, mark: "m1" };

test("encodeRequest() is one command with its mark", () => {
  assertEquals(JSON.parse(new TextDecoder().decode(encodeRequest(REQUEST))), {
    commands: [{ command: "listThings", count: 2, correlationData: "m1" }],
  });
});

const DATA = { things: [] };
const OF_OTHERS = { command: "listThings", data: DATA, correlationData: "m2" };
const MISSING = { kind: "error", text: "Error: Payload missing data." };

const TABLE: readonly (readonly [payload: unknown, reply: unknown])[] = [
  [{ responses: [{ command: "listThings", data: DATA, correlationData: "m1" }] }, {
    kind: "done",
    data: DATA,
  }],
  [{ responses: [{ command: "listThings", correlationData: "m1" }] }, {
    kind: "done",
    data: undefined,
  }],
  [{ responses: [{ command: "x", error: "Unknown command", correlationData: "m1" }] }, {
    kind: "error",
    text: "listThings: Error: Unknown command.",
  }],
  [{ responses: [{ command: "listThings", data: [], correlationData: "m1" }] }, {
    kind: "error",
    text: "Error: Invalid response from server.",
  }],
  // Of other administrators, some of whom mark nothing.
  [{ responses: [OF_OTHERS] }, undefined],
  [{ responses: [{ command: "listThings", data: DATA }] }, undefined],
  [{ error: "endpoint not available" }, {
    kind: "error",
    text: "listThings: Error: endpoint not available.",
  }],
  ["", { kind: "error", text: "Error: Payload not JSON." }],
  ["{]", { kind: "error", text: "Error: Payload not JSON." }],
  ["\xff", { kind: "error", text: "Error: Payload not JSON." }],
  ["null", MISSING],
  [{}, MISSING],
  [{ responses: {} }, MISSING],
  [{ responses: [] }, MISSING],
  [{ responses: ["x"] }, MISSING],
  [{ responses: [{ correlationData: "m1" }] }, MISSING],
];

for (const [payload, reply] of TABLE) {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  test(`readResponse() reads '${text}'`, () => {
    const bytes = text === "\xff" ? Uint8Array.of(0xff) : bytesOf(text);
    assertEquals<unknown>(readResponse(bytes, REQUEST), reply);
  });
}
