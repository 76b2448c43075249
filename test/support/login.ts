// Who is let in: a CONNECT by any version with any credentials, and what is answered.

import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { type ConnectOptions, WireClient } from "./wire_client.ts";

export interface Credentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly clientId?: string;
}

/** What of a CONNECT the credentials are. */
export function credentials({ username, password, clientId }: Credentials): ConnectOptions {
  return {
    ...username === undefined ? {} : { username },
    ...password === undefined ? {} : { password: new TextEncoder().encode(password) },
    ...clientId === undefined ? {} : { clientId },
  };
}

/** The reason code of the CONNACK, as version 5 has it; the client is gone afterwards. */
export async function login(
  port: number,
  version: ProtocolVersion,
  who: Credentials = {},
): Promise<number> {
  const client = await WireClient.open(port, version);
  try {
    return (await client.handshake(credentials(who))).reasonCode;
  } finally {
    client.leave();
  }
}
