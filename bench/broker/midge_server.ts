/**
 * Midge without bounds on its queues, as a program of its own: for comparisons in which the others
 * are configured so too (Mosquitto with `max_queued_messages 0` and `max_inflight_messages 0`). It
 * takes the port as its only argument.
 *
 * @module
 */

// Not from `mod.ts`, which in a bundle takes itself for the program.
import { Broker } from "../../src/app/broker.ts";
import { currentRuntime } from "../../src/runtime/current.ts";

const runtime = await currentRuntime();
runtime.tuneProcess();
const broker = new Broker({ runtime, limits: { inflightMessagesMax: 0, queuedMessagesMax: 0 } });
await broker.listen({ port: Number(runtime.args[0]) });
