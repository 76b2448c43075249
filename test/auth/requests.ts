// Requests to connect, clients and listeners, for tests of those who decide about them.

import { DEFAULT_LISTENER } from "../../src/core/broker/limits.ts";
import type { Client, ConnectRequest } from "../../src/core/broker/question.ts";
import type { ListenerSettings } from "../../src/core/session/peer.ts";

export function listener(name: string): ListenerSettings {
  return { ...DEFAULT_LISTENER, name };
}

/** A request of a client without user name, unless the parts say otherwise. */
export function request(parts: Partial<ConnectRequest> = {}): ConnectRequest {
  return {
    peer: { remoteAddress: "192.0.2.1", remotePort: 50_000, localPort: 1883 },
    listener: DEFAULT_LISTENER,
    clientId: "c",
    protocolVersion: 5,
    username: undefined,
    isIdentified: false,
    password: undefined,
    isBridge: false,
    ...parts,
  };
}

/** A request with a user name and a password, either of which may be missing. */
export function login(username?: string, password?: string): ConnectRequest {
  return request({
    username,
    password: password === undefined ? undefined : new TextEncoder().encode(password),
  });
}

export function client(parts: Partial<Client> = {}): Client {
  return {
    clientId: "c",
    username: undefined,
    listener: undefined,
    policyNotes: undefined,
    ...parts,
  };
}
