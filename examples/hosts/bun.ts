// A broker beside a site of one's own, on Bun: bun examples/hosts/bun.ts
// Clients connect to ws://localhost:8080/mqtt with the subprotocol mqtt.

import { Broker } from "../../mod.ts";

const broker = new Broker();

export default {
  port: 8080,
  fetch(request: Request, server: unknown): Response | Promise<Response> {
    if (new URL(request.url).pathname === "/mqtt") return broker.fetch(request, server);
    return new Response("Hello from the site\n");
  },
  websocket: broker.websocket,
};
