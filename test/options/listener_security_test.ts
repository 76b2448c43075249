// To whom options of security belong: to all listeners, or to the one in whose section they stand.
// And whose rights count for what is retained. Password and access files have tests of their own.

import { assertEquals } from "@std/assert";
import { VERSION } from "../../src/app/version.ts";
import { test } from "../harness.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { WireClient } from "../support/wire_client.ts";
import { knockAll, messages, withTrial } from "./trial.ts";

/** The same sections, whosever their options are. */
const SECTIONS = [
  "sys_interval 0",
  "listener $PORT1 127.0.0.1",
  "allow_anonymous true",
  "auto_id_prefix one-",
  "listener $PORT2 127.0.0.1",
  "allow_anonymous true",
  "allow_zero_length_clientid false",
  "listener $PORT3 127.0.0.1",
  "listener $PORT4 127.0.0.1",
  "listener_allow_anonymous true",
  "allow_zero_length_clientid true",
].join("\n");

const GENERATED = ["connack 0x85", "connack 0x00", "connack 0x00"];
const WANTED = ["connack 0x85", "connack 0x85", "connack 0x80"];

/** What those are answered who have no identifier, on each port; and what one is made like. */
async function survey(midge: MidgeProcess): Promise<{ answers: string[][]; prefixes: string[] }> {
  const answers: string[][] = [];
  const prefixes: string[] = [];
  for (const port of midge.ports.slice(0, 4)) {
    const found = await knockAll(port, { clientId: "" });
    answers.push(found);
    if (found[2] !== "connack 0x00") continue;
    const client = await WireClient.open(port, 5);
    const { properties } = await client.handshake({ clientId: "" });
    prefixes.push((properties.assignedClientId ?? "").slice(0, -36));
    client.leave();
  }
  return { answers, prefixes };
}

test(
  "per_listener_settings true gives each listener its own settings",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: `per_listener_settings true\n${SECTIONS}` }, async (midge) => {
      assertEquals(await survey(midge), {
        answers: [GENERATED, WANTED, ["connack 0x85", "connack 0x87", "connack 0x87"], GENERATED],
        prefixes: ["one-", "auto-"],
      });
      const advice = "It is recommended to replace 'allow_anonymous' with " +
        "'listener_allow_anonymous' when per_listener_settings is true.";
      await midge.logged(advice, 2);
    }),
);

test(
  "per_listener_settings false gives all listeners the last settings",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: `per_listener_settings false\n${SECTIONS}` }, async (midge) => {
      assertEquals(await survey(midge), {
        answers: [GENERATED, GENERATED, GENERATED, GENERATED],
        prefixes: ["one-", "one-", "one-", "one-"],
      });
      await midge.logged(
        "Warning: The 'allow_zero_length_clientid' option is for all listeners, and replaces an " +
          "earlier one.",
      );
    }),
);

test(
  "per_listener_settings is reloaded with all that depends on it",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: SECTIONS }, async (midge) => {
      const prefixes = async (): Promise<string> => (await survey(midge)).prefixes.join(" ");
      assertEquals(await prefixes(), "one- one- one- one-");
      for (const isSet of [true, false]) {
        await midge.write("midge.conf", `per_listener_settings ${isSet}\n${SECTIONS}`);
        midge.signal("SIGHUP");
        const [before, after] = ["one- one- one- one-", "one- auto-"];
        const wanted = isSet ? after : before;
        let found = "";
        const end = performance.now() + 10_000;
        while (found !== wanted && performance.now() < end) found = await prefixes();
        assertEquals(found, wanted);
      }
    }),
);

const MAY_BOTH = "user writer\ntopic write r/#\nuser reader\ntopic read r/#\n";
const MAY_READ = "user reader\ntopic read r/#\ntopic read $SYS/#\n";

test(
  "check_retain_source gives out what is retained while its publisher may write",
  PROCESS_TEST,
  () =>
    withTrial({ acl: MAY_BOTH }, async (trial) => {
      const general = "acl_file $DIR/acl";
      const found = async (filter = "r/#"): Promise<string[]> => {
        const reader = await trial.connect(5, { username: "reader" });
        await reader.subscribe([filter]);
        const got = messages(await reader.ping());
        await trial.clear();
        return got;
      };
      await trial.apply({ general });
      const writer = await trial.connect(5, { username: "writer" });
      writer.publish("r/1", "m", { retain: true });
      await writer.ping();
      assertEquals(await found(), ["publish r/1 m"]);
      await trial.midge.write("acl", MAY_READ);
      await trial.apply({ general });
      assertEquals(await found(), []);
      await trial.apply({ general: `${general}\ncheck_retain_source false` });
      assertEquals(await found(), ["publish r/1 m"]);
      await trial.apply({ general });
      assertEquals(await found(), []);
      // What the broker itself has retained has no other publisher.
      await trial.apply({ general: `${general}\nsys_interval 1` });
      const version = `publish $SYS/broker/version midge version ${VERSION}`;
      assertEquals(await found("$SYS/broker/version"), [version]);
    }),
);
