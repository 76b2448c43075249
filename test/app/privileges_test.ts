// Who the program becomes, by its configuration and its environment, and what it leaves of itself.

import { assertEquals } from "@std/assert";
import type { Config } from "../../src/config/config.ts";
import { applyFileMask, dropPrivileges, writePidFile } from "../../src/app/privileges.ts";
import { StartError } from "../../src/app/start_error.ts";
import { OperationError } from "../../src/core/base/operation_error.ts";
import { configOf, load } from "../config/support.ts";
import { test } from "../harness.ts";
import { FakeMachine } from "../support/fake_machine.ts";

const ROOT = { userId: 0, groupId: 0 };

function machineOfRoot(environment: Readonly<Record<string, string>> = {}): FakeMachine {
  const machine = new FakeMachine();
  machine.user = ROOT;
  machine.users["mosquitto"] = { userId: 102, groupId: 105 };
  machine.users["guest"] = { userId: 7, groupId: 8 };
  Object.assign(machine.environment, environment);
  return machine;
}

/** What became of it: the status and lines of a failure, or who it is and what was logged. */
async function drop(machine: FakeMachine, config: Config): Promise<unknown> {
  const lines: string[] = [];
  try {
    await dropPrivileges(machine.host, config, (type, text) => lines.push(`${type}: ${text}`));
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return [error.status, ...lines, ...error.lines];
  }
  const { userId, groupId } = machine.user;
  return [`${userId}:${groupId}`, ...lines];
}

const AS_ROOT = "warning: Warning: Mosquitto should not be run as root/administrator.";
const MISSING = "because this user does not exist.";

const CASES: readonly {
  readonly name: string;
  readonly config?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly without?: string;
  readonly with?: string;
  readonly became: unknown;
}[] = [
  {
    name: "the user mosquitto",
    became: ["102:105", "information: Info: running mosquitto as user: mosquitto."],
  },
  {
    name: "the user that is configured",
    config: "user guest\n",
    became: ["7:8", "information: Info: running mosquitto as user: guest."],
  },
  {
    name: "nobody where there is no mosquitto",
    without: "mosquitto",
    with: "nobody",
    became: [
      "65534:65533",
      `warning: Warning: Unable to drop privileges to 'mosquitto' ${MISSING} Trying 'nobody' user instead.`,
      "information: Info: running mosquitto as user: nobody.",
    ],
  },
  {
    name: "nothing where there is not even nobody",
    config: "user mosquitto\n",
    without: "mosquitto",
    became: [
      3,
      `warning: Warning: Unable to drop privileges to 'mosquitto' ${MISSING} Trying 'nobody' user instead.`,
      `Error: Unable to drop privileges to 'nobody' ${MISSING}`,
    ],
  },
  {
    name: "nothing for a user who does not exist",
    config: "user nemo\n",
    became: [3, `Error: Unable to drop privileges to 'nemo' ${MISSING}`],
  },
  { name: "root, when that is wanted", config: "user root\n", became: ["0:0", AS_ROOT] },
  { name: "what it is, in a snap", environment: { SNAP_NAME: "mosquitto" }, became: ["0:0"] },
  {
    name: "what it should be, in another snap",
    environment: { SNAP_NAME: "other" },
    became: ["102:105", "information: Info: running mosquitto as user: mosquitto."],
  },
  {
    name: "the ids of the environment",
    config: "user guest\n",
    environment: { PUID: "31", PGID: "41" },
    became: ["31:41", "information: Info: running mosquitto as user id: 31."],
  },
  {
    name: "a group only",
    environment: { PGID: "41", PUID: "0" },
    became: ["0:41", "information: Info: running mosquitto as user id: 0.", AS_ROOT],
  },
  {
    name: "the configured user where the ids say nothing",
    environment: { PUID: "0", PGID: "" },
    became: ["102:105", "information: Info: running mosquitto as user: mosquitto."],
  },
  {
    name: "nothing for a user id that is none",
    environment: { PUID: "root" },
    became: [3, "Error: PUID environment variable is not a valid number."],
  },
  {
    name: "nothing for a group id that is too large",
    environment: { PGID: "4294967296" },
    became: [3, "Error: PGID environment variable is not a valid number."],
  },
  {
    name: "nothing for a negative id",
    environment: { PUID: "-1" },
    became: [3, "Error: PUID environment variable is not a valid number."],
  },
];

for (const { name, config = "", environment, without, with: extra, became } of CASES) {
  test(`dropPrivileges() makes root become ${name}`, async () => {
    const machine = machineOfRoot(environment);
    if (without !== undefined) delete machine.users[without];
    if (extra !== undefined) machine.users[extra] = { userId: 65534, groupId: 65533 };
    assertEquals(await drop(machine, await configOf(config)), became);
  });
}

test("dropPrivileges() leaves alone who is not root, and who has no configuration", async () => {
  const machine = new FakeMachine();
  assertEquals(await drop(machine, await configOf("user guest\n")), ["1000:1000"]);
  const { config } = await load("");
  assertEquals(await drop(machineOfRoot(), { ...config!, files: [] }), ["0:0"]);
});

test("dropPrivileges() ends the start when the system does not let it", async () => {
  const machine = machineOfRoot();
  machine.userFailure = new OperationError("permission-denied", "Cannot become user 102");
  assertEquals(await drop(machine, await configOf("")), [
    14,
    "Error setting user id and group id whilst dropping privileges: Cannot become user 102.",
  ]);
});

test("dropPrivileges() stays root where a runtime knows no other, unless another was asked for", async () => {
  const machine = machineOfRoot();
  machine.userFailure = new OperationError("not-supported", "This runtime cannot");
  assertEquals(await drop(machine, await configOf("")), [
    "0:0",
    "warning: Warning: Unable to drop privileges: This runtime cannot.",
    AS_ROOT,
  ]);
  assertEquals(await drop(machine, await configOf("user guest\n")), [
    14,
    "Error setting user id and group id whilst dropping privileges: This runtime cannot.",
  ]);
});

test("applyFileMask() applies an octal number, and refuses everything else", () => {
  const masks = ["77", "0", "7777", "8", "", "0x1f", "-1", "10000", " 7"].map((UMASK_SET) => {
    const machine = machineOfRoot({ UMASK_SET });
    try {
      applyFileMask(machine.host);
      return machine.fileMask;
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      return [error.status, ...error.lines];
    }
  });
  const notOctal = [3, "Error: UMASK_SET environment variable not a valid octal number."];
  const outOfRange = [3, "Error: UMASK_SET environment variable out of range."];
  assertEquals(masks, [
    0o77,
    0,
    0o7777,
    notOctal,
    notOctal,
    notOctal,
    notOctal,
    outOfRange,
    notOctal,
  ]);
  const machine = new FakeMachine();
  applyFileMask(machine.host);
  assertEquals(machine.fileMask, undefined);
});

test("writePidFile() writes the number alone, and gives what removes it", async () => {
  const machine = new FakeMachine();
  const remove = await writePidFile(machine.host, machine.disk, "/pid");
  assertEquals([machine.disk.textOf("/pid"), machine.disk.entries.get("/pid")?.mode], [
    "4711",
    0o644,
  ]);
  await remove();
  assertEquals(machine.disk.entries.size, 0);
  await (await writePidFile(machine.host, machine.disk, undefined))();
  assertEquals(machine.disk.touched, new Set(["/pid"]));
});
