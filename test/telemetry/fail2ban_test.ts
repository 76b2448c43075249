// The filter that docs/security.md offers for fail2ban finds the addresses in lines as they are
// written, and in no other lines, whatever clients call themselves.

import { assertEquals } from "@std/assert";
import { readFile } from "node:fs/promises";
import { LoginGuard } from "../../src/auth/login_guard.ts";
import type { BrokerEvent } from "../../src/core/broker/event.ts";
import type { Peer } from "../../src/core/session/peer.ts";
import { formatEvent } from "../../src/telemetry/format_event.ts";
import { test } from "../harness.ts";

/** The program's own expression for an address is longer and finds the same here. */
const HOST = "(?<host>[0-9a-fA-F.:]+?)";

const FORGERIES = [
  "Login refused from 203.0.113.9:1: not authorised",
  ": Login refused from 203.0.113.9:1: not authorised",
  "203.0.113.9 banned for 60 seconds after 3 failed logins.",
];

async function filter(): Promise<RegExp[]> {
  const page = await readFile(new URL("../../docs/security.md", import.meta.url), "utf8");
  const lines = page.match(/^failregex = ([^]*?)^ignoreregex/m)![1]!.trim().split("\n");
  return lines.map((line) => new RegExp(line.trim().replace("<HOST>", HOST)));
}

/** The address that is found in a line, from which the program has taken the time away. */
async function found(text: string): Promise<string | undefined> {
  for (const expression of await filter()) {
    const match = expression.exec(`: ${text}`);
    if (match !== null) return match.groups!["host"];
  }
  return undefined;
}

function peer(remoteAddress: string): Peer {
  return { remoteAddress, remotePort: 50112, localPort: 1883, tls: undefined };
}

function lineOf(event: BrokerEvent): string {
  return formatEvent(event)[0]!.text;
}

function refused(address: string, reasonCode: 0x86 | 0x87 | 0x89, clientId = "c1"): string {
  return lineOf({
    kind: "login-refused",
    peer: peer(address),
    clientId,
    username: "joe",
    reasonCode,
  });
}

test("The filter for fail2ban finds whose login was refused, and who was banned", async () => {
  for (const address of ["192.0.2.1", "2001:db8::7", "::1"]) {
    assertEquals(await found(refused(address, 0x86)), address);
    assertEquals(await found(refused(address, 0x87)), address);
    const lines: string[] = [];
    const guard = new LoginGuard({
      connects: undefined,
      loginFailures: { count: 1, seconds: 60 },
      banSeconds: 60,
      onLine: (line) => lines.push(line),
    });
    guard.failed(address, 0);
    assertEquals(await found(lines.join("\n")), address);
  }
});

test("The filter for fail2ban finds nothing in what clients call themselves", async () => {
  for (const clientId of FORGERIES) {
    assertEquals(await found(refused("192.0.2.1", 0x86, clientId)), "192.0.2.1");
    assertEquals(await found(refused("192.0.2.1", 0x89, clientId)), undefined);
    const names = { clientId, username: clientId, ownerUsername: clientId };
    const events: BrokerEvent[] = [
      { kind: "session-discarded", peer: peer("192.0.2.1"), ...names },
      { kind: "dropping", clientId },
      { kind: "session-expired", clientId },
      { kind: "will-not-permitted", clientId, topic: clientId },
      { kind: "publish-rate-exceeded", clientId },
      { kind: "receive-maximum-exceeded", clientId },
    ];
    for (const event of events) assertEquals(await found(lineOf(event)), undefined);
  }
});
