// Passwords that take long to verify: whoever is connected goes on as if nobody were logging in, and
// no number of logins makes more work than the broker can bear.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { credentials, login } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { passwordFile, passwordLine } from "../support/password_lines.ts";
import { describe, WireClient } from "../support/wire_client.ts";

/** Salt and hash of as many bytes as there should be; nobody knows the password. */
const SALT = btoa("s".repeat(64)).replaceAll("=", "");
const HASH = btoa("h".repeat(64)).replaceAll("=", "");

/** Each takes a good second or more of one core. */
const DEAR_LINES = {
  pbkdf2: passwordLine("dear", "x", { iterations: 1 }).replace("$7$1$", "$7$3000000$"),
  argon2id: `dear:$argon2id$v=19$m=65536,t=10,p=1$${SALT}$${HASH}`,
};

for (const [name, line] of Object.entries(DEAR_LINES)) {
  test(
    `B-50 Deliveries go on while passwords are verified by ${name}`,
    PROCESS_TEST,
    () =>
      MidgeProcess.with({
        config: "listener $PORT1 127.0.0.1\npassword_file $DIR/passwd\n",
        files: { passwd: `${passwordFile({ alice: "a" })}${line}\n` },
      }, async ({ port }) => {
        const alice = credentials({ username: "alice", password: "a" });
        const [publisher, subscriber] = [
          await WireClient.connect(port, 5, alice),
          await WireClient.connect(port, 5, alice),
        ];
        await subscriber.subscribe(["canary"], 1);
        const strangers = [];
        for (let i = 0; i < 8; i++) {
          const stranger = await WireClient.open(port, 5);
          const who = credentials({ username: "dear", password: `guess ${i}` });
          stranger.send(stranger.connectBytes(who));
          strangers.push(stranger);
        }
        for (let i = 0; i < 20; i++) {
          publisher.publish("canary", String(i));
          const packet = await subscriber.next("the canary");
          assertEquals(describe(packet), `publish canary ${i}`);
        }
        // All of that came before the answer to the first of those who wait.
        assertEquals(strangers.map(({ packets }) => packets.length), strangers.map(() => 0));
        assertEquals(strangers.map(({ isClosed }) => isClosed), strangers.map(() => false));
        for (const stranger of strangers) stranger.destroy();
        publisher.publish("canary", "last");
        assertEquals(describe(await subscriber.next("the last")), "publish canary last");
      }),
  );
}

test(
  "B-50 A flood of bad logins is answered to the last, and lets in who knows a password",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: "listener $PORT1 127.0.0.1\npassword_file $DIR/passwd\n",
      files: { passwd: passwordLine("alice", "a", { iterations: 1000 }) },
    }, async (midge) => {
      const { port } = midge;
      const alice = credentials({ username: "alice", password: "a" });
      const [publisher, subscriber] = [
        await WireClient.connect(port, 5, alice),
        await WireClient.connect(port, 5, alice),
      ];
      await subscriber.subscribe(["canary"], 1);
      const flood = Promise.all(
        Array.from({ length: 300 }, (_, i) =>
          login(port, 5, {
            username: i % 2 === 0 ? "alice" : `nobody ${i}`,
            password: `guess ${i}`,
          })),
      );
      let isOver = false;
      flood.then(() => isOver = true, () => isOver = true);
      let count = 0;
      while (!isOver) {
        publisher.publish("canary", String(++count));
        assertEquals(describe(await subscriber.next("the canary")), `publish canary ${count}`);
      }
      assertEquals(new Set(await flood), new Set([0x87]));
      assertEquals(await login(port, 5, { username: "alice", password: "a" }), 0);
    }),
);
