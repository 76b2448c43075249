// Options as users of mosquitto_pub and mosquitto_sub meet them: what these programs print and with
// which status they end, which scripts depend on.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { skipWithout } from "../support/foreign.ts";
import { ForeignProcess, linesOf } from "../support/foreign_process.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { at, publish, TOOLS } from "../support/tool_clients.ts";

const CONFIG = `
sys_interval 1
max_packet_size 2000
message_size_limit 1000
max_keepalive 100
allow_anonymous true

listener $PORT1 127.0.0.1
listener $PORT2 127.0.0.1
accept_protocol_versions 5
listener $PORT3 127.0.0.1
listener_allow_anonymous false
listener $PORT4 127.0.0.1
use_username_as_clientid true
listener $PORT5 127.0.0.1
max_qos 1
listener $PORT6 127.0.0.1
mount_point house/
`;

interface Row {
  readonly effect: string;
  /** Which port. */
  readonly port: number;
  readonly args: readonly string[];
  readonly tool?: "mosquitto_pub" | "mosquitto_sub";
  readonly code?: number;
  readonly stdout?: readonly string[];
  readonly stderr?: readonly string[];
}

const SEND = ["-t", "t", "-m", "m", "-q", "2"] as const;
const LARGE = ["-t", "t", "-m", "x".repeat(1001), "-q", "1"] as const;

const lost = { code: 7, stderr: ["Error: The connection was lost."] };

/** Before version 5 the status is the code of the CONNACK. */
const refused = (code: number, reason: string) => ({
  code,
  stderr: [
    `Connection error: Connection Refused: ${reason}.`,
    "Error: The connection was refused.",
  ],
});

const refused5 = (code: number, reason: string) => ({
  code,
  stderr: [
    `Connection error: ${reason}`,
    "Error: A network protocol error occurred when communicating with the broker.",
  ],
});

const ROWS: readonly Row[] = [
  ...["mqttv31", "mqttv311", "mqttv5"].flatMap((version): Row[] => {
    const args = [...SEND, "-V", version];
    const isOld = version !== "mqttv5";
    return [
      { effect: "nothing in the way", port: 1, args },
      {
        effect: "accept_protocol_versions 5",
        port: 2,
        args,
        ...isOld ? refused(1, "unacceptable protocol version") : {},
      },
      {
        effect: "listener_allow_anonymous false",
        port: 3,
        args,
        ...isOld ? refused(5, "not authorised") : refused5(135, "Not authorized"),
      },
      {
        effect: "use_username_as_clientid without a user name",
        port: 4,
        args,
        ...isOld ? refused(5, "not authorised") : refused5(135, "Not authorized"),
      },
      {
        effect: "max_qos 1, of which only version 5 is told",
        port: 5,
        args,
        ...isOld
          ? lost
          : { stderr: ["Error: Message QoS not supported on broker, try a lower QoS."] },
      },
      {
        effect: "max_keepalive",
        port: 1,
        args: [...args, "-k", "101"],
        ...isOld ? refused(2, "identifier rejected") : {},
      },
      {
        effect: "message_size_limit, of which only version 5 is told",
        port: 1,
        args: [...LARGE, "-V", version],
        stderr: isOld ? [] : ["Warning: Publish 1 failed: Packet too large."],
      },
    ];
  }),
  { effect: "use_username_as_clientid", port: 4, args: [...SEND, "-u", "somebody"] },
  {
    effect: "max_packet_size",
    port: 1,
    args: ["-t", "t", "-m", "x".repeat(2001), "-q", "1"],
    ...lost,
  },
  {
    effect: "max_qos 1 for a subscription",
    tool: "mosquitto_sub",
    port: 5,
    args: ["-t", "t", "-q", "2", "-E", "-d", "-i", "capped"],
    stdout: [
      "Client capped sending CONNECT",
      "Client capped received CONNACK (0)",
      "Client capped sending SUBSCRIBE (Mid: 1, Topic: t, QoS: 2, Options: 0x00)",
      "Client capped received SUBACK",
      "Subscribed (mid: 1): 1",
      "Client capped sending DISCONNECT",
    ],
  },
  {
    effect: "sys_interval",
    tool: "mosquitto_sub",
    port: 1,
    args: ["-t", "$SYS/broker/clients/expired", "-C", "1", "-v"],
    stdout: ["$SYS/broker/clients/expired 0"],
  },
  // After what the test has retained by way of the first port.
  {
    effect: "mount_point",
    tool: "mosquitto_sub",
    port: 6,
    args: ["-t", "#", "-C", "1", "-v"],
    stdout: ["lamp on"],
  },
];

test("mosquitto_pub and mosquitto_sub meet options as they know them", {
  ...PROCESS_TEST,
  skip: skipWithout(...TOOLS),
}, () =>
  MidgeProcess.with({ config: CONFIG }, async (midge) => {
    await publish("house/lamp", "on", at(midge.port));
    const found = await Promise.all(ROWS.map(async (row) => {
      const { effect, tool = "mosquitto_pub", port } = row;
      const limit = tool === "mosquitto_sub" ? ["-W", "15"] : [];
      const args = [...at(midge.ports[port - 1]!), ...limit, ...row.args];
      const { code, stdout, stderr } = await new ForeignProcess(tool, args).ended;
      return { effect, code, stdout: linesOf(stdout), stderr: linesOf(stderr) };
    }));
    assertEquals(
      found,
      ROWS.map(({ effect, code = 0, stdout = [], stderr = [] }) => {
        return { effect, code, stdout: [...stdout], stderr: [...stderr] };
      }),
    );
  }));
