/**
 * What comes where HTTP and WebSocket are spoken: heads of requests, with all that is decided by
 * them, and frames. Both come in chunks, so both have to mean the same however they are cut.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { parseBasicAuth } from "../../../src/admin/basic_auth.ts";
import { isHostAllowed } from "../../../src/admin/host_check.ts";
import { decodePath } from "../../../src/admin/url_path.ts";
import { type HttpHead, HttpHeadReader } from "../../../src/transport/http_request.ts";
import { FrameReader } from "../../../src/transport/websocket_frames.ts";
import { asksForWebSocket, judgeHandshake } from "../../../src/transport/websocket_handshake.ts";
import { ScriptedTransport } from "../../support/scripted_transport.ts";
import { clientFrame, upgradeRequest } from "../../support/websocket_peer.ts";
import { bytesOf, cutsOf, type FuzzTarget } from "../target.ts";

const HEAD_BYTES_MAX = 600;
const RULES = { origins: ["https://a.example"], subprotocols: ["mqtt", "mqttv3.1"] };

export const httpRequest: FuzzTarget = {
  name: "http_request",
  tokens: ["\r\n", "\r\n\r\n", ": ", " HTTP/1.1", "Upgrade: websocket", "Host: ", "%2e", "..", ","],
  seeds: () =>
    [
      upgradeRequest(),
      upgradeRequest({ "Origin": "https://a.example", "Host": "[::1]:80" }),
      "GET /a/%2e%2e/b?c HTTP/1.0\r\nAuthorization: Basic YTpi\r\n\r\nmore",
      "POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
      "GET / HTTP/1.1\r\nX: \t\r\nX:b\r\n\r\n",
    ].map(bytesOf),
  run(input) {
    const whole = readHead([input]);
    for (const at of cutsOf(input)) {
      assertEquals(readHead([input.subarray(0, at), input.subarray(at)]), whole);
    }
    assertEquals(readHead(Array.from(input, (byte) => Uint8Array.of(byte))), whole);
    if (whole.head !== undefined) checkHead(whole.head);
  },
};

interface HeadRead {
  /** Bytes of the head, or why there is none. */
  readonly end: number;
  readonly head: HttpHead | undefined;
}

function readHead(chunks: readonly Uint8Array[]): HeadRead {
  const reader = new HttpHeadReader(HEAD_BYTES_MAX);
  let before = 0;
  for (const chunk of chunks) {
    const end = reader.read(chunk);
    if (end >= 0) {
      assert(end > 0 && end <= chunk.length && before + end <= HEAD_BYTES_MAX);
      return { end: before + end, head: reader.take() };
    }
    before += chunk.length;
    if (end !== -1) return { end, head: undefined };
  }
  return { end: -1, head: undefined };
}

function checkHead(head: HttpHead): void {
  for (const [name, value] of head.headers) {
    assert(name === name.toLowerCase());
    assert(!/[\r\n\0]/.test(value));
  }
  const path = decodePath(head.target.split("?")[0]!);
  assert(path === undefined || (path.startsWith("/") && !path.split("/").includes("..")));
  const login = parseBasicAuth(head.headers.get("authorization"));
  assertEquals(login === undefined, !head.headers.has("authorization"));
  const peer = new ScriptedTransport();
  const isOurs = isHostAllowed({ ...head, path: "/", query: "", peer }, ["known"]);
  const host = head.headers.get("host") ?? "";
  assert(!isOurs || /^$|^[\d.:]+$|^\[|^(?:.*\.)?(?:localhost|known)\.?(?::|$)/i.test(host));
  asksForWebSocket(head);
  const judged = judgeHandshake(head, RULES);
  if (!judged.isAccepted) return;
  assertEquals(head.headers.get("origin"), RULES.origins[0]);
  assert(RULES.subprotocols.includes(judged.subprotocol) && atob(judged.key).length === 16);
}

export const websocketFrames: FuzzTarget = {
  name: "websocket_frames",
  tokens: ["\x82\x80", "\x89\x80", "\x88\x82", "\x02\x01", "\0\0\0\0", "\x7f", "\x7e\x01\0"],
  seeds: () => [
    ...[
      [clientFrame(bytesOf("abc")), clientFrame(new Uint8Array(300), { isFinal: false })],
      [clientFrame(bytesOf("p"), { opcode: 9 }), clientFrame(Uint8Array.of(3, 232), { opcode: 8 })],
      [clientFrame(bytesOf("x"), { isFinal: false }), clientFrame(bytesOf("y"), { opcode: 0 })],
      [clientFrame(bytesOf("t"), { opcode: 1 })],
    ].map((frames) => Uint8Array.of(0, ...frames.flatMap((frame) => [...frame]))),
    Uint8Array.of(1, ...clientFrame(bytesOf("abc"), { isMasked: false })),
  ],
  run(input) {
    const sender = (input[0] ?? 0) % 2 === 0 ? "client" : "server";
    const stream = input.subarray(1);
    const whole = readFrames(sender, [stream]);
    assert(whole.payload.length <= stream.length);
    for (const at of cutsOf(stream)) {
      assertEquals(readFrames(sender, [stream.subarray(0, at), stream.subarray(at)]), whole);
    }
    assertEquals(readFrames(sender, Array.from(stream, (byte) => Uint8Array.of(byte))), whole);
  },
};

/** What is left of frames, each chunk of which lies somewhere else in memory and is spoilt then. */
function readFrames(sender: "client" | "server", chunks: readonly Uint8Array[]) {
  const reader = new FrameReader(sender);
  const payload: number[] = [];
  for (const [index, chunk] of chunks.entries()) {
    const memory = new Uint8Array(chunk.length + 8).fill(0xaa);
    const view = memory.subarray(index % 8, index % 8 + chunk.length);
    view.set(chunk);
    const count = reader.read(view);
    for (let at = 0; at < count; at++) payload.push(view[at]!);
    assert(
      memory.every((byte, at) =>
        byte === 0xaa || (at >= index % 8 && at < view.byteOffset + view.length)
      ),
    );
    memory.fill(0xee);
  }
  const { violation, peerCode, pingLength } = reader;
  const ping = [...reader.ping.subarray(0, Math.max(0, pingLength))];
  return { payload, violation, peerCode, pingLength, ping };
}
