/**
 * The part of the host of Workers that the broker stands on, by its shape: objects with storage and
 * sockets that outlive memory, and TCP where the host has it. Nothing of it is imported, so the
 * Worker is typed without the host's own types.
 *
 * @module
 */

/** A WebSocket that stays open while the object that has accepted it is out of memory. */
export interface HibernatingSocket {
  send(message: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  /** Keeps a value with the socket, at most 16,384 bytes of it. */
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** A WebSocket that a Worker itself has accepted or dialled. */
export interface PlainSocket {
  /** Newer hosts give blobs unless told otherwise. */
  binaryType?: string;
  accept(): void;
  send(message: ArrayBuffer | Uint8Array<ArrayBuffer> | string): void;
  close(code?: number, reason?: string): void;
  addEventListener(
    type: "message",
    listener: (event: { readonly data: ArrayBuffer | string }) => void,
  ): void;
  addEventListener(
    type: "close",
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
  addEventListener(type: "error", listener: () => void): void;
}

/** Both ends of a WebSocket: the first goes to the client with the response. */
export interface SocketPair {
  readonly 0: PlainSocket;
  readonly 1: HibernatingSocket & PlainSocket;
}

/** What comes of one statement. */
export interface SqlCursor {
  raw(): Iterable<(ArrayBuffer | string | number | null)[]>;
  /** Rows of tables and indexes. */
  readonly rowsWritten: number;
}

export interface ObjectStorage {
  readonly sql: {
    exec(
      statement: string,
      ...values: readonly (ArrayBuffer | Uint8Array | string | number | null)[]
    ): SqlCursor;
  };
  transactionSync<T>(action: () => T): T;
  getAlarm(): Promise<number | null>;
  setAlarm(at: number): Promise<void>;
}

/** What an object is given when it is made. */
export interface ObjectState {
  readonly storage: ObjectStorage;
  acceptWebSocket(socket: HibernatingSocket): void;
  getWebSockets(): HibernatingSocket[];
  waitUntil(promise: Promise<unknown>): void;
  blockConcurrencyWhile<T>(action: () => Promise<T>): Promise<T>;
}

/** A TCP connection that came in, or one to an object. */
export interface TcpSocket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly opened?: Promise<{ readonly remoteAddress?: string }>;
}

/** An object from outside. */
export interface ObjectStub {
  fetch(request: Request): Promise<Response>;
  connect(address: string): TcpSocket;
}

/** The class of objects that a Worker is bound to. */
export interface ObjectNamespace {
  idFromName(name: string): unknown;
  get(id: unknown): ObjectStub;
}

/** What the operator gives the Worker: text, secrets, and the objects. */
export type Bindings = Readonly<Record<string, unknown>>;

/** What has become of an upgrade. */
export interface UpgradeResponse extends Response {
  readonly webSocket?: PlainSocket | null;
}

/** Makes both ends of a WebSocket. */
export function makePair(): SocketPair {
  const { WebSocketPair } = globalThis as unknown as { WebSocketPair: new () => SocketPair };
  return new WebSocketPair();
}

/** The answer that gives a client its end of a WebSocket. */
export function switchTo(socket: PlainSocket, subprotocol: string): Response {
  const init = {
    status: 101,
    headers: { "sec-websocket-protocol": subprotocol },
    webSocket: socket,
  };
  return new Response(null, init);
}
