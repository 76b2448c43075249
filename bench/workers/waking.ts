/**
 * How long it takes an object to be there: from the start of the process, from its disk, and from
 * its sleep with its sockets open.
 *
 * @module
 */

import { usageOf } from "../broker/process_usage.ts";
import { digits, table } from "../broker/text_plot.ts";
import { WorkerdProcess } from "../../test/support/workerd_process.ts";

/** A Worker to measure, by the file it was bundled into. */
export interface Candidate {
  readonly name: string;
  readonly worker: string;
}

/** Lets everybody in. */
export const OPEN = { MIDGE_ALLOW_ANONYMOUS: "true" } as const;

const STARTS = 7;
const WAKES = 50;
/** Connections that sleep beside the one that is waked. */
const ASLEEP: readonly number[] = [0, 100, 1000];

const CONNECT_HEAD = [0, 4, 77, 81, 84, 84, 4, 2, 0, 0] as const;
const PINGREQ = Uint8Array.of(0xc0, 0);
/** From the start of the process, and with a process but no object, to the CONNACK. */
export async function coldStart(binary: string, all: readonly Candidate[]): Promise<string> {
  const rows = [["ms to CONNACK", "from no process", "from no object", "with all there"]];
  for (const { name, worker } of all) {
    const times: [number, number, number][] = [];
    for (let i = 0; i < STARTS; i++) {
      const begin = performance.now();
      const workerd = await WorkerdProcess.start({
        program: { binary, worker },
        bindings: OPEN,
        isForgetful: true,
      });
      try {
        const first = await connect(workerd, "first");
        const cold = performance.now() - begin;
        first.close();
        await workerd.evict();
        times.push([cold, await timeOfConnect(workerd, "a"), await timeOfConnect(workerd, "b")]);
      } finally {
        await workerd.discard();
      }
    }
    rows.push([name, ...[0, 1, 2].map((i) => digits(median(times.map((each) => each[i]!))))]);
  }
  return `${table(rows)}\n`;
}

/** From a PINGREQ to a sleeping object to the PINGRESP, and what that costs the process. */
export async function wakeUps(binary: string, all: readonly Candidate[]): Promise<string> {
  const rows = [["a wake-up", "asleep", "ms", "CPU ms", "ms awake"]];
  for (const { name, worker } of all) {
    for (const asleep of ASLEEP) {
      const workerd = await WorkerdProcess.start({
        program: { binary, worker },
        bindings: OPEN,
        isForgetful: true,
      });
      try {
        const socket = await connect(workerd, "one");
        for (let i = 0; i < asleep; i++) await connect(workerd, `asleep-${i}`);
        const awake: number[] = [];
        const waking: number[] = [];
        let cpu = 0;
        for (let i = 0; i < WAKES; i++) {
          awake.push(await timeOfPing(socket));
          await workerd.evict();
          const before = usageOf(workerd.processId)?.cpuSeconds ?? NaN;
          waking.push(await timeOfPing(socket));
          cpu += (usageOf(workerd.processId)?.cpuSeconds ?? NaN) - before;
        }
        const figures = [median(waking), cpu * 1000 / WAKES, median(awake)].map(digits);
        rows.push([name, `${asleep}`, ...figures]);
      } finally {
        await workerd.discard();
      }
    }
  }
  return `${table(rows)}\n`;
}

async function timeOfConnect(workerd: WorkerdProcess, clientId: string): Promise<number> {
  const begin = performance.now();
  const socket = await connect(workerd, clientId);
  const time = performance.now() - begin;
  socket.close();
  return time;
}

async function timeOfPing(socket: WebSocket): Promise<number> {
  const begin = performance.now();
  await answerTo(socket, PINGREQ);
  return performance.now() - begin;
}

/** Resolves with the CONNACK. */
async function connect(workerd: WorkerdProcess, clientId: string): Promise<WebSocket> {
  const socket = new WebSocket(workerd.url(), "mqtt");
  socket.binaryType = "arraybuffer";
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error(`The Worker refuses:\n${workerd.output}`));
  });
  const id = new TextEncoder().encode(clientId);
  const length = CONNECT_HEAD.length + 2 + id.length;
  await answerTo(socket, Uint8Array.of(0x10, length, ...CONNECT_HEAD, 0, id.length, ...id));
  return socket;
}

function answerTo(socket: WebSocket, packet: Uint8Array<ArrayBuffer>): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.onmessage = () => resolve();
    socket.onclose = ({ code }) => reject(new Error(`The Worker closes with ${code}`));
    socket.send(packet);
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
