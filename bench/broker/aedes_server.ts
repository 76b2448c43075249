/**
 * Aedes, another broker in JavaScript, as a program of its own: the peer that runs wherever Midge
 * does. It takes the port as its only argument.
 *
 * @module
 */

import { createServer } from "node:net";
import process from "node:process";
import { Aedes } from "aedes";

const broker = await Aedes.createBroker();
createServer(broker.handle).listen(Number(process.argv[2]), "127.0.0.1");
