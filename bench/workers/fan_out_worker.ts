/**
 * The control row: what somebody writes by hand who needs no broker. One object hands each message
 * of QoS 0 to the sockets that asked for its topic, to the letter; filters of a socket stand in its
 * attachment, so that the object may hibernate. Nothing else of MQTT is understood.
 *
 * @module
 */

/** What is used here of the host's WebSocket. */
interface ServerSocket {
  send(bytes: ArrayBuffer | Uint8Array): void;
  close(code?: number): void;
  serializeAttachment(value: readonly string[]): void;
  deserializeAttachment(): readonly string[] | null;
}

interface State {
  acceptWebSocket(socket: ServerSocket): void;
  getWebSockets(): ServerSocket[];
}

interface Stub {
  fetch(request: Request): Promise<Response>;
}

interface Environment {
  readonly BROKER: { idFromName(name: string): unknown; get(id: unknown): Stub };
}

declare const WebSocketPair: new () => readonly [unknown, ServerSocket];

const CONNACK = Uint8Array.of(0x20, 2, 0, 0);
const PINGRESP = Uint8Array.of(0xd0, 0);

const decoder = new TextDecoder();

/** All sockets there are, and who wants what. */
export class BrokerObject {
  readonly #state: State;
  readonly #readers: Map<string, ServerSocket[]> = new Map();

  constructor(state: State) {
    this.#state = state;
    for (const socket of state.getWebSockets()) {
      for (const topic of socket.deserializeAttachment() ?? []) this.#add(topic, socket);
    }
  }

  fetch(): Response {
    const [client, server] = new WebSocketPair();
    this.#state.acceptWebSocket(server);
    const headers = { "sec-websocket-protocol": "mqtt" };
    // What the host takes is more than the types of the web know.
    return new Response(null, { status: 101, webSocket: client, headers } as ResponseInit);
  }

  webSocketMessage(socket: ServerSocket, frame: ArrayBuffer): void {
    const bytes = new Uint8Array(frame);
    // A frame is a packet: so clients send them.
    let at = 1;
    while (bytes[at]! >= 0x80) at++;
    at++;
    switch (bytes[0]! >> 4) {
      case 1:
        return socket.send(CONNACK);
      case 3:
        for (const reader of this.#readers.get(text(bytes, at)) ?? []) reader.send(frame);
        return;
      case 8:
        return this.#subscribe(socket, bytes, at);
      case 12:
        return socket.send(PINGRESP);
      case 14:
        return socket.close(1000);
    }
  }

  webSocketClose(socket: ServerSocket): void {
    for (const topic of socket.deserializeAttachment() ?? []) {
      const left = this.#readers.get(topic)?.filter((reader) => reader !== socket);
      this.#readers.set(topic, left ?? []);
    }
  }

  #subscribe(socket: ServerSocket, bytes: Uint8Array, start: number): void {
    const topics: string[] = [];
    for (let at = start + 2; at < bytes.length;) {
      const topic = text(bytes, at);
      topics.push(topic);
      this.#add(topic, socket);
      at += 2 + (bytes[at]! << 8 | bytes[at + 1]!) + 1;
    }
    socket.serializeAttachment([...socket.deserializeAttachment() ?? [], ...topics]);
    const codes = topics.map(() => 0);
    socket.send(Uint8Array.of(0x90, 2 + codes.length, bytes[start]!, bytes[start + 1]!, ...codes));
  }

  #add(topic: string, socket: ServerSocket): void {
    const readers = this.#readers.get(topic);
    if (readers === undefined) this.#readers.set(topic, [socket]);
    else readers.push(socket);
  }
}

function text(bytes: Uint8Array, at: number): string {
  const length = bytes[at]! << 8 | bytes[at + 1]!;
  return decoder.decode(bytes.subarray(at + 2, at + 2 + length));
}

export default {
  fetch(request: Request, { BROKER }: Environment): Promise<Response> {
    return BROKER.get(BROKER.idFromName("bench")).fetch(request);
  },
};
