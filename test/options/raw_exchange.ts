// Bytes sent to a port and the very bytes that come back, for answers that have to be exact.

import { connect as connectSocket } from "node:net";

/** Bytes to a port; what came back, in hexadecimal. */
export interface RawExchange {
  /** Up to the end of the connection, or up to the answer to a PINGREQ. */
  readonly answer: string;
  readonly isClosed: boolean;
}

const DEADLINE_MS = 15_000;
const PINGREQ = Uint8Array.of(0xc0, 0);
const PINGRESP = "d0 00";

/** Sends the bytes and a PINGREQ behind them, which only who is connected gets an answer to. */
export function exchangeRaw(port: number, ...chunks: readonly Uint8Array[]): Promise<RawExchange> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: "127.0.0.1", port, noDelay: true });
    const got: string[] = [];
    let isDone = false;
    const finish = (isClosed: boolean): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      socket.destroy();
      resolve({ answer: got.join(" ").replace(new RegExp(` ?${PINGRESP}$`), ""), isClosed });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`Waited in vain for an answer after "${got.join(" ")}"`));
    }, DEADLINE_MS);
    socket.on("connect", () => {
      for (const chunk of chunks) socket.write(chunk);
      socket.write(PINGREQ);
    });
    socket.on("data", (chunk: Uint8Array) => {
      for (const byte of chunk) got.push(byte.toString(16).padStart(2, "0"));
      if (got.join(" ").endsWith(PINGRESP)) finish(false);
    });
    socket.on("end", () => finish(true));
    socket.on("close", () => finish(true));
    socket.on("error", () => finish(true));
  });
}
