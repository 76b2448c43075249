// `pub` beside Debian's mosquitto_pub 2.0.11: the same command lines, the same broker played by the
// test, and then what both said, how they ended and every packet that they sent. What differs is
// listed with the reason; an entry that is not needed any more fails.

import { assertEquals, assertNotEquals } from "@std/assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Packet } from "../../../src/core/codec/packet.ts";
import type { Properties } from "../../../src/core/codec/property.ts";
import { test } from "../../harness.ts";
import { openMidge, openMosquitto } from "../../interop/site.ts";
import { ClientTool } from "../../support/client_tool.ts";
import { skipWithout } from "../../support/foreign.ts";
import { PROCESS_TEST } from "../../support/midge_process.ts";
import { ack, connack } from "../../support/packets.ts";
import { type Play, PortBroker } from "../../support/port_broker.ts";
import { runPub } from "../../support/pub_inside.ts";
import { inFolder, type Outcome } from "../../support/tool_process.ts";
import { WireClient } from "../../support/wire_client.ts";

const OPTIONS = { skip: skipWithout("mosquitto", "mosquitto_pub"), ...PROCESS_TEST };

/** What a tool said and sent. */
interface Doing extends Outcome {
  readonly sent: readonly unknown[];
}

interface Case {
  readonly words: string;
  readonly input?: string;
  readonly play?: Play;
}

/** Accepts with these properties, and acknowledges with this reason code. */
function taking(properties: Properties = {}, reasonCode = 0): Play {
  return (packet, connection) => {
    switch (packet.type) {
      case "connect":
        return connection.send(connack(0, properties));
      case "publish":
        if (packet.qos === 0) return;
        return connection.send(ack(
          packet.qos === 1 ? "puback" : "pubrec",
          packet.packetId,
          connection.version === 5 ? reasonCode : 0,
        ));
      case "pubrel":
        return connection.send(ack("pubcomp", packet.packetId));
      case "disconnect":
        connection.socket.end();
    }
  };
}

const refusing = (reasonCode: number): Play => (packet, connection) => {
  if (packet.type === "connect") connection.send(connack(reasonCode));
};

/** Ends the connection at the first message. */
const droppingOut: Play = (packet, connection) => {
  if (packet.type === "publish") connection.socket.destroy();
  else taking()(packet, connection);
};

const VERSIONS = ["31", "311", "5"];

const CASES: readonly Case[] = [
  ...VERSIONS.flatMap((version) =>
    ["0", "1", "2"].flatMap((qos) => [
      { words: `-m hello -q ${qos} -d -i me -V ${version}` },
      { words: `-n -r -q ${qos} -d -i me -V mqttv${version}` },
      { words: `-l -q ${qos} -d -i me -V ${version}`, input: "one\n\ntwo\r\nlast" },
      { words: `-s -q ${qos} -i me -V ${version}`, input: "one\ntwo\n" },
      { words: `-f $DIR/bytes -q ${qos} -i me -V ${version}` },
      { words: `-m again -q ${qos} --repeat 3 -i me -V ${version}` },
      { words: `-l -q ${qos} -i me -V ${version}`, input: "" },
    ])
  ),
  { words: "-m x -i me -k 5 -u user -P pass" },
  { words: "-m x -i me -u user" },
  { words: "-m x -c -i me -q 1" },
  { words: "-m x -c -i me -q 1 -V 5" },
  { words: "-m x -i me -x 100" },
  { words: "-m x -i me -c -x 0x20" },
  { words: "-m x -i me -t other -t last" },
  { words: "-m x --host 127.0.0.1 --id me --qos 1 --retain --keepalive 7 --username a --pw b" },
  { words: "-m x -i me --will-topic w" },
  { words: "-m x -i me --will-topic w --will-payload gone --will-qos 2 --will-retain" },
  { words: "-m x -i me --will-topic w -D will will-delay-interval 5 -D will content-type t" },
  { words: "-m x -i me -D connect user-property a b -D connect topic-alias-maximum 5" },
  { words: "-m x -i me -D publish content-type text -D publish user-property a b" },
  { words: "-m x -i me -D publish correlation-data data -D publish response-topic r" },
  {
    words: "-m x -i me -D publish message-expiry-interval 9 -D PUBLISH Payload-format-indicator 1",
  },
  { words: "-m x -i me -D disconnect session-expiry-interval 0 -D disconnect user-property a b" },
  {
    words: "-m x -i me -d --repeat 3 -D publish topic-alias 3",
    play: taking({ topicAliasMaximum: 9 }),
  },
  { words: "-m x -V 5 -d", play: taking({ assignedClientId: "given" }) },
  { words: "-m x -i me -q 1 -V 5 -d", play: taking({}, 16) },
  { words: "-m x -i me -q 1 -V 5", play: taking({}, 135) },
  { words: "-m x -i me -q 2 -V 5 -d", play: taking({}, 151) },
  { words: "-m x -i me -q 1 -V 5 --quiet", play: taking({}, 135) },
  ...[132, 133, 136, 134, 135].flatMap((reasonCode) => [
    { words: "-m x -i me -d", play: refusing(reasonCode) },
    { words: "-m x -i me -V 5", play: refusing(reasonCode) },
    { words: "-l -i me --quiet", play: refusing(reasonCode) },
  ]),
  { words: "-m x -i me -V 5 -d", play: refusing(138) },
  { words: "-m x -i me -q 1", play: droppingOut },
  { words: "-m x -i me -q 1 -V 5 --quiet", play: droppingOut },
  { words: "-m x -i me -q 2 -V 5", play: taking({ maximumQos: 1 }) },
  { words: "-m x -i me -r -V 5", play: taking({ retainAvailable: false }) },
  { words: "-m 1234567890123456789 -i me -q 1 -V 5", play: taking({ maximumPacketSize: 20 }) },
  { words: "-m x -i me -V 5 -D publish topic-alias 3" },
  ...[
    ...["-q 3", "-p 70000", "-k 1", "-M 0", "-V 6", "-x z", "-x -2", "-i a -I b", "-m y", "-c"],
    ...["-t a/+", "--nonsense", "-q", "--will-payload x", "--will-retain", "--will-topic #"],
    ...["--will-qos 3 --will-topic w", "--repeat 0", "--repeat-delay -1", "-D connect x y"],
    ...["-D x content-type y", "-D connect content-type y", "-D puback reason-string y"],
    ...["-D connect receive-maximum 70000", "-D connect receive-maximum 0", "-D publish"],
    ...["-D publish content-type a -D publish content-type b", "--proxy http://x"],
    ...["--proxy socks5h://", "-L http://x/y", "-L mqtt://x", "--cert x", "--keyform pem"],
    ...["--psk 00", "--psk 00 --psk-identity x --cafile y", "--cafile $DIR/gone", "-P x"],
    ...["--cafile $DIR/gone --quiet", "-c -V 5", "--tls-version x", "--tls-engine x"],
    ...["--psk x --psk-identity y", "--tls-engine-kpass-sha1 x", "-h nowhere.invalid", "-p 1"],
    ...["-h nowhere.invalid --quiet", "--unix $DIR/gone"],
  ].map((words) => ({ words: `-m x ${words}` })),
  { words: "-f $DIR/gone" },
  { words: "-f $DIR/gone --quiet" },
  { words: "-s" },
];

/** What 2.0.11 says or sends otherwise on this command line, and why we do not. */
interface Difference {
  readonly theirs: Partial<Doing>;
  readonly because: string;
}

const SAYS_MORE: Difference["because"] = "one line says it";
const FAILED_SILENTLY = "a message that was not published is no success";

const MESSAGE = {
  type: "publish",
  topic: "to/pic",
  payload: new TextEncoder().encode("x"),
  qos: 0,
  retain: false,
  dup: false,
  packetId: 0,
  properties: {},
};
const CONNECT_5 = {
  type: "connect",
  protocolVersion: 5,
  isBridge: false,
  clientId: "me",
  cleanStart: true,
  keepAlive: 60,
  properties: {},
};
const CONNECT_4 = { ...CONNECT_5, protocolVersion: 4 };
const GOOD_BYE = { type: "disconnect", reasonCode: 0, properties: {} };

const DIFFERENCES: Readonly<Record<string, Difference>> = {
  "-m x -i me -q 2 -V 5": { theirs: { status: 0 }, because: FAILED_SILENTLY },
  "-m 1234567890123456789 -i me -q 1 -V 5": {
    theirs: { status: 0, stderr: "" },
    because: FAILED_SILENTLY,
  },
  "-m x -i me -r -V 5": {
    theirs: {
      status: 0,
      stderr: "",
      sent: [CONNECT_5, MESSAGE, GOOD_BYE],
    },
    because: "the broker has said that it retains nothing: what is sent without the flag is not " +
      "what was asked for",
  },
  "-m x -i me -V 5 -D publish topic-alias 3": {
    theirs: {
      status: 0,
      stderr: "",
      sent: [CONNECT_5, { ...MESSAGE, properties: { topicAlias: 3 } }, GOOD_BYE],
    },
    because: "the broker has said that it takes no alias, and drops whoever sends one",
  },
  "-m x -i me -x 100": {
    theirs: { sent: [CONNECT_4, MESSAGE, GOOD_BYE] },
    because: "since 2.1 -x switches to version 5, which alone has it",
  },
  "-m x -i me -c -x 0x20": {
    theirs: { sent: [{ ...CONNECT_4, cleanStart: false }, MESSAGE, GOOD_BYE] },
    because: "since 2.1 -x switches to version 5, which alone has it",
  },
  "-m x --tls-version x": {
    theirs: {
      stderr: "Error: Problem setting TLS options, check the options are valid.\n",
    },
    because: "without an option that enables TLS the others would be without effect",
  },
  "-f $DIR/gone": {
    theirs: {
      stderr: 'Error: Unable to open file "$DIR/gone".\nError loading input file "$DIR/gone".\n',
    },
    because: SAYS_MORE,
  },
  "-s": {
    theirs: { stderr: "Error: Zero length input.\nError loading input from stdin.\n" },
    because: SAYS_MORE,
  },
};

/** How the words of 2.0.11 become those of 2.1, or ours; each is needed somewhere. */
const REWORDINGS: readonly (readonly [from: RegExp, to: string, because: string])[] = [
  [/\n\n\n(?=Use )/, "\n\n", "some complaints stand one more empty line apart from the hint"],
  [/(?<=^Error: The connection was (?:refused|lost))\.$/m, "", "2.1 has no full stop there"],
  [/(?<=communicating with the broker)\.$/m, "", "2.1 has no full stop there"],
  [/(?<=Connection Refused: [a-z ]+)\.$/m, "", "2.1 has no full stop there"],
  [/(?<=Lookup error)\.(?=\)\.)/, "", "2.1 has no full stop there"],
  [
    /(?<=Unsupported Protocol Version\. ).*$/m,
    "Try another version, for example with -V mqttv311.",
    "the advice names the option",
  ],
  [/(?<=Invalid command)(?= given)/, " x", "2.1 says which"],
  [/(?<=Invalid property name)(?= given)/, " x", "2.1 says which"],
  [/unsupported URL scheme/, "Unsupported URL scheme", "2.1 begins as a sentence does"],
];

/** The packets as far as the command line decides them. */
function sentBy(heard: readonly Packet[]): unknown[] {
  return heard.map((packet) => {
    if (packet.type !== "connect") return packet;
    const { receiveMaximum, ...properties } = packet.properties;
    // 2.0.11 always says that it takes twenty messages at a time; we take what comes.
    const isUsual = receiveMaximum === 20;
    return isUsual ? { ...packet, properties } : packet;
  });
}

function sorted({ status, stdout, stderr, sent }: Doing): Doing {
  const lines = stdout.split("\n").sort().join("\n");
  const texts = sent.map((packet) => JSON.stringify(packet)).sort();
  return { status, stdout: lines, stderr, sent: texts };
}

async function doingOf(
  { words, input = "", play = taking() }: Case,
  folder: string,
  maker: "midge" | "debian",
): Promise<Doing> {
  let doing: Doing | undefined;
  await PortBroker.with(play, async ({ port, heard }) => {
    const all = ["-h", "127.0.0.1", "-p", `${port}`, "-t", "to/pic"];
    all.push(...words.replaceAll("$DIR", folder).split(" "));
    const outcome = maker === "midge"
      ? await runPub(all, { input: [input], name: "mosquitto_pub" })
      : await new ClientTool("debian", "mosquitto_pub", all, input).ended;
    const { status, stdout, stderr } = outcome;
    const hide = (text: string): string => text.replaceAll(folder, "$DIR");
    doing = { status, stdout, stderr: hide(stderr), sent: sentBy(heard) };
    // Several messages at a time are acknowledged as it happens.
    if (words.startsWith("-l")) doing = sorted(doing);
  });
  return doing!;
}

test("pub does what mosquitto_pub does, on a hundred and more command lines", OPTIONS, async () => {
  await inFolder(async (folder) => {
    await writeFile(join(folder, "bytes"), Uint8Array.from({ length: 1000 }, (_, i) => i % 256));
    const used = new Set<string>();
    for (const each of CASES) {
      const ours = await doingOf(each, folder, "midge");
      const theirs = await doingOf(each, folder, "debian");
      let { stderr } = theirs;
      for (const [from, to] of REWORDINGS) {
        if (from.test(stderr)) used.add(from.source);
        stderr = stderr.replace(from, to);
      }
      const difference = DIFFERENCES[each.words];
      if (difference === undefined) {
        assertEquals(ours, { ...theirs, stderr }, each.words);
        continue;
      }
      assertNotEquals(ours, { ...theirs, stderr }, `${each.words}: ${difference.because}`);
      assertEquals({ ...theirs, stderr }, { ...ours, ...difference.theirs }, each.words);
    }
    assertEquals(REWORDINGS.filter(([from]) => !used.has(from.source)), []);
  });
});

test(
  "pub and mosquitto_pub publish the same at our broker and at Mosquitto's",
  OPTIONS,
  async () => {
    for (const site of [await openMidge(), await openMosquitto()]) {
      try {
        const peer = await WireClient.connect(site.port, 5, { clientId: "peer" });
        await peer.subscribe(["#"], 1);
        const to = ["-h", "127.0.0.1", "-p", `${site.port}`];
        for (
          const [words, input, count] of [
            ["-t a/b -m hello -q 1 -r -V 31", "", 1],
            ["-t a -l -q 2 -M 3", "one\n\ntwo\nthree\nfour\nfive\nlast", 7],
            ["-t a -s -V 5 -D publish content-type text -D publish user-property k v", "x\ny", 1],
            ["-t a -m x --repeat 3 -q 1 -V 5 -D publish response-topic r", "", 3],
            ["-L mqtt://127.0.0.1:$PORT/u/r/l -n", "", 1],
          ] as const
        ) {
          const args = [...to, ...words.replace("$PORT", `${site.port}`).split(" ")];
          const arrived: unknown[][] = [];
          for (const maker of ["midge", "debian"] as const) {
            assertEquals(await new ClientTool(maker, "mosquitto_pub", args, input).ended, {
              status: 0,
              stdout: "",
              stderr: "",
            });
            const packets: unknown[] = [];
            while (packets.length < count) {
              const packet = await peer.next("a message");
              if (packet.type !== "publish") continue;
              if (packet.qos > 0) peer.sendPacket(ack("puback", packet.packetId));
              packets.push({ ...packet, packetId: 0 });
            }
            arrived.push(packets);
          }
          assertEquals(arrived[0], arrived[1], `${site.name}: ${words}`);
        }
        peer.destroy();
      } finally {
        await site.close();
      }
    }
  },
);
