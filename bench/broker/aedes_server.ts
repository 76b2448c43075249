/**
 * Aedes, another broker in JavaScript, as a program of its own: the peer that runs wherever Midge
 * does. It takes the port, and a folder for LevelDB when it is to keep what it has.
 *
 * @module
 */

import { createServer } from "node:net";
import process from "node:process";
import { Aedes } from "aedes";
import LevelPersistence from "aedes-persistence-level";
import { ClassicLevel } from "classic-level";

const folder = process.argv[3];
const broker = await Aedes.createBroker(
  folder === undefined ? {} : { persistence: new LevelPersistence(new ClassicLevel(folder)) },
);
createServer(broker.handle).listen(Number(process.argv[2]), "127.0.0.1");
