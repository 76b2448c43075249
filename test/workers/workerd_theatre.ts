// Scenes in workerd, each with an object of its own: after every packet all objects are put to
// sleep for real. A PINGREQ behind each packet tells when that has been dealt with, because a
// connection's packets are answered in their order, and so is what they cause.

import type { Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { openWebSocket } from "../support/websocket_stream.ts";
import { upgradeRequest } from "../support/websocket_peer.ts";
import { until } from "../support/wait.ts";
import { WireClient } from "../support/wire_client.ts";
import type { WorkerdProcess } from "../support/workerd_process.ts";
import type { Line, Theatre } from "./stage.ts";

/** Connects to the object behind a path. */
export async function connectTo(
  workerd: WorkerdProcess,
  path: string,
  version: ProtocolVersion,
): Promise<WireClient> {
  const request = upgradeRequest().replace("/mqtt", path);
  return new WireClient(await openWebSocket(workerd.port(), request), version);
}

export class WorkerdTheatre implements Theatre {
  readonly #workerd: WorkerdProcess;
  readonly #path: string;

  constructor(workerd: WorkerdProcess, path: string) {
    this.#workerd = workerd;
    this.#path = path;
  }

  async connect(version: ProtocolVersion, name: string): Promise<Line> {
    const client = await connectTo(this.#workerd, this.#path, version);
    return new WorkerdLine(this.#workerd, client, name);
  }

  advance(): Promise<void> {
    return Promise.reject(new Error("Time cannot be made to pass here"));
  }
}

class WorkerdLine implements Line {
  readonly version: ProtocolVersion;
  readonly #workerd: WorkerdProcess;
  readonly #client: WireClient;
  readonly #name: string;
  readonly #kept: Packet[] = [];
  #isConnected = false;

  constructor(workerd: WorkerdProcess, client: WireClient, name: string) {
    this.version = client.version;
    this.#workerd = workerd;
    this.#client = client;
    this.#name = name;
  }

  get isClosed(): boolean {
    return this.#client.isClosed;
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    const client = this.#client;
    client.send(bytes);
    if (this.#isConnected) this.#kept.push(...await client.ping());
    else {
      await until(() => client.packets.length > 0 || client.isClosed, `${this.#name} is answered`);
      this.#isConnected = true;
    }
    await this.#workerd.evict();
  }

  async take(): Promise<Packet[]> {
    if (this.#isConnected) this.#kept.push(...await this.#client.ping());
    return this.#kept.splice(0);
  }

  async vanish(): Promise<void> {
    const before = this.#workerd.lines.length;
    this.#client.destroy();
    const isGone = (line: string): boolean => line.includes(`Client ${this.#name} `);
    await until(() => this.#workerd.lines.slice(before).some(isGone), `${this.#name} is missed`);
    await this.#workerd.evict();
  }
}
