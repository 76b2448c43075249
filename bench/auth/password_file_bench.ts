/**
 * What a thousand logins with wrong passwords do to everybody else: how long the event loop was at
 * most away from its other work, and for how long that went on. Nothing is compared here; beside
 * the figures stands the same with nobody logging in.
 *
 * Run with `deno run -A bench/auth/password_file_bench.ts`.
 *
 * @module
 */

import { parsePasswordFile, PasswordFile } from "../../src/auth/password_file.ts";
import { NEW_HASHES, PasswordHash } from "../../src/auth/password_hash.ts";
import { WorkGate } from "../../src/auth/work_gate.ts";
import { DEFAULT_LISTENER } from "../../src/core/broker/limits.ts";
import type { ConnectRequest } from "../../src/core/broker/question.ts";
import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { currentRuntime } from "../../src/runtime/current.ts";

const LOGINS = 1000;

const { argon2id } = await (await currentRuntime()).host();

for (const [name, logins] of [["$6$", 0], ["$6$", LOGINS], ["$7$", LOGINS]] as const) {
  const parameters = NEW_HASHES[name === "$6$" ? "sha512" : "sha512-pbkdf2"];
  const password = new TextEncoder().encode("right");
  const hash = await PasswordHash.make(password, parameters, argon2id);
  const { value } = parsePasswordFile(`alice:${hash.format()}`, "pw");
  const gate = new WorkGate({ runningMax: 2, waitingMax: LOGINS });
  const file = new PasswordFile(value!, { argon2id, gate });
  const watch = watchLoop();
  const start = performance.now();
  const verdicts = await Promise.all(
    Array.from({ length: logins }, (_, i) => file.authenticate(login(i))),
  );
  const elapsed = performance.now() - start;
  // So that there is something to watch when nobody logs in.
  if (logins === 0) await new Promise((resolve) => setTimeout(resolve, 500));
  const pause = watch.stop();
  if (verdicts.includes(ReasonCode.SUCCESS)) throw new Error("A wrong password was taken");
  console.log(
    `${logins} wrong passwords by ${name}: ${elapsed.toFixed(0)} ms, ` +
      `the event loop away for ${pause.toFixed(1)} ms at most`,
  );
}

function login(number: number): ConnectRequest {
  return {
    peer: { remoteAddress: "192.0.2.1", remotePort: 50_000, localPort: 1883 },
    listener: DEFAULT_LISTENER,
    clientId: "c",
    protocolVersion: 5,
    username: number % 2 === 0 ? "alice" : `mallory${number}`,
    isIdentified: false,
    password: new TextEncoder().encode(`wrong${number}`),
    isBridge: false,
  };
}

/** Measures the longest time between two turns of a timer of one millisecond. */
function watchLoop(): { stop(): number } {
  let last = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return {
    stop() {
      clearInterval(timer);
      return longest;
    },
  };
}
