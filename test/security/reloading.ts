// A broker whose password and access files are changed while it runs. When a reload is over is seen
// by a client whose own password it changed, because clients are judged anew at its very end.

import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { credentials } from "../support/login.ts";
import { MidgeProcess } from "../support/midge_process.ts";
import { passwordLine } from "../support/password_lines.ts";
import { type ConnectOptions, WireClient } from "../support/wire_client.ts";

const SENTINEL = "sentinel";

export interface ReloadingOptions {
  /** Of further lines in the configuration; `$PORT1` is taken. */
  readonly config?: string;
  /** Everybody's password is the user's name, backwards. */
  readonly users: readonly string[];
  readonly access?: string;
}

/** What else a reload is to find changed. */
export interface Changes {
  readonly access?: string;
  readonly config?: string;
}

export class Reloading {
  readonly midge: MidgeProcess;
  /** By user name; one hash each for as long as the password stays. */
  readonly #lines: Map<string, string>;
  readonly #baseConfig: string;
  #sentinelPassword = passwordOf(SENTINEL);

  constructor(midge: MidgeProcess, lines: Map<string, string>, baseConfig: string) {
    this.midge = midge;
    this.#lines = lines;
    this.#baseConfig = baseConfig;
  }

  static with(
    { config = "", users, access }: ReloadingOptions,
    body: (reloading: Reloading) => Promise<void>,
  ): Promise<void> {
    const all = [...users, SENTINEL];
    const lines = new Map(all.map((name) => [name, passwordLine(name, passwordOf(name))]));
    const base = baseConfig(access);
    const options = {
      config: base + config,
      files: {
        passwd: [...lines.values()].join("\n"),
        ...access === undefined ? {} : { acl: access },
      },
    };
    return MidgeProcess.with(options, (midge) => body(new Reloading(midge, lines, base)));
  }

  /** Connects as a user. */
  connect(
    version: ProtocolVersion,
    username: string,
    options: ConnectOptions = {},
  ): Promise<WireClient> {
    const who = credentials({ username, password: passwordOf(username) });
    return WireClient.connect(this.midge.port, version, { ...who, ...options });
  }

  changePassword(username: string, password: string): void {
    this.#lines.set(username, passwordLine(username, password));
  }

  /** Gives a user this line of the file, whatever it says. */
  setLine(username: string, line: string): void {
    this.#lines.set(username, line);
  }

  removeUser(username: string): void {
    this.#lines.delete(username);
  }

  /** Has the broker read everything again, and waits until it has. */
  async reload(changes: Changes = {}): Promise<void> {
    const reload = await this.prepareReload();
    await reload(changes);
  }

  /** Has the sentinel log in, which may take a while where others do, and gives the rest to do. */
  async prepareReload(): Promise<(changes?: Changes) => Promise<void>> {
    const { midge } = this;
    const password = this.#sentinelPassword;
    const who = credentials({ username: SENTINEL, password });
    const sentinel = await WireClient.connect(midge.port, 4, who);
    this.#sentinelPassword = `${password}!`;
    return async ({ access, config } = {}) => {
      this.changePassword(SENTINEL, this.#sentinelPassword);
      await midge.write("passwd", [...this.#lines.values()].join("\n"));
      if (access !== undefined) await midge.write("acl", access);
      if (config !== undefined) await midge.write("midge.conf", this.#baseConfig + config);
      midge.signal("SIGHUP");
      await sentinel.untilClosed();
    };
  }
}

export function passwordOf(username: string): string {
  return [...username].reverse().join("");
}

function baseConfig(access: string | undefined): string {
  const accessFile = access === undefined ? "" : "acl_file $DIR/acl\n";
  return `listener $PORT1 127.0.0.1\nlog_type all\npassword_file $DIR/passwd\n${accessFile}`;
}
