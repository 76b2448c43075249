/**
 * Retained messages that are to be removed from the broker, as many at a time as it takes.
 *
 * @module
 */

import type { QoS } from "../../core/codec/protocol.ts";
import type { ToolClient } from "./tool_client.ts";

/** What may wait. The acknowledgements come between the messages, so those cannot be held up. */
const TOPICS_MAX = 100_000;
const QOS: QoS = 1;
const NOTHING = new Uint8Array(0);

export class RetainedRemover {
  #topics: string[] = [];
  /** How many of the topics are done. */
  #sent = 0;

  get isEmpty(): boolean {
    return this.#sent === this.#topics.length;
  }

  /** Notes a topic; `false` when too many wait already. */
  add(topic: string): boolean {
    if (this.#topics.length - this.#sent >= TOPICS_MAX) return false;
    this.#topics.push(topic);
    return true;
  }

  /** On another connection the broker sends again what it still retains. */
  forget(): void {
    this.#topics = [];
    this.#sent = 0;
  }

  /** Sends what may be sent now; `true` when more waits for room. */
  pump(client: ToolClient, now: number): boolean {
    const { engine } = client;
    const { maximumQos = QOS } = engine.connack?.properties ?? {};
    // Below 1 there is only 0.
    const qos = maximumQos < QOS ? 0 : QOS;
    while (!this.isEmpty && engine.sendQuota > 0) {
      if (!client.hasRoom) return true;
      engine.publish(this.#topics[this.#sent++]!, NOTHING, { qos, retain: true }, now);
    }
    if (this.isEmpty) this.forget();
    return false;
  }
}
