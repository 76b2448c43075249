/**
 * A client whose object is told by its user name: its frames are kept until the CONNECT is whole,
 * and from then on passed on to the object, and back. A CONNECT that cannot be read goes to the
 * object of those without a name, which says what is wrong with it.
 *
 * @module
 */

import { decodePacket } from "../../core/codec/decode.ts";
import { MqttError } from "../../core/codec/error.ts";
import { Framer } from "../../core/codec/framer.ts";
import { PacketType } from "../../core/codec/protocol.ts";
import type { ObjectStub, PlainSocket, UpgradeResponse } from "./workers_api.ts";

/** Of what comes before there is an object; a longer CONNECT is the object's to refuse. */
const CONNECT_BYTES_MAX = 1_000_000;
const FRAMES_MAX = 1000;
/** To the end of the CONNECT; then it is the object's to be impatient. */
const CONNECT_TIMEOUT_MS = 30_000;
const INTERNAL_ERROR = 1011;
const NORMAL_CLOSURE = 1000;

/** Accepts a client, and passes it on to whatever object is found for its user name. */
export function passOn(
  client: PlainSocket,
  request: Request,
  find: (username: string | undefined) => ObjectStub,
): void {
  const framer = new Framer();
  let kept: (ArrayBuffer | string)[] = [];
  let keptBytes = 0;
  let isAsked = false;
  let isGone = false;
  let object: PlainSocket | undefined;
  client.binaryType = "arraybuffer";
  client.accept();

  const ask = (username: string | undefined): void => {
    clearTimeout(limit);
    if (isAsked || isGone) return;
    isAsked = true;
    find(username).fetch(request).then((response: UpgradeResponse) => {
      const socket = response.webSocket;
      if (socket === undefined || socket === null) {
        client.close(INTERNAL_ERROR);
        return;
      }
      socket.binaryType = "arraybuffer";
      socket.accept();
      object = socket;
      socket.addEventListener("message", ({ data }) => isGone || client.send(data));
      socket.addEventListener("close", () => client.close(NORMAL_CLOSURE));
      for (const frame of kept) socket.send(frame);
      kept = [];
      if (isGone) socket.close(NORMAL_CLOSURE);
    }, () => client.close(INTERNAL_ERROR));
  };
  const limit = setTimeout(() => ask(undefined), CONNECT_TIMEOUT_MS);

  client.addEventListener("message", ({ data }) => {
    if (object !== undefined) return object.send(data);
    kept.push(data);
    keptBytes += typeof data === "string" ? 0 : data.byteLength;
    const isMuch = keptBytes > CONNECT_BYTES_MAX || kept.length > FRAMES_MAX;
    if (isAsked) return isMuch ? client.close(INTERNAL_ERROR) : undefined;
    const found = typeof data === "string" ? { username: undefined } : readUsername(framer, data);
    if (found !== undefined) ask(found.username);
    else if (isMuch) ask(undefined);
  });
  const leave = (): void => {
    isGone = true;
    clearTimeout(limit);
    object?.close(NORMAL_CLOSURE);
  };
  client.addEventListener("close", leave);
  client.addEventListener("error", leave);
}

/** What the CONNECT says, once it is whole or cannot become one. */
function readUsername(
  framer: Framer,
  data: ArrayBuffer,
): { readonly username: string | undefined } | undefined {
  try {
    framer.feed(new Uint8Array(data));
    if (!framer.next()) {
      framer.keepRest();
      return undefined;
    }
    const { firstByte, bytes, bodyStart, end } = framer;
    if (firstByte >> 4 !== PacketType.CONNECT) return { username: undefined };
    const packet = decodePacket(firstByte, bytes, bodyStart, end, 5);
    return { username: packet.type === "connect" ? packet.username : undefined };
  } catch (error) {
    if (error instanceof MqttError) return { username: undefined };
    throw error;
  }
}
