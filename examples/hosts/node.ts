// A broker beside a site of one's own, on Node 24 or later: node examples/hosts/node.ts
// Clients connect to ws://localhost:8080 with the subprotocol mqtt.

import { createServer } from "node:http";
import { Broker } from "../../mod.ts";

const broker = new Broker();
const site = createServer((_request, response) => response.end("Hello from the site\n"));
site.on("upgrade", broker.upgrade);
site.listen({ port: 8080 });
