// The broker of the browser's tests, in a worker that the tabs share, and whatever else tells of it.

import { Broker } from "../../web.ts";

const broker = new Broker();

addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports;
  void broker.serve(port!);
});

const channel = new BroadcastChannel("inside");
channel.onmessage = ({ data }) => {
  if (data === "ask") channel.postMessage({ ...broker.gauges, ...broker.counters });
};
