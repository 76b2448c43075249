/**
 * The Worker in front of the objects: it finds out which object a client belongs to, and hands the
 * client over. Path and host are in the request, so the Worker is out of the way after that; the
 * user name is in the first packet, so there it stays in between.
 *
 * @module
 */

import { passOn } from "./pass_on.ts";
import { readSettings, type Tenants } from "./settings.ts";
import { refusalOf, subprotocolOf } from "./upgrade.ts";
import {
  type Bindings,
  makePair,
  type ObjectNamespace,
  switchTo,
  type TcpSocket,
} from "./workers_api.ts";

/** The binding by which the Worker reaches its objects. */
const NAMESPACE = "BROKER";
/** The object of those who belong to no tenant. */
const COMMON = "broker";
const UNAVAILABLE = "The broker is not configured rightly: its log says what is wrong\n";

/** How a Worker is made. */
export interface WorkerOptions {
  /**
   * Names the object that a client belongs to, by its request; in place of what the binding
   * `MIDGE_TENANTS` says.
   */
  readonly objectOf?: (request: Request, bindings: Bindings) => string;
}

/** What the host calls. */
export interface Worker {
  fetch(request: Request, bindings: Bindings): Promise<Response>;
  /** TCP, on hosts that have it. */
  connect(socket: TcpSocket, bindings: Bindings): Promise<void>;
}

/** Makes the Worker of a broker. */
export function makeWorker({ objectOf }: WorkerOptions = {}): Worker {
  return {
    async fetch(request, bindings) {
      const tenants = tenantsOf(bindings);
      if (tenants === undefined) return new Response(UNAVAILABLE, { status: 503 });
      const refusal = refusalOf(request);
      if (refusal !== undefined) return refusal;
      const objects = objectsOf(bindings);
      if (objectOf === undefined && tenants === "username") {
        const { 0: client, 1: socket } = makePair();
        passOn(socket, request, (username) => find(objects, username ?? COMMON));
        return switchTo(client, subprotocolOf(request)!);
      }
      const name = objectOf?.(request, bindings) ?? nameOf(request, tenants);
      return await find(objects, name).fetch(request);
    },
    async connect(socket, bindings) {
      const tenants = tenantsOf(bindings);
      // There is nothing to tell tenants apart by before the first packet, and nobody who reads it.
      if (tenants !== "one" || objectOf !== undefined) return await socket.writable.close();
      const inner = find(objectsOf(bindings), COMMON).connect("broker:1883");
      await Promise.all([
        socket.readable.pipeTo(inner.writable),
        inner.readable.pipeTo(socket.writable),
      ]);
    },
  };
}

/** What tells tenants apart; `undefined` when the bindings have a fault, which is logged. */
function tenantsOf(bindings: Bindings): Tenants | undefined {
  const result = readSettings(bindings);
  if ("settings" in result) return result.settings.tenants;
  for (const fault of result.faults) console.error(fault);
  return undefined;
}

function nameOf(request: Request, tenants: Tenants): string {
  const url = new URL(request.url);
  if (tenants === "host") return url.host;
  return tenants === "path" ? url.pathname : COMMON;
}

function objectsOf(bindings: Bindings): ObjectNamespace {
  // What the binding of this name is, the configuration of the deployment says.
  const objects = bindings[NAMESPACE] as ObjectNamespace | undefined;
  if (objects === undefined) throw new TypeError(`There is no binding "${NAMESPACE}"`);
  return objects;
}

function find(objects: ObjectNamespace, name: string): ReturnType<ObjectNamespace["get"]> {
  return objects.get(objects.idFromName(name));
}
