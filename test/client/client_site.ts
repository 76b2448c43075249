// A broker in this process for the client library to meet, with each kind of way to it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { Broker, type BrokerOptions } from "../../mod.ts";
import type { BrokerAddress, ClientOptions } from "../../src/client/client_options.ts";
import { currentRuntime } from "../../src/runtime/current.ts";
import { openMemoryPipe } from "../../src/transport/memory_pipe.ts";
import type { Certificates } from "../support/certificates.ts";

/** A broker, how to reach it, and how to end it. */
export interface ClientSite {
  readonly broker: Broker;
  readonly address: BrokerAddress;
  readonly options: ClientOptions;
  close(): Promise<void>;
}

export type Way = "pipe" | "tcp" | "tls" | "websocket" | "unix" | "stream";

/** Opens a broker that listens in one way. */
export async function openSite(
  way: Way,
  certificates?: Certificates,
  options: BrokerOptions = {},
): Promise<ClientSite> {
  const errors: unknown[] = [];
  const broker = new Broker({ ...options, onError: (_stage, error) => errors.push(error) });
  let onClose = (): void => {};
  let address: BrokerAddress;
  let extra: ClientOptions = {};
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
    case "websocket": {
      const { port } = await broker.listen({ port: 0, protocol: "websockets" });
      address = new URL(`ws://127.0.0.1:${port}/mqtt`);
      break;
    }
    case "tls": {
      const { certificate, key } = certificates!.server;
      const { port } = await broker.listen({ port: 0, tls: { certificate, key } });
      address = `mqtts://127.0.0.1:${port}`;
      extra = { tls: { authorities: certificates!.authority.certificate } };
      break;
    }
    case "unix": {
      const folder = mkdtempSync(`${tmpdir()}/midge-client-`);
      await broker.listen({ path: `${folder}/socket` });
      address = `unix://${folder}/socket`;
      onClose = () => rmSync(folder, { recursive: true });
    }
  }
  return {
    broker,
    address,
    options: { runtime: currentRuntime, ...extra },
    async close() {
      await broker.close();
      onClose();
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
