// Options that keep too much load out: how often something may happen, and how much memory there is.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { PROCESS_TEST } from "../support/midge_process.ts";
import { VERSIONS } from "../support/raw_packet.ts";
import { describe, type WireClient } from "../support/wire_client.ts";
import { exchangeRaw } from "./raw_exchange.ts";
import { withTrial } from "./trial.ts";

const DENIED = "Client connection from 127.0.0.1 denied: connection rate exceeded.";
const BANNED = "Client 127.0.0.1 banned for 60 seconds after 2 failed logins.";

test(
  "Limits of rates hold from a reload on, and are forgotten with their lines",
  PROCESS_TEST,
  () =>
    withTrial({}, async (trial) => {
      await trial.apply({ general: "connect_rate_limit 2 1000" });
      assertEquals(await trial.knockAll(), ["connack 0x00", "connack 0x00", "closed"]);
      await trial.midge.logged(DENIED);
      await trial.apply({});
      assertEquals(await trial.knockAll(), Array(3).fill("connack 0x00"));

      const failing = "login_failure_limit 2 1000\nlogin_ban_duration 60";
      await trial.apply({ general: failing, listener: "listener_allow_anonymous false" });
      assertEquals(await trial.knockAll(), ["connack 0x87", "connack 0x87", "closed"]);
      await trial.midge.logged(BANNED);
      await trial.apply({ listener: "listener_allow_anonymous false" });
      assertEquals(await trial.knockAll(), Array(3).fill("connack 0x87"));

      await trial.apply({ general: "publish_rate_limit 3 1" });
      const client = await trial.connect(4, { clientId: "eager" });
      for (let i = 0; i < 5; i++) client.publish("t", "m", { qos: 1 });
      // All of them in the end, only later.
      for (let i = 0; i < 5; i++) assertEquals((await client.next("a PUBACK")).type, "puback");
      await trial.midge.logged(
        "Client eager has exceeded its publish rate and is being slowed down.",
      );
    }),
);

test(
  "memory_limit refuses clients, messages and subscriptions while it is exceeded",
  PROCESS_TEST,
  () =>
    withTrial({}, async (trial) => {
      const clients: WireClient[] = [];
      for (const version of VERSIONS) {
        const client = await trial.connect(version);
        await client.subscribe(["m"], 1);
        clients.push(client);
      }
      await trial.send({ general: "memory_limit 1" });
      await trial.midge.logged(
        /^Warning: Out of memory: new clients and messages are refused\. \d+ bytes are in use, 1 are allowed\.$/,
      );
      assertEquals(await trial.knockAll(), ["connack 0x88", "connack 0x88", "connack 0x89"]);
      for (const client of clients) {
        const isTold = client.version === 5;
        client.publish("m", "refused", { qos: 1, packetId: 7 });
        assertEquals((await client.ping()).map(describe), [`puback 7 ${isTold ? "0x97" : "0x00"}`]);
        const codes = { 3: 1, 4: 0x80, 5: 0x97 } as const;
        // Who subscribes to what he has already needs no more memory.
        assertEquals(await client.subscribe(["new", "m"], 1), [codes[client.version], 1]);
      }
      await trial.apply({});
      await trial.midge.logged("There is memory again: new clients and messages are accepted.");
      assertEquals(await trial.knockAll(), Array(3).fill("connack 0x00"));
      clients[0]!.publish("m", "accepted");
      for (const client of clients) {
        assertEquals(describe(await client.next("the message")), "publish m accepted");
      }
    }),
);

test(
  "packet_buffer_size bounds the head of a request",
  PROCESS_TEST,
  () =>
    withTrial({}, async (trial) => {
      const listener = "protocol http_api";
      const request = new TextEncoder().encode(
        `GET /api/v1/version HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX: ${
          "x".repeat(300)
        }\r\n\r\n`,
      );
      const status = async (): Promise<string> => {
        const { answer } = await exchangeRaw(trial.port, request);
        const bytes = answer === "" ? [] : answer.split(" ").map((byte) => parseInt(byte, 16));
        return String.fromCharCode(...bytes).split("\r\n")[0]!;
      };
      await trial.apply({ listener });
      assertEquals(await status(), "HTTP/1.1 200 OK");
      await trial.apply({ listener, general: "packet_buffer_size 300" });
      assertEquals(await status(), "HTTP/1.1 431 Request Header Fields Too Large");
      await trial.apply({ listener });
      assertEquals(await status(), "HTTP/1.1 200 OK");
    }),
);
