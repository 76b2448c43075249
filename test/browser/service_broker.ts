// The same in a service worker, which the browser keeps for as long as it is told that somebody is
// served, and no longer than a few minutes.

import { Broker } from "../../web.ts";

/** The part of an event of service workers that is used here. */
interface ServiceEvent extends MessageEvent {
  waitUntil(task: Promise<unknown>): void;
}

const broker = new Broker();

addEventListener("message", (event) => {
  const { ports: [port], waitUntil } = event as ServiceEvent;
  waitUntil.call(event, broker.serve(port!));
});
