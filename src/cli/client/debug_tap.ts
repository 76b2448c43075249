/**
 * A layer over a connection that shows whole packets to debug_lines.ts on their way, in both
 * directions. What comes is handed on packet by packet, so that a line stands before whatever its
 * packet leads to.
 *
 * @module
 */

import { MqttError } from "../../core/codec/error.ts";
import { Framer } from "../../core/codec/framer.ts";
import type { Accept, Transport, TransportHandler } from "../../transport/transport.ts";
import type { DebugLines } from "./debug_lines.ts";

/** What is no packet, so that whoever reads it finds the fault that was found here. */
const NO_PACKET: readonly number[] = [0xff, 0xff, 0xff, 0xff, 0xff];

/** Lets the lines see what passes. */
export function withDebugLines(accept: Accept, lines: DebugLines): Accept {
  return (transport) => new DebugTap(transport, accept, lines);
}

class DebugTap implements TransportHandler {
  readonly #handler: TransportHandler;
  readonly #lines: DebugLines;
  readonly #incoming: Framer = new Framer();
  readonly #outgoing: Framer = new Framer();
  #isBroken = false;

  constructor(transport: Transport, accept: Accept, lines: DebugLines) {
    this.#lines = lines;
    this.#handler = accept({
      ...addressOf(transport),
      write: (bytes, length) => {
        this.#show(bytes.subarray(0, length));
        return transport.write(bytes, length);
      },
      pause: () => transport.pause(),
      resume: () => transport.resume(),
      close: () => transport.close(),
      abort: () => transport.abort(),
    });
  }

  onBytes(chunk: Uint8Array): void {
    if (this.#isBroken) return;
    const framer = this.#incoming;
    try {
      framer.feed(chunk);
      while (framer.next()) {
        this.#lines.received(framer);
        this.#handler.onBytes(framer.bytes.subarray(framer.start, framer.end));
      }
      framer.keepRest();
    } catch (error) {
      if (!(error instanceof MqttError)) throw error;
      this.#isBroken = true;
      this.#handler.onBytes(Uint8Array.from(NO_PACKET));
    }
  }

  onWritable(): void {
    this.#handler.onWritable();
  }

  onClose(error?: unknown): void {
    this.#handler.onClose(error);
  }

  #show(chunk: Uint8Array): void {
    this.#outgoing.feed(chunk);
    while (this.#outgoing.next()) this.#lines.sent(this.#outgoing);
    this.#outgoing.keepRest();
  }
}

function addressOf(
  { remoteAddress, remotePort, localPort, tls }: Transport,
): Pick<Transport, "remoteAddress" | "remotePort" | "localPort" | "tls"> {
  return { remoteAddress, remotePort, localPort, tls };
}
