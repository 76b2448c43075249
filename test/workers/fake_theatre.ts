// Scenes on the faked host of an object, where time is the test's and any event may be the last
// before a sleep.

import { BrokerObject } from "../../src/runtime/workers/worker.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import type { Packet } from "../../src/core/codec/packet.ts";
import { FakeHost } from "../support/fake_durable_object.ts";
import type { FakePeer } from "../support/fake_object_sockets.ts";
import { type Line, type Scene, type Seen, Stage, type Theatre } from "./stage.ts";

/** How a scene is played. */
export interface Manner {
  readonly sleepsAfter?: (event: number) => boolean;
  readonly inHalves?: boolean;
}

/** What has come of a scene: what its actors saw, how many events it took, how many objects. */
export interface Performance {
  readonly seen: Readonly<Record<string, Seen>>;
  readonly events: number;
  readonly births: number;
}

/** Plays a scene to its end. */
export async function play(scene: Pick<Scene, "play">, manner: Manner): Promise<Performance> {
  const { inHalves = false, ...options } = manner;
  const host = new FakeHost(BrokerObject, {
    ...options,
    env: { MIDGE_ALLOW_ANONYMOUS: "true" },
  });
  try {
    const stage = new Stage(new FakeTheatre(host), inHalves);
    await scene.play(stage);
    await host.settled();
    const { events, births } = host;
    return { seen: await stage.seen(), events, births };
  } finally {
    host.close();
  }
}

class FakeTheatre implements Theatre {
  readonly #host: FakeHost;

  constructor(host: FakeHost) {
    this.#host = host;
  }

  async connect(version: ProtocolVersion): Promise<Line> {
    const peer = await this.#host.connect();
    peer.version = version;
    return new FakeLine(peer);
  }

  async advance(ms: number): Promise<void> {
    await this.#host.advance(ms);
  }
}

class FakeLine implements Line {
  readonly #peer: FakePeer;

  constructor(peer: FakePeer) {
    this.#peer = peer;
  }

  get version(): ProtocolVersion {
    return this.#peer.version;
  }

  get isClosed(): boolean {
    return this.#peer.isClosed;
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    await this.#peer.sendBytes(bytes);
  }

  take(): Promise<Packet[]> {
    return Promise.resolve(this.#peer.take());
  }

  async vanish(): Promise<void> {
    await this.#peer.close(1006);
  }
}
