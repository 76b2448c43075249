// One process for many options: each is put in force by a reload, looked for by its effect, and
// taken out again, after which the effect has to be gone. So every row says what an option does and
// that it is reloaded.
//
// When a reload is through cannot be read in the log, but version 5 clients are told the Maximum
// Packet Size: each reload gives it a value that nothing had before.

import { assertEquals } from "@std/assert";
import { connect as connectSocket } from "node:net";
import type { Packet } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";
import { MidgeProcess } from "../support/midge_process.ts";
import { VERSIONS } from "../support/raw_packet.ts";
import { type ConnectOptions, describe, WireClient } from "../support/wire_client.ts";

/** What stands where in the configuration of a trial. */
export interface Lines {
  /** Lines above all listeners. */
  readonly general?: string;
  /** Lines of the listener on the first port. */
  readonly listener?: string;
}

/** One option, or some that belong together. */
export interface Row {
  /** In words, for the name of the test. */
  readonly effect: string;
  readonly lines: Lines;
  /** Looks for the effect; it has to be there exactly if `isSet`. */
  readonly check: (trial: Trial, isSet: boolean) => Promise<void>;
}

const FIRST_MARK = 1_000_000;
const DEADLINE_MS = 15_000;

function configOf({ general = "", listener = "" }: Lines, mark: number): string {
  return [
    `max_packet_size ${mark}`,
    "sys_interval 0",
    general,
    "listener $PORT1 127.0.0.1",
    "listener_allow_anonymous true",
    listener,
    "listener 0 $DIR/mark.sock",
    "listener_allow_anonymous true",
  ].join("\n");
}

export class Trial {
  readonly midge: MidgeProcess;
  #mark = FIRST_MARK;
  readonly #clients: WireClient[] = [];

  constructor(midge: MidgeProcess) {
    this.midge = midge;
  }

  /** The listener whose lines change. */
  get port(): number {
    return this.midge.port;
  }

  /** The `max_packet_size` in force. */
  get mark(): number {
    return this.#mark;
  }

  /** Has other lines read, and does not wait until they are in force. */
  async send(lines: Lines): Promise<void> {
    await this.midge.write("midge.conf", configOf(lines, ++this.#mark));
    this.midge.signal("SIGHUP");
  }

  /** Puts other lines in force. */
  async apply(lines: Lines): Promise<void> {
    await this.send(lines);
    const mark = this.#mark;
    const end = performance.now() + DEADLINE_MS;
    while (await this.#shownMark() !== mark) {
      if (performance.now() > end) throw new Error(`It does not reload:\n${this.midge.stderr}`);
    }
  }

  /** By the listener that no line concerns. */
  async #shownMark(): Promise<number> {
    const socket = connectSocket({ path: `${this.midge.folder}/mark.sock` });
    const client = new WireClient(socket, 5);
    const { properties } = await client.handshake({ clientId: "ok-mark" });
    client.leave();
    await client.untilClosed();
    return properties.maximumPacketSize ?? 0;
  }

  /** A client that is let in. */
  async connect(version: ProtocolVersion, options: ConnectOptions = {}): Promise<WireClient> {
    const client = await WireClient.connect(this.port, version, options);
    this.#clients.push(client);
    return client;
  }

  /** A socket that has sent nothing. */
  async open(version: ProtocolVersion): Promise<WireClient> {
    const client = await WireClient.open(this.port, version);
    this.#clients.push(client);
    return client;
  }

  knock(version: ProtocolVersion, options: ConnectOptions = {}): Promise<string> {
    return knock(this.port, version, options);
  }

  knockAll(options: ConnectOptions = {}): Promise<string[]> {
    return knockAll(this.port, options);
  }

  /** Whoever is still connected goes, and with him his session. */
  async clear(): Promise<void> {
    for (const client of this.#clients.splice(0)) {
      if (client.isClosed) continue;
      client.leave();
      await client.untilClosed();
    }
  }
}

/** What comes first, in short; `"closed"` when nothing does. */
async function firstOf(client: WireClient): Promise<string> {
  const packet = await client.next("an answer").catch(() => undefined);
  return packet === undefined ? "closed" : describe(packet);
}

/** Connects and leaves; what the CONNECT was answered, in short. */
export async function knock(
  port: number,
  version: ProtocolVersion,
  options: ConnectOptions = {},
): Promise<string> {
  const client = await WireClient.open(port, version).catch(unlessReset);
  if (client === undefined) return "closed";
  client.send(client.connectBytes(options));
  const answer = await firstOf(client);
  if (answer === "connack 0x00") client.leave();
  assertEquals(await client.untilClosed(), []);
  return answer;
}

/** Who is turned away on the spot may learn of it before it knows that it was connected. */
function unlessReset(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ECONNRESET") return;
  throw error;
}

/** What each version is answered, in order. */
export async function knockAll(port: number, options: ConnectOptions = {}): Promise<string[]> {
  const answers: string[] = [];
  for (const version of VERSIONS) answers.push(await knock(port, version, options));
  return answers;
}

/** The messages among packets, in short. */
export function messages(packets: readonly Packet[]): string[] {
  return packets.filter(({ type }) => type === "publish").map(describe);
}

/** Runs the body with a process whose configuration it changes by reloads. */
export async function withTrial(
  files: Readonly<Record<string, string>>,
  body: (trial: Trial) => Promise<void>,
): Promise<void> {
  const config = configOf({}, FIRST_MARK);
  await MidgeProcess.with({ config, files }, (midge) => body(new Trial(midge)));
}

/** Tries rows one after the other with one process. */
export function tryRows(rows: readonly Row[]): Promise<void> {
  return withTrial({}, async (trial) => {
    for (const { effect, lines, check } of rows) {
      for (const isSet of [true, false]) {
        try {
          await trial.apply(isSet ? lines : {});
          await check(trial, isSet);
          await trial.clear();
        } catch (cause) {
          const what = `${isSet ? "With" : "Without"} the lines that "${effect}" is about`;
          const why = cause instanceof Error ? cause.stack : String(cause);
          const last = trial.midge.lines.slice(-20).join("\n");
          throw new Error(`${what}: ${why}\n${last}`, { cause });
        }
      }
    }
  });
}
