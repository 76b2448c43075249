/**
 * The request by which a client comes: to become a WebSocket that speaks MQTT. Whatever else a
 * request wants is told in plain words what is here.
 *
 * @module
 */

/** What is spoken, the best first. [MQTT-6.0.0-3] */
const SUBPROTOCOLS: readonly string[] = ["mqtt", "mqttv3.1"];

const SWITCH_FIRST = "Here is an MQTT broker: connect with a WebSocket, subprotocol mqtt\n";
const NO_SUBPROTOCOL = "Name the WebSocket subprotocol mqtt\n";

/** What a request is answered that is not a client's; `undefined` for one that is. */
export function refusalOf(request: Request): Response | undefined {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return new Response(SWITCH_FIRST, { status: 426, headers: { upgrade: "websocket" } });
  }
  if (subprotocolOf(request) === undefined) return new Response(NO_SUBPROTOCOL, { status: 400 });
  return undefined;
}

/** The subprotocol that is spoken with a client. [MQTT-6.0.0-4] */
export function subprotocolOf(request: Request): string | undefined {
  const offered = request.headers.get("sec-websocket-protocol")?.split(",").map((one) =>
    one.trim()
  );
  return SUBPROTOCOLS.find((known) => offered?.includes(known) === true);
}

/** Where the client is, as the host tells it; `""` where it does not. */
export function addressOf(request: Request): string {
  return request.headers.get("cf-connecting-ip") ?? "";
}
