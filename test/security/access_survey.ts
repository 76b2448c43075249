// What clients may really do at a broker, tried over the wire: a survey goes through a table of
// clients and topics, publishes by every version and quality of service, and has each topic come to
// each client by every way there is. It needs a user "root" who may do everything.

import type { Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion, QoS } from "../../src/core/codec/protocol.ts";
import { type Credentials, credentials } from "../support/login.ts";
import { VERSIONS } from "../support/raw_packet.ts";
import { type ConnectOptions, describe, WireClient } from "../support/wire_client.ts";

/** `r`: may receive, `w`: may publish, `-`: neither. */
export type Rights = "rw" | "r" | "w" | "-";

export interface Row {
  /** Without one the client is anonymous. */
  readonly username?: string;
  readonly clientId?: string;
  readonly topic: string;
  readonly rights: Rights;
  /** What this one is about. */
  readonly about: string;
  /** What Mosquitto 2.0 grants instead, and why. */
  readonly mosquitto?: { readonly rights: Rights; readonly because: string };
}

/** What is found for a row: its rights, or what is odd about them. */
export type Found = Rights | string;

/** What the root user subscribes to, to see everything that is published. */
const EVERYTHING = ["#", "$other/#", "$SYS/broker/connection/#", "$share_x/#"];

const DENIED = 0x87;
const QOS_OF: Readonly<Record<ProtocolVersion, QoS>> = { 3: 1, 4: 0, 5: 2 };

export interface SurveyOptions {
  /** What is not to be tried. */
  readonly skips?: (row: Row, way: string) => boolean;
}

export async function survey(
  port: number,
  rows: readonly Row[],
  options: SurveyOptions = {},
): Promise<Found[]> {
  const surveyor = new Surveyor(port, await connect(port, 5, { username: "root" }), options);
  await surveyor.start();
  const found: Found[] = [];
  for (const [number, row] of rows.entries()) {
    found.push(await surveyor.examine({ clientId: `client${number}`, ...row }));
  }
  surveyor.finish();
  return found;
}

type Subject = Row & { readonly clientId: string };

class Surveyor {
  readonly #port: number;
  readonly #root: WireClient;
  readonly #options: SurveyOptions;
  #number = 0;

  constructor(port: number, root: WireClient, options: SurveyOptions) {
    this.#port = port;
    this.#root = root;
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#root.subscribe(EVERYTHING, 0);
  }

  finish(): void {
    this.#root.leave();
  }

  async examine(row: Subject): Promise<Found> {
    const writes = new Set<string>();
    for (const version of VERSIONS) {
      for (const qos of [0, 1, 2] as const) writes.add(await this.#publish(row, version, qos));
      writes.add(await this.#will(row, version));
    }
    // What lies below these is the broker's own, or no topic that anybody could publish.
    const isReadable = !row.topic.startsWith("$S") && !row.topic.startsWith("$share");
    const reads = new Map<string, boolean>();
    if (isReadable) {
      for (const version of VERSIONS) {
        for (const [name, way] of Object.entries(WAYS)) {
          if (this.#options.skips?.(row, name)) continue;
          reads.set(`${name} by version ${version}`, await way(this, row, version));
        }
      }
    }
    return summary(writes, reads);
  }

  /** Publishes as the client; what it was told and whether anybody got it. */
  async #publish(row: Subject, version: ProtocolVersion, qos: QoS): Promise<string> {
    const client = await connect(this.#port, version, row);
    const payload = this.payload();
    client.publish(row.topic, payload, { qos });
    const answers = await client.ping();
    if (qos === 2) {
      client.sendPacket({ ...ACK, type: "pubrel", packetId: 1 });
      await client.ping();
    }
    client.leave();
    const isThrough = hasPayload(await this.#root.ping(), payload);
    const codes = answers.map((packet) => "reasonCode" in packet ? packet.reasonCode : -1);
    // Only version 5 has a word for it; all versions have the same number of answers.
    const expected = qos === 0 ? [] : [!isThrough && version === 5 ? DENIED : 0];
    const isAnswered = JSON.stringify(codes) === JSON.stringify(expected);
    return isAnswered ? String(isThrough) : `answered ${answers.map(describe)}`;
  }

  /** Dies as the client and leaves a Will; one that is refused with its client reaches nobody. */
  async #will(row: Subject, version: ProtocolVersion): Promise<string> {
    const payload = this.payload();
    const client = await WireClient.open(this.#port, version);
    client.send(client.connectBytes({ ...credentials(row), will: will(row.topic, payload) }));
    await client.ping();
    client.destroy();
    // Whoever takes over comes after the end of the connection that was there.
    (await connect(this.#port, version, row)).leave();
    return String(hasPayload(await this.#root.ping(), payload));
  }

  /** Publishes as root; resolves when the broker has done so. */
  async publish(topic: string, options: { retain?: boolean; isDelete?: boolean } = {}): Promise<
    string
  > {
    const payload = options.isDelete ? "" : this.payload();
    this.#root.publish(topic, payload, { qos: 1, retain: options.retain ?? false });
    await this.#root.ping();
    return payload;
  }

  /** Dies as root and leaves a Will. */
  async die(topic: string): Promise<string> {
    const payload = this.payload();
    const mortal = await connect(this.#port, 5, { username: "root" }, {
      clientId: "mortal",
      will: will(topic, payload),
    });
    mortal.destroy();
    (await connect(this.#port, 5, { username: "root" }, { clientId: "mortal" })).leave();
    await this.#root.ping();
    return payload;
  }

  connect(
    row: Subject,
    version: ProtocolVersion,
    options: ConnectOptions = {},
  ): Promise<WireClient> {
    return connect(this.#port, version, row, options);
  }

  payload(): string {
    return `message ${++this.#number}`;
  }
}

type Way = (at: Surveyor, row: Subject, version: ProtocolVersion) => Promise<boolean>;

/** Every way by which a topic can come to a client; whether it does. */
const WAYS: Readonly<Record<string, Way>> = {
  async live(at, row, version) {
    const client = await at.connect(row, version);
    await client.subscribe([row.topic], QOS_OF[version]);
    const payload = await at.publish(row.topic);
    return await arrived(client, payload);
  },
  async retained(at, row, version) {
    const payload = await at.publish(row.topic, { retain: true });
    const client = await at.connect(row, version);
    await client.subscribe([row.topic], 1);
    const isThere = await arrived(client, payload);
    await at.publish(row.topic, { retain: true, isDelete: true });
    return isThere;
  },
  async "queued and sent again"(at, row, version) {
    const first = await at.connect(row, version, LASTING);
    await first.subscribe([row.topic], 1);
    first.leave();
    await first.untilClosed();
    const payload = await at.publish(row.topic);
    const results = [];
    for (let i = 0; i < 2; i++) {
      const client = await at.connect(row, version, LASTING);
      results.push(await arrived(client, payload));
      await client.untilClosed();
    }
    // It was not acknowledged, so what came once has to come again.
    if (results[0] !== results[1]) throw new Error(`Came and did not come: ${row.topic}`);
    return results[0]!;
  },
  async shared(at, row, version) {
    const client = await at.connect(row, version);
    await client.subscribe([`$share/group/${row.topic}`], 1);
    const payload = await at.publish(row.topic);
    return await arrived(client, payload);
  },
  async "a Will"(at, row, version) {
    const client = await at.connect(row, version);
    await client.subscribe([row.topic], 1);
    const payload = await at.die(row.topic);
    return await arrived(client, payload);
  },
};

async function arrived(client: WireClient, payload: string): Promise<boolean> {
  const packets = await client.ping();
  client.leave();
  return hasPayload(packets, payload);
}

function summary(writes: Set<string>, reads: Map<string, boolean>): Found {
  if (writes.size > 1) return `publishing: ${[...writes].join(" and ")}`;
  const kinds = new Set(reads.values());
  if (kinds.size > 1) return `receiving: ${JSON.stringify([...reads])}`;
  const [write] = writes;
  if (write !== "true" && write !== "false") return `publishing: ${write}`;
  return `${kinds.has(true) ? "r" : ""}${write === "true" ? "w" : ""}` || "-";
}

const ACK = { reasonCode: 0, properties: {} } as const;

/** Sessions that outlive their connection, in every version. */
const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } } as const;

function connect(
  port: number,
  version: ProtocolVersion,
  who: Credentials,
  options: ConnectOptions = {},
): Promise<WireClient> {
  return WireClient.connect(port, version, { ...credentials(who), ...options });
}

function will(topic: string, payload: string): NonNullable<ConnectOptions["will"]> {
  return {
    topic,
    payload: new TextEncoder().encode(payload),
    qos: 0,
    retain: false,
    properties: {},
  };
}

function hasPayload(packets: readonly Packet[], payload: string): boolean {
  return packets.some((packet) =>
    packet.type === "publish" && new TextDecoder().decode(packet.payload) === payload
  );
}
