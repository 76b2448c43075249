/**
 * Midge as a Worker: an MQTT broker at the edge, for clients over WebSocket and, where the host has
 * it, over TCP. The host calls the default export, and makes objects of the class.
 *
 * @module
 */

import { makeWorker, type Worker } from "./front.ts";

export { BrokerObject, type Decider, type OwnParts } from "./broker_object.ts";
export { makeWorker } from "./front.ts";

const worker: Worker = makeWorker();

export default worker;
