// A broker that is all of a server, for hosts that serve what a module exports:
//   deno serve -A --port 8080 examples/hosts/any.ts
//   PORT=8080 bun examples/hosts/any.ts
// Clients connect to ws://localhost:8080 with the subprotocol mqtt.

import { Broker } from "../../mod.ts";

const broker: Broker = new Broker();

export default broker;
