// Limits for strangers, at a real broker: who fails to log in too often is turned away for a while,
// with a line that other programs read, and nobody else is. A proxy's header gives the addresses.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { credentials } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { passwordFile } from "../support/password_lines.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { describe, WireClient } from "../support/wire_client.ts";

const BEHIND_PROXY = "listener $PORT1 127.0.0.1\nenable_proxy_protocol 1\nlog_type all\n";
const ALICE = { username: "alice", password: "right" };
const MALLORY = { username: "alice", password: "wrong" };

/** What a client at this address is answered: a reason code, or that it is turned away. */
async function knock(
  port: number,
  address: string,
  who: { username?: string; password?: string } = {},
  version: ProtocolVersion = 5,
): Promise<number | "closed"> {
  const client = await open(port, address, version);
  client.send(client.connectBytes({ ...credentials(who), clientId: `at ${address}` }));
  const [connack] = await client.ping();
  client.leave();
  return connack?.type === "connack" ? connack.reasonCode : "closed";
}

/** Connects as from this address. */
async function open(
  port: number,
  address: string,
  version: ProtocolVersion = 5,
): Promise<WireClient> {
  const client = await WireClient.open(port, version);
  const family = address.includes(":") ? "TCP6" : "TCP4";
  const own = address.includes(":") ? "::1" : "127.0.0.1";
  client.send(new TextEncoder().encode(`PROXY ${family} ${address} ${own} 50000 1883\r\n`));
  return client;
}

/** The lines about something, once this many are there. */
async function about(midge: MidgeProcess, words: string, count = 1): Promise<string[]> {
  await midge.logged(new RegExp(words), count);
  return midge.lines.filter((line) => line.includes(words));
}

test(
  "login_failure_limit bans an address, says so once, and lets in everybody else",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: `${BEHIND_PROXY}password_file $DIR/passwd\n` +
        "login_failure_limit 3 600\nlogin_ban_duration 600\n",
      files: { passwd: passwordFile({ alice: "right" }) },
    }, async (midge) => {
      const { port } = midge;
      const bad = "192.0.2.1";
      // What succeeds does not count, and every version fails alike.
      assertEquals(await knock(port, bad, ALICE), 0);
      assertEquals(await knock(port, bad, MALLORY, 3), 0x87);
      assertEquals(await knock(port, bad, {}, 4), 0x87);
      assertEquals(await knock(port, bad, ALICE), 0);
      assertEquals(await knock(port, bad, { username: "nobody", password: "x" }, 5), 0x87);
      for (const version of [3, 4, 5] as const) {
        assertEquals(await knock(port, bad, ALICE, version), "closed");
      }
      assertEquals(await about(midge, "banned"), [
        "Client 192.0.2.1 banned for 600 seconds after 3 failed logins.",
      ]);
      // IPv6 addresses count by what one customer has; IPv4 is the same in either notation.
      for (const host of ["1", "2", "ffff:3"]) {
        assertEquals(await knock(port, `2001:db8:0:1::${host}`, MALLORY), 0x87);
      }
      assertEquals(await knock(port, "2001:db8:0:1:5::", ALICE), "closed");
      assertEquals(await knock(port, "::ffff:192.0.2.1", ALICE), "closed");
      for (const address of ["192.0.2.2", "2001:db8:0:2::1"]) {
        assertEquals(await knock(port, address, ALICE), 0);
      }
      assertEquals(await about(midge, "banned", 2), [
        "Client 192.0.2.1 banned for 600 seconds after 3 failed logins.",
        "Client 2001:db8:0:1::ffff:3 banned for 600 seconds after 3 failed logins.",
      ]);
      // A reload by the same rules lets out nobody.
      const client = await open(port, "192.0.2.2");
      assertEquals((await client.handshake(credentials(ALICE))).reasonCode, 0);
      await midge.write("passwd", passwordFile({ alice: "new" }));
      midge.signal("SIGHUP");
      await client.untilClosed();
      const renewed = { ...ALICE, password: "new" };
      assertEquals(await knock(port, bad, renewed), "closed");
      assertEquals(await knock(port, "192.0.2.2", renewed), 0);
    }),
);

test("login_ban_duration ends a ban", PROCESS_TEST, () =>
  MidgeProcess.with({
    config: `${BEHIND_PROXY}password_file $DIR/passwd\n` +
      "login_failure_limit 1 600\nlogin_ban_duration 1\n",
    files: { passwd: passwordFile({ alice: "right" }) },
  }, async (midge) => {
    assertEquals(await knock(midge.port, "192.0.2.1", MALLORY), 0x87);
    assertEquals(await about(midge, "banned"), [
      "Client 192.0.2.1 banned for 1 seconds after 1 failed logins.",
    ]);
    let answer: number | "closed" = "closed";
    // The limit of the test is that of the wait.
    while (answer === "closed") answer = await knock(midge.port, "192.0.2.1", ALICE);
    assertEquals(answer, 0);
  }));

test(
  "login_failure_limit counts logins at the HTTP API as well",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: "password_file $DIR/passwd\nlogin_failure_limit 3 600\n" +
        "listener $PORT1 127.0.0.1\nlistener $PORT2 127.0.0.1\nprotocol http_api\n",
      files: { passwd: passwordFile({ alice: "right" }) },
    }, async (midge) => {
      const [mqtt, http] = midge.ports;
      const ask = async (password: string): Promise<number | "closed"> => {
        // A connection each, because those that are there may stay.
        const headers = {
          authorization: `Basic ${btoa(`alice:${password}`)}`,
          connection: "close",
        };
        try {
          const response = await fetch(`http://127.0.0.1:${http}/api/v1/version`, { headers });
          await response.text();
          return response.status;
        } catch {
          return "closed";
        }
      };
      assertEquals([await ask("right"), await ask("wrong"), await ask("wrong")], [200, 401, 401]);
      const client = await WireClient.open(mqtt!, 4);
      assertEquals((await client.handshake(credentials(MALLORY))).reasonCode, 0x87);
      assertEquals(await about(midge, "banned"), [
        "Client 127.0.0.1 banned for 300 seconds after 3 failed logins.",
      ]);
      assertEquals(await ask("right"), "closed");
    }),
);

test(
  "connect_rate_limit turns away an address that comes too often, and says so once",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: `${BEHIND_PROXY}allow_anonymous true\nconnect_rate_limit 3 600\n`,
    }, async (midge) => {
      const answers = [];
      for (let i = 0; i < 6; i++) answers.push(await knock(midge.port, "192.0.2.1"));
      assertEquals(answers, [0, 0, 0, "closed", "closed", "closed"]);
      assertEquals(await knock(midge.port, "192.0.2.2"), 0);
      assertEquals(await about(midge, "rate exceeded"), [
        "Client connection from 192.0.2.1 denied: connection rate exceeded.",
      ]);
    }),
);

test(
  "publish_rate_limit slows a client down, loses nothing, and concerns nobody else",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: "listener $PORT1 127.0.0.1\nallow_anonymous true\npublish_rate_limit 10 1\n",
    }, async (midge) => {
      const subscriber = await WireClient.connect(midge.port, 5);
      await subscriber.subscribe(["flood", "trickle"], 0);
      const flooder = await WireClient.connect(midge.port, 5, { clientId: "flooder" });
      const numbers = Array.from({ length: 25 }, (_, i) => i);
      for (const i of numbers) flooder.publish("flood", String(i), { qos: 1 });
      await midge.logged("Client flooder has exceeded its publish rate and is being slowed down.");
      const other = await WireClient.connect(midge.port, 5);
      other.publish("trickle", "x", { qos: 1 });
      assertEquals((await other.ping()).map(describe), ["puback 1 0x00"]);
      const acknowledged = (await flooder.ping()).map(describe);
      assertEquals(acknowledged, numbers.map((i) => `puback ${i + 1} 0x00`));
      const received = (await subscriber.ping()).map(describe);
      assertEquals(
        received.filter((text) => !text.includes("trickle")),
        numbers.map((i) => `publish flood ${i}`),
      );
      assertEquals(received.filter((text) => text.includes("trickle")), ["publish trickle x"]);
      assertEquals((await about(midge, "publish rate")).length, 1);
    }),
);
