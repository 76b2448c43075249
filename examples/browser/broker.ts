// The broker, in a worker that all tabs of this site share: it lives as long as one of them is open.

import { Broker } from "../../web.ts";

const broker = new Broker();

addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports;
  void broker.serve(port!);
});
