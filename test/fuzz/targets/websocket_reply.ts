/**
 * What a server answers to a client that asks for a WebSocket. `@@` in an input stands for the right
 * answer to the key, which nobody could guess. However it is cut, the answer is agreed to or
 * refused, and once it is refused the connection is gone.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { OperationError } from "../../../src/core/base/operation_error.ts";
import { openWebSocket } from "../../../src/transport/websocket_client.ts";
import { acceptKey } from "../../../src/transport/websocket_handshake.ts";
import { ScriptedTransport } from "../../support/scripted_transport.ts";
import { bytesOf, type FuzzTarget, settledOf, textOf } from "../target.ts";

const AGREEMENT = [
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Accept: @@",
  "Sec-WebSocket-Protocol: mqtt",
  "",
  "",
].join("\r\n");

export const websocketReply: FuzzTarget = {
  name: "websocket_reply",
  tokens: ["\r\n", "\r\n\r\n", "@@", "HTTP/1.1 101 ", ": ", "Sec-WebSocket-Extensions: x", " \t "],
  seeds: () =>
    [AGREEMENT, `${AGREEMENT}\x82\x01a`, "HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n"].map(bytesOf),
  async run(input) {
    const whole = await ask(input, input.length);
    assertEquals(await ask(input, 1), whole);
  },
};

/** What comes of an answer that arrives in pieces of this size. */
async function ask(input: Uint8Array, size: number): Promise<unknown> {
  const transport = new ScriptedTransport();
  const received: number[] = [];
  const opened = settledOf(() =>
    openWebSocket(
      (accept) => {
        transport.accept(accept);
        return Promise.resolve();
      },
      { host: "h", resource: "/", timeoutMs: 60_000, signal: new AbortController().signal },
      () => ({
        onBytes: (chunk) => void received.push(...chunk),
        onWritable() {},
        onClose() {},
      }),
    ), OperationError);
  // The request is made of a digest, and digests take their time.
  for (let turns = 0; transport.written.length === 0; turns++) {
    assert(turns < 10_000, "Nothing is asked");
    await new Promise((resolve) => setTimeout(resolve));
  }
  const key = /sec-websocket-key: (.*)\r\n/.exec(transport.takeText())![1]!;
  const answer = bytesOf(textOf(input).replaceAll("@@", await acceptKey(key)));
  for (let at = 0; at < answer.length; at += size) transport.receive(answer.slice(at, at + size));
  transport.end();
  const outcome = await opened;
  assertEquals("fault" in outcome, transport.calls.includes("abort") && received.length === 0);
  return { isOpen: "value" in outcome, received };
}
