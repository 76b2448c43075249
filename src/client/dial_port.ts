/**
 * The way to a broker in a worker of the same page or browser. A port is one connection, so whoever
 * wants to connect again needs a new one each time.
 *
 * @module
 */

import { servePort } from "../transport/message_port.ts";
import type { Dial, Eventual } from "./client_options.ts";

/**
 * Connects over a new port each time, whose other end the broker serves.
 *
 * ```ts
 * import { Client, dialPort } from "./client_web.ts";
 * import { Broker } from "./web.ts";
 *
 * const broker = new Broker(); // In a worker, as a rule.
 * const client = await Client.connect(dialPort(() => {
 *   const { port1, port2 } = new MessageChannel();
 *   broker.serve(port1);
 *   return port2;
 * }));
 * await client.disconnect();
 * await broker.close();
 * ```
 */
export function dialPort(open: () => Eventual<MessagePort>): Dial {
  return async (accept, signal) => {
    const port = await open();
    if (!signal.aborted) return await servePort(port, accept);
    port.close();
    throw signal.reason;
  };
}
