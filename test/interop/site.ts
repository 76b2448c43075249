// A broker for clients to meet at: Midge in this process on the runtime's own sockets, or Debian's
// Mosquitto as a child process. Both tell who has come, subscribed and gone, so that an exchange
// can be written once and never has to sleep for a guess.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Broker, type BrokerOptions } from "../../mod.ts";
import type { BrokerEvent } from "../../src/core/broker/event.ts";
import { ForeignProcess } from "../support/foreign_process.ts";
import { until } from "../support/wait.ts";

export type SiteName = "midge" | "mosquitto" | "workerd";

/** What is noted of a client. */
type Note = "connected" | "subscribed" | "gone";

export class Site {
  readonly name: SiteName;
  port = 0;
  close: () => Promise<void> = () => Promise.resolve();
  readonly #counts: Map<string, number> = new Map();

  constructor(name: SiteName) {
    this.name = name;
  }

  /** Resolves when the client has connected `count` times. */
  connected(clientId: string, count = 1): Promise<void> {
    return this.#wait("connected", clientId, count);
  }

  /** Resolves when the client has subscribed to `count` filters, over all of its connections. */
  subscribed(clientId: string, count = 1): Promise<void> {
    return this.#wait("subscribed", clientId, count);
  }

  /** Resolves when `count` connections of the client have ended. */
  gone(clientId: string, count = 1): Promise<void> {
    return this.#wait("gone", clientId, count);
  }

  note(note: Note, clientId: string): void {
    const key = `${note} ${clientId}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  #wait(note: Note, clientId: string, count: number): Promise<void> {
    const key = `${note} ${clientId}`;
    return until(
      () => (this.#counts.get(key) ?? 0) >= count,
      `${this.name} has noted "${key}" ${count} times`,
    );
  }
}

/** Opens Midge; closing it fails if anything went wrong that nobody waited for. */
export async function openMidge(options: BrokerOptions = {}): Promise<Site> {
  const site = new Site("midge");
  const errors: unknown[] = [];
  const broker = new Broker({
    ...options,
    onEvent: (event) => noteEvent(site, event),
    onError: (_stage, error) => errors.push(error),
  });
  site.port = (await broker.listen({ port: 0 })).port;
  site.close = async () => {
    await broker.close();
    if (errors.length > 0) throw errors[0];
  };
  return site;
}

function noteEvent(site: Site, event: BrokerEvent): void {
  switch (event.kind) {
    case "connected":
    case "subscribed":
      return site.note(event.kind, event.clientId);
    case "closed":
      if (event.clientId !== undefined) site.note("gone", event.clientId);
  }
}

/** Opens Debian's Mosquitto. */
export async function openMosquitto(): Promise<Site> {
  const site = new Site("mosquitto");
  const folder = await mkdtemp(join(tmpdir(), "midge-interop-"));
  try {
    site.port = await freePort();
    const configPath = join(folder, "mosquitto.conf");
    await writeFile(configPath, configuration(site.port));
    let isRunning = false;
    const process = new ForeignProcess("mosquitto", ["-c", configPath], {
      limitMs: 60_000,
      onErrorLine(line) {
        if (/^mosquitto version \S+ running$/.test(line)) isRunning = true;
        else noteLine(site, line);
      },
    });
    const early = process.ended.then(({ stderr }) => {
      if (!isRunning) throw new Error(`mosquitto does not start: ${stderr}`);
    });
    await Promise.race([until(() => isRunning, "mosquitto runs"), early]);
    site.close = async () => {
      process.kill("SIGTERM");
      await process.ended;
    };
    return site;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Takes down what a line of Mosquitto's log, or of one in its words, says of a client. */
export function noteLine(site: Site, line: string): void {
  const connected = /^New client connected from \S+ as (\S+) /.exec(line)?.[1];
  if (connected !== undefined) site.note("connected", connected);
  const gone = /^Client (\S+) (?:\[\S*\] )?(?:disconnected|closed its|already|has exceeded)/.exec(
    line,
  )?.[1];
  if (gone !== undefined) site.note("gone", gone);
  const subscribed = /^(\S+) [012] \S+$/.exec(line)?.[1];
  if (subscribed !== undefined) site.note("subscribed", subscribed);
}

function configuration(port: number): string {
  return [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "set_tcp_nodelay true",
    "log_dest stderr",
    "log_timestamp false",
    ...["error", "warning", "notice", "information", "subscribe"].map((type) => `log_type ${type}`),
    "",
  ].join("\n");
}

/** A port that nobody listens on; Mosquitto cannot choose one itself. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
