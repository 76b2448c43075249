// The broker as a service of the machine: in the background, as another user, with its process id in
// a file, and known to whoever manages services.

import { assertEquals } from "@std/assert";
import { existsSync, readFileSync, statSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:tls";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { VERSION } from "../../src/app/version.ts";
import { test } from "../harness.ts";
import { makeCertificates } from "../support/certificates.ts";
import { linesOf } from "../support/fake_machine.ts";
import { login } from "../support/login.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { until } from "../support/wait.ts";

const NOBODY = 65534;

/** Only root can become somebody else; who is not keeps whom he is, which is tested elsewhere. */
const AS_ROOT = {
  ...PROCESS_TEST,
  skip: process.getuid!() === 0 ? false : "only root can become another user",
};

test(
  "The program in the background outlives its parent, and tells where it is",
  PROCESS_TEST,
  async () => {
    const midge = await MidgeProcess.launch({
      config: "listener $PORT1 127.0.0.1\nallow_anonymous true\npid_file $DIR/pid\n" +
        "log_dest file $DIR/log\n",
      args: ["-d"],
      env: { UMASK_SET: "077" },
    });
    const [pidPath, logPath] = [join(midge.folder, "pid"), join(midge.folder, "log")];
    const log = (): string => existsSync(logPath) ? readFileSync(logPath, "utf8") : "";
    let processId = 0;
    try {
      assertEquals([await midge.ended, midge.stdout, midge.lines], [0, "", [
        `midge version ${VERSION} terminating`,
      ]]);
      await until(() => log().includes(" running\n"), `it runs: ${log()}`);
      processId = Number(readFileSync(pidPath, "utf8"));
      assertEquals(statSync(pidPath).mode & 0o777, 0o600);
      assertEquals(await login(midge.port, 5), 0);
      // A session of its own, without a terminal.
      const fields = readFileSync(`/proc/${processId}/stat`, "utf8").replace(/^.*\) /, "").split(
        " ",
      );
      assertEquals([Number(fields[3]), fields[4]], [processId, "0"]);
      process.kill(processId, "SIGTERM");
      await until(() => !existsSync(pidPath), "it has ended");
      await until(() => log().includes(" terminating\n"), "it has said so");
      assertEquals(linesOf(log()).at(-1), `midge version ${VERSION} terminating`);
      processId = 0;
    } finally {
      if (processId > 0) process.kill(processId, "SIGKILL");
      await midge.discard();
    }
  },
);

/** The user and group of a process, each in all its four kinds. */
function idsOf(processId: number): string[] {
  const status = readFileSync(`/proc/${processId}/status`, "utf8");
  return status.match(/^(?:Uid|Gid|Groups):.*$/mg)!.map((line) => line.replace(/\s+/g, " ").trim());
}

test(
  "The program as root becomes who it is told to be, and serves as that user",
  AS_ROOT,
  async () => {
    const { server } = await makeCertificates();
    const folder = await mkdtemp(join(tmpdir(), "midge-open-"));
    try {
      await mkdir(join(folder, "tls"));
      await writeFile(join(folder, "tls/cert"), server.certificate);
      await writeFile(join(folder, "tls/key"), server.key);
      for (const path of [folder, join(folder, "tls")]) await chmod(path, 0o777);
      const config = "user nobody\nallow_anonymous true\nlistener $PORT1 127.0.0.1\n" +
        "listener $PORT2 127.0.0.1\n" +
        `certfile ${folder}/tls/cert\nkeyfile ${folder}/tls/key\n` +
        `listener 0 ${folder}/socket\nlistener $PORT3 127.0.0.1\nprotocol websockets\n` +
        `listener $PORT4 127.0.0.1\nprotocol http_api\npid_file ${folder}/pid\n`;
      await MidgeProcess.with({ config, env: { SNAP_NAME: "" } }, async (midge) => {
        assertEquals(midge.lines[0], "Info: running mosquitto as user: nobody.");
        assertEquals(midge.lines.some((line) => line.includes("should not be run as root")), false);
        const [user, group, groups] = idsOf(midge.processId);
        assertEquals([user, groups], [`Uid: ${`${NOBODY} `.repeat(4)}`.trim(), "Groups:"]);
        assertEquals(/^Gid: (\d+) \1 \1 \1$/.test(group!), true);
        assertEquals(await login(midge.port, 4), 0);
        await new Promise<void>((resolve, reject) => {
          const options = { port: midge.ports[1]!, host: "127.0.0.1", rejectUnauthorized: false };
          const socket = connect(options, () => {
            socket.destroy();
            resolve();
          });
          socket.on("error", reject);
        });
        const response = await fetch(`http://127.0.0.1:${midge.ports[3]}/api/v1/version`);
        assertEquals([response.status, await response.text()], [200, VERSION]);
        assertEquals(statSync(join(folder, "socket")).uid, NOBODY);
        assertEquals(statSync(join(folder, "pid")).uid, NOBODY);
        assertEquals([await midge.stop(), existsSync(join(folder, "pid"))], [0, false]);
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test(
  "The program as root takes the ids of PUID and PGID, and refuses who does not exist",
  AS_ROOT,
  async () => {
    const config = "listener $PORT1 127.0.0.1\n";
    const ids = { SNAP_NAME: "", PUID: "31", PGID: "41" };
    await MidgeProcess.with({ config, env: ids }, (midge) => {
      assertEquals(midge.lines[0], "Info: running mosquitto as user id: 31.");
      assertEquals(idsOf(midge.processId), ["Uid: 31 31 31 31", "Gid: 41 41 41 41", "Groups:"]);
      return Promise.resolve();
    });
    const { status, lines } = await MidgeProcess.run({
      config: `user no-such-user\n${config}`,
      env: { SNAP_NAME: "" },
    });
    assertEquals([status, lines], [3, [
      "Error: Unable to drop privileges to 'no-such-user' because this user does not exist.",
      `midge version ${VERSION} terminating`,
    ]]);
  },
);

test("The program tells its service manager when it serves", PROCESS_TEST, async () => {
  const folder = await mkdtemp(join(tmpdir(), "midge-manager-"));
  try {
    const [program, told] = [join(folder, "systemd-notify"), join(folder, "told")];
    await writeFile(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> '${told}'\n`);
    await chmod(program, 0o755);
    const env = { PATH: `${folder}:${process.env["PATH"]}`, NOTIFY_SOCKET: "@manager" };
    await MidgeProcess.with({ config: "listener $PORT1 127.0.0.1\n", env }, async () => {
      await until(() => existsSync(told), "it is told");
      await until(() => readFileSync(told, "utf8").endsWith("\n"), "all of it");
      assertEquals(readFileSync(told, "utf8"), "@manager READY=1\n");
    });
    // Without the program it serves as well, and says what is missing.
    await rm(program);
    await MidgeProcess.with({ config: "listener $PORT1 127.0.0.1\n", env }, async (midge) => {
      await midge.logged(/^Warning: Unable to tell the service manager: /);
      assertEquals(await midge.stop(), 0);
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
