// Hundreds of directives of -F printed by our sub and by Debian's mosquitto_sub 2.0.11, of the same
// messages, side by side. What is printed otherwise is listed with the reason; an entry that is not
// needed any more fails.

import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { ClientTool, type Maker } from "../../support/client_tool.ts";
import { skipWithout } from "../../support/foreign.ts";
import { PROCESS_TEST } from "../../support/midge_process.ts";
import { bytesOf, connack, publish, suback } from "../../support/packets.ts";
import { type Play, PortBroker } from "../../support/port_broker.ts";

const OPTIONS = { skip: skipWithout("mosquitto_sub"), ...PROCESS_TEST };

const MESSAGES = [
  publish("a/bé", {
    payload: "hello",
    qos: 1,
    packetId: 300,
    retain: true,
    properties: {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 70,
      contentType: "text/é",
      responseTopic: "re/sp",
      correlationData: bytesOf("cd"),
      subscriptionIds: [77],
      userProperties: [["a", "b"], ["c", "é f"]],
    },
  }),
  publish("t", { payload: "" }),
  publish("long/topic/with/many/levels", { payload: Uint8Array.of(0, 1, 0xff, 10, 0x7c) }),
];

/** Accepts, grants, and sends these. */
function playing(messages: readonly ReturnType<typeof publish>[]): Play {
  return (packet, connection) => {
    if (packet.type === "connect") connection.send(connack(0));
    if (packet.type !== "subscribe") return;
    connection.send(suback(packet.packetId, packet.subscriptions.map(() => 1)), ...messages);
  };
}

const LAYOUTS = [
  ...["", "3", "12", "-12", "012", "-012", "00012", "0", "-", "-0", "1", "40", "-40", "5"],
  ...[".2", ".0", ".99", "12.2", "-12.2", "012.2", "5.", "-3.1"],
];
const DIRECTIVES = [
  ...[..."tplmqrACDEFPRS%"].flatMap((letter) => LAYOUTS.map((layout) => `%${layout}${letter}`)),
  ...["%x", "%X", "%0x", "%-X", "%.2x", "%5x", "%12x", "%-12X", "%012x", "%3X"],
  ...["\\\\", "\\0", "\\a", "\\e", "\\n", "\\r", "\\t", "\\v", "@@", "@%", "@n", "@t", "@E", "@O"],
  ...["@-", "@_", "@0", "@5", "@#", "@^", "@:", "@ ", "@é", "@Q", "@f", "@i", "@J", "@K", "@L"],
  ...["@+", "@Y", "@C", "@G", "é", '"', "'", "$", "`"],
];

const NO_WIDTH = "2.0.11 takes the length of the payload for the width of a field that has none";
const SEPARATORS = "since 2.1 the precision of hex says where separators stand";
const HEX_WIDTH =
  "2.0.11 takes the width for a number of digits that are all padding: it cuts to " +
  "a few bytes however wide the field is";
const DIFFERENCES: Readonly<Record<string, string>> = {
  "%-p": NO_WIDTH,
  "%-0p": NO_WIDTH,
  "%-X": NO_WIDTH,
  "%.2x": SEPARATORS,
  "%5x": HEX_WIDTH,
  "%12x": HEX_WIDTH,
  "%-12X": HEX_WIDTH,
  "%012x": HEX_WIDTH,
  "%3X": HEX_WIDTH,
  "@5": "the GNU library pads even what is no conversion",
  "@+": "the GNU library does not know this conversion of other systems",
};

const END = "<end>";

async function printFormats(maker: Maker, port: number): Promise<string[][]> {
  const format = DIRECTIVES.map((directive) => `${directive}${END}`).join("");
  const args = ["-V", "mqttv5", "-p", `${port}`, "-t", "x", "-C", `${MESSAGES.length}`];
  const tool = new ClientTool(maker, "mosquitto_sub", [...args, "-N", "-F", format]);
  const { status, stderr } = await tool.ended;
  assertEquals({ status, stderr }, { status: 0, stderr: "" }, maker);
  const text = new TextDecoder("latin1").decode(tool.stdoutBytes);
  const parts = text.split(END).slice(0, -1);
  return MESSAGES.map((_, i) => parts.slice(i * DIRECTIVES.length, (i + 1) * DIRECTIVES.length));
}

test("sub -F prints every directive as mosquitto_sub does", OPTIONS, async () => {
  await PortBroker.with(playing(MESSAGES), async ({ port }) => {
    const [ours, theirs] = await Promise.all([
      printFormats("midge", port),
      printFormats("debian", port),
    ]);
    const rows = DIRECTIVES.map((directive, i) => ({
      directive,
      ours: ours.map((parts) => parts[i]),
      theirs: theirs.map((parts) => parts[i]),
    }));
    const different = rows.filter((row) => JSON.stringify(row.ours) !== JSON.stringify(row.theirs));
    const isListed = ({ directive }: { directive: string }) => {
      return Object.hasOwn(DIFFERENCES, directive);
    };
    assertEquals(different.filter((row) => !isListed(row)), []);
    assertEquals(different.map(({ directive }) => directive), Object.keys(DIFFERENCES));
  });
});

const JSON_PAYLOADS = [
  ...['{"a":1.0,"b":[1,2,{"c":null}],"2":true,"1":false}', "1", "-0", "1e400", "3000000000"],
  ...["12345678901234567890", "1e15", "123456789012345678", "0.1", "1e-7", "0.30000000000000004"],
  ...["01", "1.", "-.5", '"a\\/b\\u00e9\\n"', '"\\ud83d\\ude00"', "[]", "{}", ' {"a" : 1 } '],
  ...['{"a":1,"a":2}', "true", '""', '"\ttab"', "[1,[2,[3]]]", '{"a":{"b":{}}}', "0.000012345"],
  ...["5e-324", "123456.789e3", "2147483648", "100"],
];

/** The JSON of each payload, without what comes before it. */
async function printPayloads(maker: Maker, port: number, options: readonly string[]) {
  const args = ["-p", `${port}`, "-t", "x", "-C", `${JSON_PAYLOADS.length}`, ...options];
  const tool = new ClientTool(maker, "mosquitto_sub", [...args, "-N", "-F", `%J${END}`]);
  const { status, stdout, stderr } = await tool.ended;
  assertEquals({ status, stderr }, { status: 0, stderr: "" }, maker);
  return stdout.split(END).slice(0, -1).map((text) => text.replace(/^[^]*?"payload":/, ""));
}

test("sub -F %J prints payloads as mosquitto_sub does", OPTIONS, async () => {
  const messages = JSON_PAYLOADS.map((payload) => publish("x", { payload }));
  await PortBroker.with(playing(messages), async ({ port }) => {
    for (const options of [[], ["--pretty"]]) {
      const [ours, theirs] = await Promise.all([
        printPayloads("midge", port, options),
        printPayloads("debian", port, options),
      ]);
      assertEquals(ours, theirs);
    }
  });
});

test(
  "sub -F %j prints messages as mosquitto_sub does, but for what 2.1 changed",
  OPTIONS,
  async () => {
    const payload = Uint8Array.of(0x61, 0x22, 0x5c, 1, 0x7f, 10, 9, 0x2f, 0, 0x62);
    const messages = [...MESSAGES, publish("x", { payload })];
    const printed = async (maker: Maker, port: number) => {
      const args = ["-V", "mqttv5", "-p", `${port}`, "-t", "x", "-C", `${messages.length}`];
      const tool = new ClientTool(maker, "mosquitto_sub", [...args, "-F", "%j"]);
      const { stdout } = await tool.ended;
      return stdout.replaceAll(/"tst":"[^"]{26}/g, '"tst":"');
    };
    await PortBroker.with(playing(messages), async ({ port }) => {
      const [ours, theirs] = await Promise.all([printed("midge", port), printed("debian", port)]);
      // The flag is a boolean, the time has no Z before its zone, and keys of users may be repeated.
      const asNow = theirs.replaceAll('"tst":"Z', '"tst":"')
        .replaceAll(/"retain":[01]/g, (text) => `"retain":${text.endsWith("1")}`)
        .replaceAll('{"a":"b","c":"é f"}', '[{"a":"b"},{"c":"é f"}]');
      assertEquals(asNow === theirs, false, "2.0.11 is listed as different");
      assertEquals(ours, asNow);
    });
  },
);

test(
  "sub -F refuses what mosquitto_sub refuses, and takes what 2.1 has added",
  OPTIONS,
  async () => {
    const attempt = async (maker: Maker, format: string) => {
      const { status, stdout, stderr } = await new ClientTool(maker, "mosquitto_sub", [
        "-t",
        "x",
        "-F",
        format,
      ]).ended;
      return { format, status, stdout, stderr };
    };
    const refused = ["%", "%z", "a%-", "%5", "%.", "@", "a\\", "\\q", "%5.5", "%é"];
    const outcomes = async (maker: Maker, formats: readonly string[]) => {
      const all = [];
      for (const format of formats) all.push(await attempt(maker, format));
      return all;
    };
    const [ours, theirs] = await Promise.all([
      outcomes("midge", refused),
      outcomes("debian", refused),
    ]);
    assertEquals(
      ours,
      // Half a letter is not shown.
      theirs.map((each) => ({ ...each, stderr: each.stderr.replace("\ufffd", "é") })),
    );
    for (const [format, letter] of [["%f", "f"], ["%d", "d"], ["%.2:x", ":"]] as const) {
      assertEquals(
        (await attempt("debian", format)).stderr,
        `Error: Invalid format specifier '${letter}'.\n\nUse 'mosquitto_sub --help' to see usage.\n`,
        "2.0.11 is listed as not knowing this",
      );
    }
  },
);
