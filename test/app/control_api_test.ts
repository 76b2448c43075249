// Requests of the control API, and what each is answered.

import { assertEquals } from "@std/assert";
import { answerRequest, type RunCommand } from "../../src/app/control_api.ts";
import { test } from "../harness.ts";
import { bytesOf } from "../support/packets.ts";

const run: RunCommand = (name) =>
  name.toLowerCase() === "showthing" ? { name: "showThing", data: { thing: 1 } } : undefined;

function answer(request: unknown): unknown {
  const text = typeof request === "string" ? request : JSON.stringify(request);
  return JSON.parse(answerRequest(bytesOf(text), run)).responses;
}

const NOTHING = "Unknown command";
const SHOWN = { command: "showThing", data: { thing: 1 } };

const TABLE: readonly (readonly [unknown, unknown])[] = [
  ["", [{ command: NOTHING, error: "Payload not valid JSON" }]],
  ["{", [{ command: NOTHING, error: "Payload not valid JSON" }]],
  ["[]", [{ command: NOTHING, error: "Invalid/missing commands" }]],
  ["null", [{ command: NOTHING, error: "Invalid/missing commands" }]],
  ['{"commands":{}}', [{ command: NOTHING, error: "Invalid/missing commands" }]],
  [{ commands: [] }, []],
  [{ commands: [1] }, [{ command: NOTHING, error: "Command not an object" }]],
  [{ commands: [[]] }, [{ command: NOTHING, error: "Command not an object" }]],
  [{ commands: [{}] }, [{ command: NOTHING, error: "Missing command" }]],
  [{ commands: [{ command: 7 }] }, [{ command: NOTHING, error: "Missing command" }]],
  [{ commands: [{ command: "x" }] }, [{ command: "x", error: NOTHING }]],
  [{ commands: [{ command: "x", correlationData: "k" }] }, [
    { command: "x", error: NOTHING, correlationData: "k" },
  ]],
  [{ commands: [{ command: "x", correlationData: 1 }] }, [
    { command: "x", error: "Invalid correlationData data type." },
  ]],
  [{ COMMANDS: [{ Command: "SHOWTHING", correlationdata: "k" }] }, [
    { ...SHOWN, correlationData: "k" },
  ]],
  // One that is malformed ends the list, and what was answered before is sent.
  [{ commands: [{ command: "showThing" }, 1, { command: "showThing" }] }, [
    SHOWN,
    { command: NOTHING, error: "Command not an object" },
  ]],
  [{ commands: [{ command: "x" }, { command: "showThing" }] }, [
    { command: "x", error: NOTHING },
    SHOWN,
  ]],
];

for (const [request, responses] of TABLE) {
  const shown = typeof request === "string" ? request : JSON.stringify(request);
  test(`answerRequest() answers '${shown}'`, () => {
    assertEquals(answer(request), responses);
  });
}

test("answerRequest() takes bytes that are no UTF-8 for no JSON", () => {
  assertEquals(
    answerRequest(Uint8Array.of(0xff, 0xfe), run),
    '{"responses":[{"command":"Unknown command","error":"Payload not valid JSON"}]}',
  );
});
