// A relay inside of the test, on the sockets of its runtime, and a far side that is the test's: any
// `Accept` behind a WebSocket, or whatever else listens on a port.

import { parseRelayFlags, type RelaySettings } from "../../../src/cli/relay/relay_flags.ts";
import { RelayServer } from "../../../src/cli/relay/relay_server.ts";
import type { Listener } from "../../../src/runtime/runtime.ts";
import type { Accept } from "../../../src/transport/transport.ts";
import { withWebSocket } from "../../../src/transport/websocket.ts";
import { runtime } from "../../support/current_runtime.ts";
import { freePorts } from "../../support/midge_process.ts";

const LOOPBACK = "127.0.0.1";

export class RelaySite {
  /** Where devices connect. */
  readonly port: number;
  readonly lines: string[] = [];
  readonly #server: RelayServer;
  readonly #far: Listener;

  constructor(server: RelayServer, far: Listener, port: number, lines: string[]) {
    this.#server = server;
    this.#far = far;
    this.port = port;
    this.lines = lines;
  }

  /** A relay to what `speak` makes of the connections that it opens. */
  static async open(speak: Accept, words: readonly string[] = []): Promise<RelaySite> {
    const far = await runtime.listenTcp({ hostname: LOOPBACK, port: 0 }, speak);
    const [port] = await freePorts(1);
    const place = `${LOOPBACK}:${port}`;
    const settings = settingsOf([
      ...["--to", `ws://${LOOPBACK}:${far.port}/mqtt`, "--listen", place, ...words],
    ]);
    const lines: string[] = [];
    const server = new RelayServer(settings, {
      runtime,
      files: await runtime.files(),
      host: await runtime.host(),
      log: (type, text) => void lines.push(`${type}: ${text}`),
    });
    try {
      await server.start();
    } catch (error) {
      await far.close();
      throw error;
    }
    return new RelaySite(server, far, port!, lines);
  }

  /** As `open`, with a far side that speaks WebSocket. */
  static openTo(accept: Accept, words: readonly string[] = []): Promise<RelaySite> {
    return RelaySite.open(withWebSocket(accept, { headBytesMax: 4096 }), words);
  }

  async close(): Promise<void> {
    await this.#server.stop();
    await this.#far.close();
  }
}

function settingsOf(words: readonly string[]): RelaySettings {
  const flags = parseRelayFlags(words, "midge relay");
  if (flags.kind !== "run") throw new Error(flags.text);
  return flags.settings;
}
