// The example of a Worker as it is: both of its configurations serve in workerd with the Worker as
// it is built, and let in whom the password file that its page makes knows.

import { assertEquals } from "@std/assert";
import mqtt, { type IClientOptions } from "mqtt";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { test } from "../harness.ts";
import { JsClient } from "../interop/js_client.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { until } from "../support/wait.ts";
import { WorkerdProcess } from "../support/workerd_process.ts";

const FOLDER = fileURLToPath(new URL("../../examples/workers/", import.meta.url));
const LOGIN = { username: "editor", password: "SECRET" };

/** The files of the example, where the configurations find the Worker as they do in a checkout. */
async function serving(
  config: string,
  passwords: string,
  body: (workerd: WorkerdProcess) => Promise<void>,
): Promise<void> {
  const texts: [string, string][] = [];
  for (const name of [config, "acl"]) {
    texts.push([`examples/workers/${name}`, await readFile(FOLDER + name, "utf8")]);
  }
  const files = { ...Object.fromEntries(texts), "examples/workers/passwd": passwords };
  await WorkerdProcess.with({ files, folders: ["examples/workers/data"] }, body);
}

/** Runs the page's own command, with a folder of the test's. */
async function passwordsByCommand(): Promise<string> {
  const page = await readFile(`${FOLDER}README.md`, "utf8");
  const words = /^ {4}midge (passwd .*)$/m.exec(page)![1]!.split(/ +/);
  const midge = await MidgeProcess.launch({
    args: words.map((word) => word === "examples/workers/passwd" ? "$DIR/passwd" : word),
  });
  try {
    assertEquals(await midge.within(30_000), 0, midge.stderr);
    return await readFile(`${midge.folder}/passwd`, "utf8");
  } finally {
    await midge.discard();
  }
}

async function connect(url: string, options: IClientOptions): Promise<JsClient> {
  const client = new JsClient(mqtt.connect(url, { reconnectPeriod: 0, ...options }));
  await until(
    () => client.connack !== undefined || client.errors.length > 0 || client.isClosed,
    "the client is answered",
  );
  return client;
}

test("examples/workers has no file that no test reads", async () => {
  const names = (await readdir(FOLDER)).filter((name) =>
    !["data", "passwd", ".wrangler"].includes(name)
  );
  assertEquals(names.sort(), [".gitignore", "README.md", "acl", "config.capnp", "wrangler.jsonc"]);
});

test(
  "examples/workers/config.capnp serves WebSocket and TCP to those with a password",
  PROCESS_TEST,
  async () => {
    await serving("config.capnp", await passwordsByCommand(), async (workerd) => {
      const stranger = await connect(workerd.url(), { username: "editor", password: "wrong" });
      const reader = await connect(`mqtt://127.0.0.1:${workerd.port("tcp")}`, LOGIN);
      await reader.client.subscribeAsync(["news/#", "home/#"], { qos: 1 });
      const writer = await connect(workerd.url(), { ...LOGIN, protocolVersion: 5 });
      for (const topic of ["news/today", "home/somebody/else", "home/editor/desk"]) {
        await writer.client.publishAsync(topic, topic, { qos: 1 }).catch(() => {});
      }
      await reader.receives(2);
      assertEquals({
        stranger: (stranger.errors[0] as { code?: number }).code,
        read: reader.texts,
      }, { stranger: 5, read: ["news/today", "home/editor/desk"] });
      for (const { client } of [stranger, reader, writer]) client.end(true);
    });
  },
);

test(
  "examples/workers/wrangler.jsonc serves, and lets nobody in without the secret",
  PROCESS_TEST,
  async () => {
    await serving("wrangler.jsonc", "", async (workerd) => {
      const answer = await fetch(`http://127.0.0.1:${workerd.port()}/mqtt`);
      const nobody = await connect(workerd.url(), {});

      const editor = await connect(workerd.url(), { ...LOGIN, protocolVersion: 5 });
      assertEquals(
        [
          answer.status,
          ...[nobody, editor].map(({ errors }) => (errors[0] as { code?: number }).code),
        ],
        [426, 5, 135],
      );
      await answer.body?.cancel();
      for (const { client } of [nobody, editor]) client.end(true);
    });
  },
);
