// A broker in this process for the client library to meet, with each kind of way to it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { Broker, type BrokerOptions } from "../../mod.ts";
import type { BrokerAddress, ClientOptions } from "../../src/client/client_options.ts";
import { currentRuntime } from "../../src/runtime/current.ts";
import { openMemoryPipe } from "../../src/transport/memory_pipe.ts";
import type { Certificates } from "../support/certificates.ts";
import { SocksServer } from "../support/socks_server.ts";

/** A broker, how to reach it, and how to end it. */
export interface ClientSite {
  readonly broker: Broker;
  readonly address: BrokerAddress;
  readonly options: ClientOptions;
  close(): Promise<void>;
}

export type Way =
  | "pipe"
  | "tcp"
  | "tls"
  | "websocket"
  | "secure websocket"
  | "websocket of the platform"
  | "unix"
  | "websocket over unix"
  | "proxy"
  | "stream";

/** Opens a broker that listens in one way. */
export async function openSite(
  way: Way,
  certificates?: Certificates,
  options: BrokerOptions = {},
): Promise<ClientSite> {
  const errors: unknown[] = [];
  const broker = new Broker({ ...options, onError: (_stage, error) => errors.push(error) });
  let onClose = (): void | Promise<void> => {};
  let address: BrokerAddress;
  let extra: ClientOptions = { runtime: currentRuntime };
  switch (way) {
    case "pipe":
      address = pipeTo(broker);
      break;
    case "stream":
      address = streamTo(broker);
      break;
    case "tcp":
      address = `mqtt://127.0.0.1:${(await broker.listen({ port: 0 })).port}`;
      break;
    case "proxy": {
      const { port } = await broker.listen({ port: 0 });
      const proxy = await SocksServer.open({ login: "u:p" });
      address = `mqtt://localhost:${port}`;
      const login = { username: "u", password: "p" };
      extra = { ...extra, proxy: { hostname: "127.0.0.1", port: proxy.port, ...login } };
      onClose = () => proxy.close();
      break;
    }
    case "websocket":
    case "websocket of the platform": {
      const { port } = await broker.listen({ port: 0, protocol: "websockets" });
      address = new URL(`ws://127.0.0.1:${port}/mqtt`);
      if (way === "websocket of the platform") extra = {};
      break;
    }
    case "secure websocket": {
      const { certificate, key } = certificates!.server;
      const tls = { certificate, key };
      const { port } = await broker.listen({ port: 0, tls, protocol: "websockets" });
      address = `wss://127.0.0.1:${port}`;
      extra = { ...extra, tls: { authorities: certificates!.authority.certificate } };
      break;
    }
    case "tls": {
      const { certificate, key } = certificates!.server;
      const { port } = await broker.listen({ port: 0, tls: { certificate, key } });
      address = `mqtts://127.0.0.1:${port}`;
      extra = { ...extra, tls: { authorities: certificates!.authority.certificate } };
      break;
    }
    case "unix":
    case "websocket over unix": {
      const folder = mkdtempSync(`${tmpdir()}/midge-client-`);
      const protocol = way === "unix" ? "mqtt" : "websockets";
      await broker.listen({ path: `${folder}/socket`, protocol });
      address = `unix://${folder}/socket`;
      if (way === "websocket over unix") extra = { ...extra, webSocket: {} };
      onClose = () => rmSync(folder, { recursive: true });
    }
  }
  return {
    broker,
    address,
    options: extra,
    async close() {
      await broker.close();
      await onClose();
      if (errors.length > 0) throw errors[0];
    },
  };
}

/** A way into a broker without a socket. */
export function pipeTo(broker: Broker): BrokerAddress {
  return (accept) => {
    openMemoryPipe(accept, (transport) => broker.accept(transport), { capacityBytes: 4096 });
    return Promise.resolve();
  };
}

function streamTo(broker: Broker): BrokerAddress {
  const up = new TransformStream<Uint8Array, Uint8Array>();
  const down = new TransformStream<Uint8Array, Uint8Array>();
  void broker.serve({ readable: up.readable, writable: down.writable });
  return { readable: down.readable, writable: up.writable };
}
