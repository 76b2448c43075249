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

  removeUser(username: string): void {
    this.#lines.delete(username);
  }

  /** Has the broker read everything again, and waits until it has. */
  async reload(changes: { readonly access?: string; readonly config?: string } = {}): Promise<
    void
  > {
    const { access, config } = changes;
    const password = this.#sentinelPassword;
    const sentinel = await WireClient.connect(
      this.midge.port,
      4,
      credentials({ username: SENTINEL, password }),
    );
    this.#sentinelPassword = `${password}!`;
    this.changePassword(SENTINEL, this.#sentinelPassword);
    await this.midge.write("passwd", [...this.#lines.values()].join("\n"));
    if (access !== undefined) await this.midge.write("acl", access);
    if (config !== undefined) await this.midge.write("midge.conf", this.#baseConfig + config);
    this.midge.signal("SIGHUP");
    await sentinel.untilClosed();
  }
}

export function passwordOf(username: string): string {
  return [...username].reverse().join("");
}

function baseConfig(access: string | undefined): string {
  const accessFile = access === undefined ? "" : "acl_file $DIR/acl\n";
  return `listener $PORT1 127.0.0.1\nlog_type all\npassword_file $DIR/passwd\n${accessFile}`;
}
