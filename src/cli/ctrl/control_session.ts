/**
 * A connection to a broker over which its control API is asked, one command at a time. What is sent
 * and how it is read is in control_request.ts.
 *
 * @module
 */

import type { IncomingMessage } from "../../core/client/incoming_message.ts";
import { PublishRefusal } from "../../core/client/outbound.ts";
import type { ConnackPacket, SubackPacket } from "../../core/codec/packet.ts";
import type { ProtocolVersion, QoS } from "../../core/codec/protocol.ts";
import { ReasonCode, toReturnCode } from "../../core/codec/reason_code.ts";
import { ClientFailure, FAILURES } from "../client/client_failure.ts";
import type { CtrlSettings } from "../client/client_settings.ts";
import { reasonText, refusalText } from "../client/reason_text.ts";
import { ToolClient, type ToolSurroundings, type ToolWork } from "../client/tool_client.ts";
import {
  type ControlReply,
  type ControlRequest,
  encodeRequest,
  readResponse,
  responseTopicOf,
} from "./control_request.ts";

/** What became of a request. */
export type ControlOutcome =
  | ControlReply
  | { readonly kind: "timed-out" }
  /** The connection is gone, which has been told. */
  | { readonly kind: "ended"; readonly status: number };

interface Pending {
  readonly endpoint: string;
  readonly request: ControlRequest;
  readonly settle: (outcome: ControlOutcome) => void;
}

const REFUSALS: Readonly<Record<number, string>> = {
  [PublishRefusal.PACKET_TOO_LARGE]: FAILURES.packetSize.text,
  [PublishRefusal.QOS_NOT_SUPPORTED]: FAILURES.qos.text,
};

export class ControlSession implements ToolWork {
  readonly reconnects: boolean = false;
  readonly #client: ToolClient;
  readonly #qos: QoS;
  readonly #version: ProtocolVersion;
  readonly #now: () => number;
  /** Endpoints whose responses are subscribed to. */
  readonly #heard: Set<string> = new Set();
  #begun: () => void = () => {};
  #ended: Promise<number> | undefined;
  #pending: Pending | undefined;

  constructor(settings: CtrlSettings, surroundings: ToolSurroundings) {
    this.#client = new ToolClient(settings, this, surroundings);
    this.#qos = settings.qos;
    this.#version = settings.connect.protocolVersion;
    this.#now = () => surroundings.runtime.now();
  }

  /** Connects; gives the exit status when that is not possible, which has been told. */
  static async open(
    settings: CtrlSettings,
    surroundings: ToolSurroundings,
  ): Promise<ControlSession | number> {
    const session = new ControlSession(settings, surroundings);
    const begun = new Promise<void>((resolve) => session.#begun = resolve);
    session.#ended = session.#client.run();
    const status = await Promise.race([session.#ended, begun]);
    return status ?? session;
  }

  get isOpen(): boolean {
    return this.#client.engine.phase === "connected";
  }

  /** Has a command carried out. */
  async ask(
    endpoint: string,
    request: ControlRequest,
    limitMs: number,
  ): Promise<ControlOutcome> {
    if (!this.isOpen) return { kind: "ended", status: await this.#ended! };
    const outcome = new Promise<ControlOutcome>((settle) => {
      this.#pending = { endpoint, request, settle };
      this.#ended!.then((status) => settle({ kind: "ended", status }));
    });
    const timer = setTimeout(() => this.#settle({ kind: "timed-out" }), limitMs);
    if (this.#heard.has(endpoint)) this.#send(this.#pending!);
    else this.#listen(endpoint);
    this.#client.wake();
    try {
      return await outcome;
    } finally {
      clearTimeout(timer);
      this.#pending = undefined;
    }
  }

  /** Says good-bye. */
  async close(): Promise<void> {
    this.#client.finish(0);
    await this.#ended;
  }

  refusalOf({ reasonCode }: ConnackPacket): ClientFailure {
    const text = this.#version === 5
      ? reasonText(reasonCode)
      : `Connection Refused: ${refusalText(toReturnCode(reasonCode))}`;
    // As Mosquitto's: it has ended in order.
    return new ClientFailure(0, `Connection error: ${text}`);
  }

  onConnected(): void {
    this.#begun();
  }

  pump(): boolean {
    return false;
  }

  onSuback({ reasonCodes: [code = ReasonCode.UNSPECIFIED_ERROR] }: SubackPacket): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    if (code >= ReasonCode.UNSPECIFIED_ERROR) return this.#fail("Subscribe", reasonText(code));
    this.#heard.add(pending.endpoint);
    this.#send(pending);
  }

  onPublished(_packetId: number, code: ReasonCode): void {
    if (code >= ReasonCode.UNSPECIFIED_ERROR) this.#fail("Publish", reasonText(code));
  }

  onMessage(message: IncomingMessage): void {
    if (message.qos > 0) {
      this.#client.engine.acknowledge(message.packetId);
      this.#client.wake();
    }
    const pending = this.#pending;
    if (pending === undefined || message.topic !== responseTopicOf(pending.endpoint)) return;
    const reply = readResponse(message.copyPayload(), pending.request);
    if (reply !== undefined) this.#settle(reply);
  }

  onUnsuback(): void {}

  #listen(endpoint: string): void {
    this.#client.engine.subscribe([{
      filter: responseTopicOf(endpoint),
      qos: this.#qos,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    }]);
  }

  #send({ endpoint, request }: Pending): void {
    const options = { qos: this.#qos };
    const { engine } = this.#client;
    const packetId = engine.publish(endpoint, encodeRequest(request), options, this.#now());
    if (packetId < 0) this.#fail("Publish", REFUSALS[packetId] ?? FAILURES.invalid.text);
    this.#client.wake();
  }

  #fail(what: string, text: string): void {
    this.#settle({ kind: "error", text: `${what} error: ${text}` });
  }

  #settle(outcome: ControlOutcome): void {
    this.#pending?.settle(outcome);
  }
}
