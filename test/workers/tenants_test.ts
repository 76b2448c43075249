// Who shares an object, in workerd: tenants by path, by host and by user name each have a broker of
// their own, asleep or awake, and the Worker tells in plain words what it does not serve.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { PROCESS_TEST } from "../support/midge_process.ts";
import { upgradeRequest } from "../support/websocket_peer.ts";
import { openWebSocket } from "../support/websocket_stream.ts";
import { WireClient } from "../support/wire_client.ts";
import { WorkerdProcess } from "../support/workerd_process.ts";

/** How a client comes: the path and host that it asks for, and its user name. */
interface Way {
  readonly path?: string;
  readonly host?: string;
  readonly username?: string;
}

/** Two tenants, and a third client that belongs to the first. */
const WAYS: Readonly<Record<string, readonly [Way, Way, Way]>> = {
  path: [{ path: "/a" }, { path: "/b" }, { path: "/a", host: "other.example" }],
  host: [{ host: "a.example" }, { host: "b.example" }, { host: "a.example", path: "/other" }],
  username: [{ username: "a" }, { username: "b" }, { username: "a", host: "other.example" }],
};

async function enter(
  workerd: WorkerdProcess,
  { path = "/mqtt", host = "localhost", username }: Way,
  clientId: string,
): Promise<WireClient> {
  const request = upgradeRequest({ Host: host }).replace("/mqtt", path);
  const client = new WireClient(await openWebSocket(workerd.port(), request), 5);
  const login = username === undefined ? {} : { username };
  const { reasonCode } = await client.handshake({ clientId, ...login });
  assertEquals(reasonCode, 0);
  return client;
}

for (const [tenants, [first, second, third]] of Object.entries(WAYS)) {
  test(`The Worker parts tenants by ${tenants}`, PROCESS_TEST, async () => {
    const bindings = { MIDGE_ALLOW_ANONYMOUS: "true", MIDGE_TENANTS: tenants };
    await WorkerdProcess.with({ bindings, isForgetful: true }, async (workerd) => {
      // One name at two brokers is two clients.
      const one = await enter(workerd, first, "same");
      const two = await enter(workerd, second, "same");
      const writer = await enter(workerd, third, "writer");
      for (const client of [one, two]) assertEquals(await client.subscribe(["#"], 1), [1]);
      for (const text of ["awake", "asleep"]) {
        if (text === "asleep") await workerd.evict();
        writer.publish("t", text);
        await writer.ping();
        const seen = [...await one.ping(), ...await two.ping()];
        assertEquals(
          seen.map((packet) =>
            packet.type === "publish" ? new TextDecoder().decode(packet.payload) : packet.type
          ),
          [text],
        );
      }
      for (const client of [one, two, writer]) client.destroy();
    });
  });
}

test(
  "The Worker says what it serves to whoever asks for something else",
  PROCESS_TEST,
  async () => {
    const options = { bindings: { MIDGE_ALLOW_ANONYMOUS: "true" }, isForgetful: true };
    await WorkerdProcess.with(options, async (workerd) => {
      const url = workerd.url().replace("ws:", "http:");
      const response = await fetch(url);
      assertEquals(
        [response.status, await response.text()],
        [426, "Here is an MQTT broker: connect with a WebSocket, subprotocol mqtt\n"],
      );
    });
  },
);

test("The Worker serves nobody while a binding is at fault", PROCESS_TEST, async () => {
  const bindings = { MIDGE_ALLOW_ANONYMOUS: "true", MIDGE_PASWORD_FILE: "ada:$7$…" };
  await WorkerdProcess.with({ bindings, isForgetful: true }, async (workerd) => {
    const response = await fetch(workerd.url().replace("ws:", "http:"));
    await response.body?.cancel();
    await workerd.logged(/Unknown configuration variable 'MIDGE_PASWORD_FILE'/);
    assertEquals(response.status, 503);
  });
});
