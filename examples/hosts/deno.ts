// A broker beside a site of one's own, on Deno and Deno Deploy: deno run -A examples/hosts/deno.ts
// Clients connect to ws://localhost:8080/mqtt with the subprotocol mqtt.

import { Broker } from "../../mod.ts";

const broker = new Broker();

Deno.serve({ port: 8080 }, (request, info) => {
  if (new URL(request.url).pathname === "/mqtt") return broker.fetch(request, info);
  return new Response("Hello from the site\n");
});
