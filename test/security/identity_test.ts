// Sessions and names where TLS says who a client is: a certificate cannot be overruled by what the
// client says, and whoever only says a name does not get what belongs to who has proven it.

import { assertEquals, assertRejects } from "@std/assert";
import { connect as connectTls } from "node:tls";
import { test } from "../harness.ts";
import { Authority, type Certificate } from "../support/certificates.ts";
import { credentials, login } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { passwordFile } from "../support/password_lines.ts";
import { VERSIONS } from "../support/raw_packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { describe, WireClient } from "../support/wire_client.ts";

const LASTING = { cleanStart: false, properties: { sessionExpiryInterval: 60 } } as const;

function openTls(
  port: number,
  authority: Authority,
  client: Certificate | undefined,
  version: ProtocolVersion,
): Promise<WireClient> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: "localhost",
      port,
      ca: authority.certificate,
      ...client === undefined ? {} : { cert: client.certificate, key: client.key },
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      socket.off("error", reject);
      resolve(new WireClient(socket, version));
    });
  });
}

test("B-45 Who has proven a name and who says it are two", PROCESS_TEST, async () => {
  const authority = await Authority.create("CN=Midge Test Root");
  const other = await Authority.create("CN=Other Root");
  const server = await authority.issue("CN=localhost");
  const alice = await authority.issue("CN=alice");
  const impostor = await other.issue("CN=alice");
  await MidgeProcess.with({
    config: [
      "password_file $DIR/passwd",
      "acl_file $DIR/acl",
      "log_type all",
      "listener $PORT1 127.0.0.1",
      "listener $PORT2 127.0.0.1",
      "certfile $DIR/server.pem",
      "keyfile $DIR/server.key",
      "cafile $DIR/ca.pem",
      "require_certificate true",
      "use_identity_as_username true",
      "",
    ].join("\n"),
    files: {
      passwd: passwordFile({ alice: "by password", root: "r" }),
      acl: "user alice\ntopic bill\nuser root\ntopic #\n",
      "server.pem": server.certificate,
      "server.key": server.key,
      "ca.pem": authority.certificate,
    },
  }, async (midge) => {
    const [plain, secure] = midge.ports;
    const root = await WireClient.connect(plain!, 5, {
      ...credentials({ username: "root", password: "r" }),
    });
    const publish = async (): Promise<void> => {
      root.publish("bill", "x", { qos: 1 });
      await root.ping();
    };
    const says = { ...LASTING, ...credentials({ username: "alice", password: "by password" }) };
    for (const version of VERSIONS) {
      const clientId = `meter ${version}`;
      // What it says of itself beside its certificate is nothing to anybody.
      const lies = { ...LASTING, ...credentials({ username: "root", password: "x" }), clientId };
      const proven = await openTls(secure!, authority, alice, version);
      assertEquals((await proven.handshake(lies)).reasonCode, 0);
      await midge.logged(new RegExp(` as ${clientId} \\(p${version}, c0, k0, u'alice'\\)\\.$`));
      await proven.subscribe(["bill", "other"], 1);
      proven.leave();
      await proven.untilClosed();
      await publish();
      const said = await WireClient.connect(plain!, version, { ...says, clientId });
      await publish();
      assertEquals((await said.ping()).map(describe), []);
      await said.subscribe(["bill"], 1);
      said.leave();
      await said.untilClosed();
      await publish();
      const again = await openTls(secure!, authority, alice, version);
      assertEquals((await again.handshake({ ...LASTING, clientId })).reasonCode, 0);
      await publish();
      assertEquals((await again.ping()).map(describe), []);
      // And who comes again with the same proof has what waits for him.
      await again.subscribe(["bill"], 1);
      again.leave();
      await again.untilClosed();
      await publish();
      const third = await openTls(secure!, authority, alice, version);
      assertEquals((await third.handshake({ ...LASTING, clientId })).reasonCode, 0);
      assertEquals((await third.ping()).map(describe), ["publish bill x"]);
      third.leave();
    }
    for (const certificate of [undefined, impostor]) {
      await assertRejects(async () => {
        const nobody = await openTls(secure!, authority, certificate, 5);
        await nobody.handshake({ ...credentials({ username: "alice", password: "by password" }) });
      });
    }
    assertEquals(await login(plain!, 5, { username: "alice", password: "" }), 0x87);
  });
});
