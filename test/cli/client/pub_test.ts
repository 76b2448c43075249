// `pub`: what it sends for each source of messages, how it goes on when the connection is lost, and
// how it ends. The broker is the test's own, so that it can do what no broker should.

import { assertEquals } from "@std/assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Packet, PublishPacket } from "../../../src/core/codec/packet.ts";
import type { Properties } from "../../../src/core/codec/property.ts";
import type { ReasonCode } from "../../../src/core/codec/reason_code.ts";
import { test } from "../../harness.ts";
import { type Play, PortBroker } from "../../support/port_broker.ts";
import { type PubOptions, runPub } from "../../support/pub_inside.ts";
import { inFolder, type Outcome } from "../../support/tool_process.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

const SUCCESS = 0 as ReasonCode;

/** Accepts and acknowledges as a broker should. */
function polite(properties: Properties = {}): Play {
  return (packet, connection) => {
    switch (packet.type) {
      case "connect":
        return connection.send(
          { type: "connack", sessionPresent: false, reasonCode: SUCCESS, properties },
        );
      case "publish":
        if (packet.qos === 0) return;
        return connection.send({
          type: packet.qos === 1 ? "puback" : "pubrec",
          packetId: packet.packetId,
          reasonCode: SUCCESS,
          properties: {},
        });
      case "pubrel": {
        const { packetId } = packet;
        return connection.send({ type: "pubcomp", packetId, reasonCode: SUCCESS, properties: {} });
      }
      case "disconnect":
        connection.socket.end();
    }
  };
}

interface Heard extends Outcome {
  readonly heard: readonly Packet[];
  readonly published: readonly PublishPacket[];
}

/** Publishes to a broker that the test plays. */
async function publishTo(
  play: Play,
  args: readonly string[],
  options: PubOptions = {},
): Promise<Heard> {
  let result: Heard | undefined;
  await PortBroker.with(play, async (broker) => {
    const outcome = await runPub(["-h", "127.0.0.1", "-p", `${broker.port}`, ...args], options);
    const { heard } = broker;
    const published = heard.filter((packet) => packet.type === "publish");
    result = { ...outcome, heard, published };
  });
  return result!;
}

const SILENT = { status: 0, stdout: "", stderr: "" };

function outcome({ status, stdout, stderr }: Outcome): Outcome {
  return { status, stdout, stderr };
}

function texts(packets: readonly PublishPacket[]): string[] {
  return packets.map(({ payload }) => decoder.decode(payload));
}

test("pub connects, publishes, says good-bye and ends with 0", async () => {
  const args = ["-t", "a/é", "-m", "hello", "-q", "1", "-r", "-i", "me", "-V", "5"];
  const more = ["-D", "publish", "content-type", "text", "-D", "disconnect", "user-property"];
  const result = await publishTo(polite(), [...args, ...more, "k", "v", "-u", "u", "-P", "p"]);
  assertEquals(outcome(result), SILENT);
  assertEquals(result.heard, [
    {
      type: "connect",
      protocolVersion: 5,
      isBridge: false,
      clientId: "me",
      cleanStart: true,
      keepAlive: 60,
      username: "u",
      password: encoder.encode("p"),
      properties: {},
    },
    {
      type: "publish",
      topic: "a/é",
      payload: encoder.encode("hello"),
      qos: 1,
      retain: true,
      dup: false,
      packetId: 1,
      properties: { contentType: "text" },
    },
    { type: "disconnect", reasonCode: SUCCESS, properties: { userProperties: [["k", "v"]] } },
  ]);
});

test("pub speaks every version at every quality of service", async () => {
  for (const [version, level] of [["31", 3], ["311", 4], ["5", 5]] as const) {
    for (const qos of [0, 1, 2] as const) {
      const { heard, ...result } = await publishTo(polite(), [
        ...["-t", "t", "-m", "m", "-V", version, "-q", `${qos}`],
      ]);
      assertEquals(outcome(result), SILENT);
      const types = ["connect", "publish", ...qos === 2 ? ["pubrel"] : [], "disconnect"];
      assertEquals(heard.map(({ type }) => type), types);
      const [connect] = heard;
      assertEquals(connect?.type === "connect" && connect.protocolVersion, level);
    }
  }
});

test("pub sends the payload of each source as it is", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "payload");
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 256);
    await writeFile(path, bytes);
    await writeFile(join(folder, "empty"), "");
    const sent = async (words: readonly string[], input: string[] = []): Promise<Uint8Array[]> => {
      const result = await publishTo(polite(), ["-t", "t", ...words], { input });
      assertEquals(outcome(result), SILENT);
      return result.published.map(({ payload }) => payload);
    };
    const nothing = new Uint8Array(0);
    assertEquals(await sent(["-f", path]), [bytes]);
    assertEquals(await sent(["-f", join(folder, "empty")]), [nothing]);
    assertEquals(await sent(["-n"]), [nothing]);
    assertEquals(await sent(["-m", ""]), [nothing]);
    assertEquals(await sent(["-m", "\udcff\udc80é"]), [Uint8Array.of(0xff, 0x80, 0xc3, 0xa9)]);
    const long = "x".repeat(300_000);
    assertEquals(await sent(["-s"], ["a\n", "b", long]), [encoder.encode(`a\nb${long}`)]);
  });
});

test("pub -l sends each line, at each quality of service, and nothing for no line", async () => {
  const input = ["one\n\ntw", "o\r\nlast"];
  for (const qos of ["0", "1", "2"]) {
    for (const version of ["31", "311", "5"]) {
      const args = ["-t", "t", "-l", "-q", qos, "-V", version];
      const result = await publishTo(polite(), args, { input });
      assertEquals(outcome(result), SILENT);
      assertEquals(texts(result.published), ["one", "", "two\r", "last"]);
      assertEquals((await publishTo(polite(), args)).heard.map(({ type }) => type), [
        "connect",
        "disconnect",
      ]);
    }
  }
});

test("pub -l keeps every line and their order, however many there are", async () => {
  const lines = Array.from({ length: 60_000 }, (_, index) => `line ${index}`);
  for (const qos of ["0", "1"]) {
    const count = qos === "0" ? lines.length : 3000;
    const input = [`${lines.slice(0, count).join("\n")}\n`];
    const result = await publishTo(polite({ receiveMaximum: 7 }), [
      ...["-t", "t", "-l", "-q", qos, "-V", "5", "-M", "5"],
    ], { input });
    assertEquals(outcome(result), SILENT);
    assertEquals(texts(result.published).join() === lines.slice(0, count).join(), true);
  }
});

test("pub -l has no more in flight than -M and the broker allow", async () => {
  for (const [option, receiveMaximum, expected] of [["3", 10, 3], ["20", 2, 2]] as const) {
    let most = 0;
    const waiting: number[] = [];
    const play: Play = (packet, connection) => {
      if (packet.type !== "publish") return polite({ receiveMaximum })(packet, connection);
      waiting.push(packet.packetId);
      most = Math.max(most, waiting.length);
      // Nobody hurries, so whoever sends too much has the time to do so.
      setTimeout(() => {
        for (const packetId of waiting.splice(0)) {
          connection.send({ type: "puback", packetId, reasonCode: SUCCESS, properties: {} });
        }
      }, 5);
    };
    const input = ["x\n".repeat(20)];
    const result = await publishTo(play, ["-t", "t", "-l", "-q", "1", "-V", "5", "-M", option], {
      input,
    });
    assertEquals([outcome(result), most], [SILENT, expected]);
  }
});

test("pub --repeat sends a message again once the one before is done", async () => {
  for (const qos of [0, 1, 2]) {
    const args = ["-t", "t", "-m", "m", "-q", `${qos}`, "--repeat", "3", "--repeat-delay", "0.01"];
    const result = await publishTo(polite(), args);
    const exchange = ["publish", ...qos === 2 ? ["pubrel"] : []];
    assertEquals(result.heard.map(({ type }) => type), [
      ...["connect", ...exchange, ...exchange, ...exchange, "disconnect"],
    ]);
    const atOnce = await publishTo(polite(), args.slice(0, -2));
    assertEquals(texts(atOnce.published), ["m", "m", "m"]);
  }
});

test("pub sends the topic with its alias once a connection", async () => {
  const alias = ["-D", "publish", "topic-alias", "2"];
  const play = polite({ topicAliasMaximum: 2 });
  for (
    const [words, input] of [[["-m", "m", "--repeat", "3"], []], [["-l"], ["a\nb\nc\n"]]] as const
  ) {
    for (const qos of ["0", "1"]) {
      const result = await publishTo(play, ["-t", "t", ...words, ...alias, "-q", qos], { input });
      assertEquals(result.published.map(({ topic, properties }) => [topic, properties]), [
        ["t", { topicAlias: 2 }],
        ["", { topicAlias: 2 }],
        ["", { topicAlias: 2 }],
      ]);
    }
  }
});

test("pub -l connects again when the connection is lost, and sends again what was not acknowledged", async () => {
  for (const qos of [1, 2]) {
    let connections = 0;
    let heardOnFirst = 0;
    const play: Play = (packet, connection) => {
      if (packet.type === "connect") connections++;
      if (connections > 1 || packet.type !== "publish") return polite()(packet, connection);
      heardOnFirst++;
      // The first two are taken, the others are not, and then the connection goes.
      if (heardOnFirst <= 2) return polite()(packet, connection);
      if (heardOnFirst === 5) connection.socket.destroy();
    };
    const result = await publishTo(play, ["-t", "t", "-l", "-q", `${qos}`, "-M", "5"], {
      input: ["1\n2\n3\n4\n5\n6\n7\n"],
    });
    assertEquals(outcome(result), SILENT);
    assertEquals(texts(result.published), ["1", "2", "3", "4", "5", "3", "4", "5", "6", "7"]);
    assertEquals(connections, 2);
  }
});

test("pub -l resumes its session, and what was in flight is sent as a duplicate", async () => {
  let connections = 0;
  const play: Play = (packet, connection) => {
    if (packet.type !== "connect") {
      if (connections > 1) polite()(packet, connection);
      else if (packet.type === "publish" && packet.packetId === 2) connection.socket.destroy();
      return;
    }
    connections++;
    const sessionPresent = connections > 1;
    connection.send({ type: "connack", sessionPresent, reasonCode: SUCCESS, properties: {} });
  };
  const args = ["-t", "t", "-l", "-q", "1", "-c", "-i", "me"];
  const result = await publishTo(play, args, { input: ["1\n2\n"] });
  assertEquals(outcome(result), SILENT);
  assertEquals(result.published.map(({ dup, packetId }) => [dup, packetId]), [
    [false, 1],
    [false, 2],
    [true, 1],
    [true, 2],
  ]);
});

test("pub says which messages the broker refuses, unless it is to be quiet, and ends with 0", async () => {
  let count = 0;
  const play: Play = (packet, connection) => {
    if (packet.type !== "publish") return polite()(packet, connection);
    connection.send({
      type: "puback",
      packetId: packet.packetId,
      reasonCode: 135,
      properties: count++ % 2 === 1 ? { reasonString: "because" } : {},
    });
  };
  const args = ["-t", "t", "-m", "m", "-q", "1", "-V", "5", "--repeat", "2"];
  assertEquals(outcome(await publishTo(play, args)), {
    status: 0,
    stdout: "",
    stderr: "Warning: Publish 1 failed: Not authorized.\n" +
      "Warning: Publish 2 failed: Not authorized.\nbecause\n",
  });
  assertEquals(outcome(await publishTo(play, [...args, "--quiet"])), SILENT);
});

/** Answers CONNECT in this way. */
function answering(reasonCode: ReasonCode, properties: Properties = {}): Play {
  return (packet, connection) => {
    if (packet.type !== "connect") return;
    connection.send({ type: "connack", sessionPresent: false, reasonCode, properties });
  };
}

test("pub ends with the code of a refusal and says what it means", async () => {
  const refusals = [
    [132, 1, "unacceptable protocol version"],
    [133, 2, "identifier rejected"],
    [136, 3, "broker unavailable"],
    [134, 4, "bad user name or password"],
    [135, 5, "not authorised"],
  ] as const;
  for (const mode of [["-m", "m"], ["-l"]]) {
    for (const [reasonCode, status, text] of refusals) {
      assertEquals(outcome(await publishTo(answering(reasonCode), ["-t", "t", ...mode])), {
        status,
        stdout: "",
        stderr: `Connection error: Connection Refused: ${text}\n` +
          "Error: The connection was refused\n",
      });
    }
  }
  const args = ["-t", "t", "-m", "m", "-V", "5"];
  const protocol = "Error: A network protocol error occurred when communicating with the broker\n";
  for (
    const [reasonCode, text] of [
      [135, "Not authorized"],
      [138, "Banned"],
      [159, "Connection rate exceeded"],
      [132, "Unsupported Protocol Version. Try another version, for example with -V mqttv311."],
    ] as const
  ) {
    assertEquals(outcome(await publishTo(answering(reasonCode), args)), {
      status: reasonCode,
      stdout: "",
      stderr: `Connection error: ${text}\n${protocol}`,
    });
  }
  const quiet = await publishTo(answering(135), [...args, "--quiet"]);
  assertEquals(outcome(quiet), { status: 135, stdout: "", stderr: "" });
});

test("pub says in one line what ended it", async () => {
  const after = (play: Play): Play => (packet, connection) => {
    if (packet.type === "connect") return polite()(packet, connection);
    play(packet, connection);
  };
  const cases: readonly (readonly [string, Play, readonly string[], number, string])[] = [
    ["closed", (_, { socket }) => void socket.destroy(), [], 7, "The connection was lost"],
    [
      "closed later",
      after((_, { socket }) => void socket.destroy()),
      [],
      7,
      "The connection was lost",
    ],
    [
      "sent away",
      after((_, connection) =>
        connection.send({ type: "disconnect", reasonCode: 152, properties: {} })
      ),
      [],
      152,
      "Administrative action",
    ],
    [
      "no CONNACK",
      (_, connection) => connection.send({ type: "pingresp" }),
      [],
      2,
      "A network protocol error occurred when communicating with the broker",
    ],
    [
      "malformed",
      (_, { socket }) => void socket.write(Uint8Array.of(0x20, 0xff, 0xff, 0xff, 0xff, 0xff)),
      [],
      21,
      "Malformed packet",
    ],
    [
      "a login that goes on",
      (_, connection) =>
        connection.send({
          type: "auth",
          reasonCode: 24,
          properties: { authenticationMethod: "m" },
        }),
      [],
      10,
      "This feature is not supported: the broker wants to continue a login",
    ],
    [
      "QoS",
      answering(SUCCESS, { maximumQos: 0 }),
      [],
      24,
      "Message QoS not supported on broker, try a lower QoS.",
    ],
    ["retain", answering(SUCCESS, { retainAvailable: false }), ["-r"], 154, "Retain not supported"],
    [
      "size",
      answering(SUCCESS, { maximumPacketSize: 20 }),
      ["-t", "x".repeat(20)],
      25,
      "Packet larger than supported by the server",
    ],
    [
      "alias",
      answering(SUCCESS, { topicAliasMaximum: 3 }),
      ["-D", "publish", "topic-alias", "4"],
      148,
      "Topic Alias invalid",
    ],
  ];
  for (const [name, play, words, status, text] of cases) {
    for (const debug of [[], ["-d"]]) {
      const args = ["-t", "t", "-m", "m", "-q", "1", "-V", "5", ...words, ...debug];
      const result = await publishTo(play, args);
      assertEquals([result.status, result.stderr], [status, `Error: ${text}\n`], name);
    }
  }
  // Each line of a stream is held to the same limits.
  for (const qos of ["0", "1"]) {
    const args = ["-t", "t", "-l", "-V", "5", "-q", qos];
    const result = await publishTo(answering(SUCCESS, { maximumPacketSize: 20 }), args, {
      input: [`fits\n${"x".repeat(20)}\n`],
    });
    assertEquals([texts(result.published), result.status, result.stderr], [
      ["fits"],
      25,
      "Error: Packet larger than supported by the server\n",
    ]);
  }
  const retained = await publishTo(answering(SUCCESS, { retainAvailable: false }), [
    ...["-t", "t", "-l", "-V", "5", "-r"],
  ], { input: ["x\n"] });
  assertEquals([retained.published, retained.status], [[], 154]);
});

test("pub says why it cannot connect, and what it cannot read", async () => {
  await inFolder(async (folder) => {
    const gone = join(folder, "gone");
    await writeFile(join(folder, "no.pem"), "nothing\n");
    const noPem = join(folder, "no.pem");
    for (
      const [words, text] of [
        ["-m m -p 1", "Error: Connection refused"],
        ["-m m -h nowhere.invalid", "Unable to connect (Lookup error)."],
        [`-m m --unix ${gone}`, "Error: No such file or directory"],
        [`-f ${gone}`, `Error: Unable to open file "${gone}".`],
        [`-f ${folder}`, `Error: Unable to open file "${folder}".`],
        ["-s", "Error: Zero length input."],
        [`-m m --cafile ${gone}`, "Error: Problem setting TLS options: File not found."],
        [`-m m --capath ${gone}`, "Error: Problem setting TLS options: File not found."],
        [
          `-m m --cafile ${noPem} --cert ${gone} --key ${gone}`,
          `Unable to connect (A TLS error occurred: no certificate in "${noPem}").`,
        ],
        [
          `-m m --capath ${folder}`,
          `Unable to connect (A TLS error occurred: no certificate by its hash in "${folder}").`,
        ],
        [
          `-m m --tls-use-os-certs --tls-keylog ${gone}/log`,
          `Error: Unable to open TLS keylog file "${gone}/log".`,
        ],
      ] as const
    ) {
      const result = await runPub(["-t", "t", "-h", "127.0.0.1", ...words.split(" ")]);
      assertEquals(result, { status: 1, stdout: "", stderr: `${text}\n` }, words);
      const quiet = await runPub(["-t", "t", "-h", "127.0.0.1", "--quiet", ...words.split(" ")]);
      assertEquals([quiet.status, quiet.stdout, quiet.stderr], [1, "", ""], words);
    }
  });
});

test("pub points to its help under the name that it was called by", async () => {
  for (const name of ["midge pub", "mosquitto_pub"]) {
    const use = `\nUse '${name} --help' to see usage.\n`;
    assertEquals(await runPub(["-q", "3"], { name }), {
      status: 1,
      stdout: "",
      stderr: `Error: Invalid QoS given: 3\n${use}`,
    });
    const help = await runPub(["--help"], { name });
    assertEquals([help.status, help.stderr], [1, ""]);
    assertEquals(help.stdout.includes(`Usage: ${name} {`), true);
    assertEquals(await runPub(["-t", "t"], { name }), {
      status: 1,
      stdout: help.stdout,
      stderr: "Error: Both topic and message must be supplied.\n",
    });
    const version = await runPub(["--version"], { name });
    assertEquals(
      version.stdout.replaceAll(/\d+\.\d+\.\d+/g, "V"),
      `${name} version V running on midge V.\n`,
    );
    assertEquals([version.status, version.stderr], [1, ""]);
  }
});

test("pub reads options from a file first, its own or that of the user", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "mosquitto_pub");
    await writeFile(path, "# mine\n-t from file\n-q 1\n-m payload from file\n");
    const sent = async (args: string[], environment: Record<string, string>) => {
      const result = await publishTo(polite(), args, { environment });
      return [
        result.status,
        result.published.map(({ topic, qos, payload }) => [
          ...[topic, qos, decoder.decode(payload)],
        ]),
      ];
    };
    const fromFile = [0, [["from file", 1, "payload from file"]]];
    assertEquals(await sent(["-o", path], {}), fromFile);
    assertEquals(await sent([], { XDG_CONFIG_HOME: folder }), fromFile);
    assertEquals(await sent(["-t", "mine", "-q", "0"], { XDG_CONFIG_HOME: folder }), [
      0,
      [["mine", 0, "payload from file"]],
    ]);
    assertEquals(await sent(["-o", `${path}.none`, "-t", "t", "-m", "m"], {}), [
      0,
      [["t", 0, "m"]],
    ]);
    assertEquals(await runPub(["-o", path, "-o", path]), {
      status: 1,
      stdout: "",
      stderr: "Error: Duplicate -o argument given.\n\nUse 'midge pub --help' to see usage.\n",
    });
  });
});

test("pub -d shows its packets", async () => {
  const args = ["-t", "t", "-m", "m", "-q", "2", "-i", "me", "-d", "-V", "5"];
  const play = polite({ topicAliasMaximum: 5 });
  assertEquals(outcome(await publishTo(play, [...args, "-D", "publish", "topic-alias", "5"])), {
    status: 0,
    stdout: "Client me sending CONNECT\n" +
      "Client me received CONNACK (0)\n" +
      "Client me sending PUBLISH (d0, q2, r0, m1, 't', ... (1 bytes))\n" +
      "Client me received PUBREC (Mid: 1)\n" +
      "Client me sending PUBREL (m1)\n" +
      "Client me received PUBCOMP (Mid: 1, RC:0)\n" +
      "Client me sending DISCONNECT\n",
    stderr: "",
  });
});
