// `relay` as its users run it: a process between Debian's tools and a broker that listens for
// WebSockets, plain and with TLS, to a broker that is away, and to the end by a signal.

import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { connect as connectTls } from "node:tls";
import { test } from "../../harness.ts";
import { certificateFiles, makeCertificates } from "../../support/certificates.ts";
import { skipWithout } from "../../support/foreign.ts";
import { ForeignProcess, linesOf } from "../../support/foreign_process.ts";
import { freePorts, MidgeProcess, PROCESS_TEST } from "../../support/midge_process.ts";
import { withMosquitto } from "../../support/mosquitto_process.ts";
import { runMidge } from "../../support/tool_process.ts";
import { WireClient } from "../../support/wire_client.ts";

const OPTIONS = { skip: skipWithout("mosquitto_pub", "mosquitto_sub"), ...PROCESS_TEST };
const BESIDE = {
  skip: skipWithout("mosquitto", "mosquitto_pub", "mosquitto_sub"),
  ...PROCESS_TEST,
};

const BROKER = `
listener $PORT1 127.0.0.1
protocol websockets
allow_anonymous true
listener $PORT2 127.0.0.1
protocol websockets
certfile $DIR/server.pem
keyfile $DIR/server.key
allow_anonymous true
max_packet_size 10000000
log_type subscribe
log_type notice
log_type information
`;

const SMALL_BROKER = `
listener $PORT1 127.0.0.1
protocol websockets
allow_anonymous true
max_queued_messages 10
`;

/** Listens on its first port, and with TLS on its second. */
const LISTENERS = [
  ...["--listen", "127.0.0.1:$PORT1", "--listen-tls", "127.0.0.1:$PORT2"],
  ...["--cert", "$DIR/server.pem", "--key", "$DIR/server.key"],
];

test(
  "relay carries Debian's tools to a broker, by TCP and TLS over ws and wss",
  OPTIONS,
  async () => {
    const files = certificateFiles(await makeCertificates());
    await MidgeProcess.with({ config: BROKER, files }, async (broker) => {
      const plain = ["relay", "--to", `ws://127.0.0.1:${broker.ports[0]}/mqtt`, ...LISTENERS];
      const secure = ["relay", "--to", `wss://localhost:${broker.ports[1]}/mqtt`, ...LISTENERS];
      secure.push("--cafile", "$DIR/authority.pem");
      await MidgeProcess.with({ files, args: plain }, async (one) => {
        await MidgeProcess.with({ files, args: secure }, async (other) => {
          for (const [to, from] of [[one, other], [other, one]] as const) {
            for (const version of ["mqttv31", "mqttv311", "5"]) {
              await exchange(broker, to, from, version);
            }
          }
          await exchangeLarge(one, other);
          await exchangeLarge(other, one);
          assertEquals(await other.stop(), 0);
          assertEquals([other.lines[0], other.lines.at(-1)], [
            "midge relay version 0.1.0 starting",
            "midge relay version 0.1.0 terminating",
          ]);
        });
      });
    });
  },
);

/** The words of a tool that goes by the first port of a relay, or by the second with TLS. */
function wordsFor(relay: MidgeProcess, isSecure: boolean): string[] {
  const tls = isSecure ? ["--cafile", `${relay.folder}/authority.pem`] : [];
  return ["-h", "localhost", "-p", String(relay.ports[isSecure ? 1 : 0]), ...tls];
}

/** One message of each quality, from one relay's port to the other's with TLS. */
async function exchange(
  broker: MidgeProcess,
  to: MidgeProcess,
  from: MidgeProcess,
  version: string,
): Promise<void> {
  const name = `${version}-${to.port}`;
  const common = ["-V", version, "-t", `a/${name}`];
  const sub = new ForeignProcess("mosquitto_sub", [
    ...[...wordsFor(to, true), ...common, "-i", name],
    ...["-q", "2", "-C", "3", "-F", "%q %p"],
  ]);
  await broker.logged(`${name} 2 a/${name}`);
  for (const qos of ["0", "1", "2"]) {
    const words = [...wordsFor(from, false), ...common, "-q", qos, "-m", `by ${version}`];
    const pub = await new ForeignProcess("mosquitto_pub", words).ended;
    assertEquals([pub.code, pub.stderr], [0, ""]);
  }
  const { code, stdout } = await sub.ended;
  assertEquals([code, linesOf(stdout)], [0, ["0", "1", "2"].map((qos) => `${qos} by ${version}`)]);
}

/** A payload of many frames and many reads, byte for byte. */
async function exchangeLarge(to: MidgeProcess, from: MidgeProcess): Promise<void> {
  const payload = new Uint8Array(randomBytes(5_000_000));
  const words = [...wordsFor(from, true), "-t", "large", "-s", "-q", "1", "-r"];
  const pub = await new ForeignProcess("mosquitto_pub", words, { input: payload }).ended;
  assertEquals([pub.code, pub.stderr], [0, ""]);
  const sub = await new ForeignProcess("mosquitto_sub", [
    ...[...wordsFor(to, false), "-t", "large", "-C", "1", "-N"],
  ]).ended;
  assertEquals([sub.code, sub.stdout.length], [0, payload.length]);
  assertEquals(Buffer.compare(sub.stdout, payload), 0);
}

/** Who the relay says to be to those who come by TLS. */
function serverOf(relay: MidgeProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: "127.0.0.1",
      port: relay.ports[1]!,
      servername: "localhost",
      rejectUnauthorized: false,
    }, () => {
      const { subject, issuer } = socket.getPeerCertificate();
      socket.destroy();
      resolve(`CN=${subject.CN} signed by CN=${issuer.CN}`);
    });
    socket.on("error", reject);
  });
}

/** Fills the way to one who does not read, until the broker notices. */
async function flood(broker: MidgeProcess, relay: MidgeProcess): Promise<void> {
  const slow = await WireClient.connect(relay.port, 5, { clientId: "slow" });
  await slow.subscribe(["flood"]);
  slow.pause();
  const fast = await WireClient.connect(relay.port, 5, { clientId: "fast" });
  const payload = new Uint8Array(60_000);
  const dropping = "Outgoing messages are being dropped for client slow.";
  for (let count = 0; !broker.lines.includes(dropping); count++) {
    for (let i = 0; i < 20; i++) fast.publish("flood", payload);
    assertEquals((await fast.ping()).length, 0);
    if (count > 500) throw new Error("600 MB have gone to one who does not read");
  }
  slow.resume();
  const got = await slow.ping();
  assertEquals(
    got.filter((packet) => packet.type !== "publish" || packet.payload.length !== 60_000),
    [],
  );
  slow.leave();
  fast.leave();
}

test("relay makes the broker wait for a device that does not read", PROCESS_TEST, async () => {
  await MidgeProcess.with(
    { config: SMALL_BROKER },
    async (broker) => {
      const args = [
        "relay",
        "--to",
        `ws://127.0.0.1:${broker.port}`,
        "--listen",
        "127.0.0.1:$PORT1",
      ];
      await MidgeProcess.with({ args }, (relay) => flood(broker, relay));
    },
  );
});

test(
  "relay refuses devices while the broker is away, and reads its certificate again",
  OPTIONS,
  async () => {
    const certificates = await makeCertificates();
    const files = certificateFiles(certificates);
    const args = ["relay", "--to", "ws://127.0.0.1:$PORT3/mqtt", ...LISTENERS];
    await MidgeProcess.with({ files, args }, async (relay) => {
      const pub = async (...words: string[]) => {
        const { code, stderr } = await new ForeignProcess("mosquitto_pub", [
          ...["-t", "a", "-m", "x", ...words],
        ]).ended;
        return [code, stderr.split("\n")[0]];
      };
      const refused = "Connection error: Connection Refused: broker unavailable.";
      assertEquals([
        await pub(...wordsFor(relay, false)),
        await pub(...wordsFor(relay, true)),
        await pub(...wordsFor(relay, true), "-V", "5"),
      ], [[3, refused], [3, refused], [136, "Connection error: Server unavailable"]]);
      await relay.logged(
        /^Client 127\.0\.0\.1:\d+ disconnected: Cannot connect to "127\.0\.0\.1:\d+": Connection refused\.$/,
        3,
      );
      assertEquals(await serverOf(relay), "CN=localhost signed by CN=Midge Test Intermediate");
      await relay.write("server.pem", certificates.otherServer.certificate);
      relay.signal("SIGHUP");
      await relay.logged(`Error found in the listener on port ${relay.ports[1]}.`);
      assertEquals(await serverOf(relay), "CN=localhost signed by CN=Midge Test Intermediate");
      await relay.write("server.key", certificates.otherServer.key);
      relay.signal("SIGHUP");
      await relay.logged("The certificates have been reloaded.");
      assertEquals(await serverOf(relay), "CN=localhost signed by CN=Other Root");
      assertEquals(await relay.stop(), 0);
    });
  },
);

test(
  "relay carries every version to Mosquitto, by the name that it has there",
  BESIDE,
  async () => {
    const [plain] = await freePorts(1);
    // Without a listener of the other kind it does not start, and it listens on every address.
    const config = `allow_anonymous true\nlistener ${plain} 127.0.0.1\nlistener $PORT1\n` +
      "protocol websockets\n";
    await withMosquitto({ config }, async (port) => {
      const args = ["relay", "--to", `ws://127.0.0.1:${port}/mqtt`, "--listen", "127.0.0.1:$PORT1"];
      await MidgeProcess.with({ args }, async (relay) => {
        for (const version of ["mqttv31", "mqttv311", "5"]) {
          const common = [...wordsFor(relay, false), "-V", version, "-t", `a/${version}`];
          const words = [...common, "-q", "2", "-r", "-m", `by ${version}`];
          const pub = await new ForeignProcess("mosquitto_pub", words).ended;
          assertEquals([pub.code, pub.stderr], [0, ""]);
          const sub = await new ForeignProcess("mosquitto_sub", [...common, "-C", "1"]).ended;
          assertEquals([sub.code, linesOf(sub.stdout)], [0, [`by ${version}`]]);
        }
      });
    });
  },
);

test(
  "relay tells in one line what it does not understand, with status 3",
  PROCESS_TEST,
  async () => {
    assertEquals(await runMidge(["relay", "--to", "mqtt://b"]), {
      status: 3,
      stdout: "",
      stderr: "Error: The URL of the broker must begin with ws:// or wss:// (mqtt://b).\n\n" +
        "Use 'midge relay --help' to see usage.\n",
    });
  },
);
