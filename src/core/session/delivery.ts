/**
 * A message on its way to one session: what the subscription made of it. Only deliveries that have
 * to wait or may have to be repeated become objects; the others go straight into an outbox.
 *
 * @module
 */

import type { QoS } from "../codec/protocol.ts";
import type { Message } from "./message.ts";

export interface Delivery {
  /** A kept message; one that has an array of its own while the session has no connection. */
  message: Message;
  readonly qos: QoS;
  readonly retain: boolean;
  /** 0 when the subscription has none. */
  readonly subscriptionId: number;
  /** Position in the order of the session's deliveries, by which a store addresses it. */
  readonly sequence: number;
  /** The number of the change that recorded it last, 0 for what a store gave. */
  recordedAt: number;
}
