/**
 * What a store would bring back, in a form that can be compared: by session, without the order of
 * what has none, with messages as values.
 */

import type { StoredRecord } from "../../src/core/broker/change.ts";
import type { Delivery } from "../../src/core/session/delivery.ts";
import type { Message } from "../../src/core/session/message.ts";
import type { Store } from "../../src/store/store.ts";

const EVERYTHING = { countMax: 1_000_000, bytesMax: Infinity };

/** All that is in a store: the key says whose and what it is. */
export async function contentsOfStore(store: Store): Promise<Record<string, unknown>> {
  const sections: Map<string, unknown[]> = new Map();
  const add = (section: string, value: unknown): void => {
    sections.set(section, [...sections.get(section) ?? [], value]);
  };
  for (const record of store.load()) {
    // Copies of one message may count as several, depending on how they are kept.
    if (record.kind === "messages-stored") continue;
    if (record.kind === "delivery-received") {
      // Nobody needs its message any more, and whether it is still there is the store's business.
      const sent = sections.get(`${record.clientId}: inflight`)!.at(-1) as { message: unknown };
      sent.message = "received";
      continue;
    }
    const [section, value] = placeOf(record);
    add(section, value);
    if (record.kind !== "deliveries-left") continue;
    for (const delivery of await store.loadDeliveries(record.clientId, 0, EVERYTHING)) {
      add(`${record.clientId}: queued`, valueOf(delivery));
    }
  }
  const entries = [...sections].map(([section, values]) => [
    section,
    /: (?:subscription|owed|held)$/.test(section) ? byText(values) : values,
  ]);
  return Object.fromEntries(entries);
}

function placeOf(record: StoredRecord): [section: string, value: unknown] {
  switch (record.kind) {
    case "session-set":
      return [`${record.clientId}: session`, record];
    case "subscription-set":
      return [`${record.clientId}: subscription`, record];
    case "retained-owed":
      return [`${record.clientId}: owed`, record];
    case "delivery-sent":
      return [`${record.clientId}: inflight`, {
        packetId: record.packetId,
        ...valueOf(record.delivery),
      }];
    case "packet-id-held":
      return [`${record.clientId}: held`, record];
    case "will-set": {
      const { will, dueAt } = record;
      const message = messageValue(will.message);
      return [`${record.clientId}: will`, { ...will, message, dueAt }];
    }
    case "undecided-will-set":
      return [`undecided will ${record.number}`, {
        ...record,
        message: messageValue(record.message),
      }];
    case "deliveries-left":
      return [`${record.clientId}: left`, record];
    case "retained-set": {
      const { message } = record;
      return ["retained", { ...messageValue(message), sequence: message.retainedSequence }];
    }
    default:
      throw new Error(`A store gave a record of kind "${record.kind}"`);
  }
}

function valueOf(
  { message, qos, retain, subscriptionId, sequence }: Delivery,
): Record<string, unknown> {
  return { message: messageValue(message), qos, retain, subscriptionId, sequence };
}

function messageValue(message: Message): Record<string, unknown> {
  const { topic, qos, retain, expiresAt, publisherId, publisherUsername } = message;
  return {
    topic,
    properties: message.propertyBytes.slice(message.propertiesStart, message.propertiesEnd),
    payload: message.payloadBytes.slice(message.payloadStart, message.payloadEnd),
    qos,
    retain,
    expiresAt: Number.isFinite(expiresAt) ? Math.round(expiresAt) : expiresAt,
    publisherId,
    publisherUsername,
  };
}

function byText(values: readonly unknown[]): unknown[] {
  return [...values].sort((one, other) => JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);
}
