// Reloads a broker under test and waits until the new configuration is in force, which no line of
// the log says: clients of version 5 are told the Maximum Packet Size, so each configuration gets
// one that nothing had before.

import { connect } from "node:net";
import type { MidgeProcess } from "./midge_process.ts";
import { WireClient } from "./wire_client.ts";

const FIRST_MARK = 1_000_000;
const DEADLINE_MS = 15_000;

/** Configurations that follow each other, of which each says everything. */
export class Reloads {
  readonly #midge: MidgeProcess;
  #mark: number = FIRST_MARK;

  constructor(midge: MidgeProcess) {
    this.#midge = midge;
  }

  /** What the first configuration is, whose listeners all have to be told by `config`. */
  static first(config: string): string {
    return marked(config, FIRST_MARK);
  }

  /** Puts another configuration in force, or the same with other files. */
  async apply(config: string): Promise<void> {
    const mark = ++this.#mark;
    await this.#midge.write("midge.conf", marked(config, mark));
    this.#midge.signal("SIGHUP");
    const end = performance.now() + DEADLINE_MS;
    while (await this.#shownMark() !== mark) {
      if (performance.now() > end) throw new Error(`It does not reload:\n${this.#midge.stderr}`);
    }
  }

  async #shownMark(): Promise<number> {
    const client = new WireClient(connect({ path: `${this.#midge.folder}/mark.sock` }), 5);
    const { properties } = await client.handshake({ clientId: "mark" });
    client.leave();
    await client.untilClosed();
    return properties.maximumPacketSize ?? 0;
  }
}

function marked(config: string, mark: number): string {
  const own = "listener 0 $DIR/mark.sock\nlistener_allow_anonymous true";
  return `max_packet_size ${mark}\n${config}\n${own}\n`;
}
