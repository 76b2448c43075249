/**
 * What the broker knows of one Network Connection, from its first byte to its end. It owns the
 * framer of what comes in and the outbox of what goes out; the rules are in the handlers.
 *
 * A connection is also a deadline: that of its CONNECT at first, then that of its Keep Alive.
 *
 * @module
 */

import type { BufferPool } from "../base/buffer_pool.ts";
import { Framer } from "../codec/framer.ts";
import type { ConnectPacket, SubscribePacket } from "../codec/packet.ts";
import type { ProtocolVersion, QoS } from "../codec/protocol.ts";
import type { ReasonCode } from "../codec/reason_code.ts";
import type { Message } from "../session/message.ts";
import type { Session, Subscription } from "../session/session.ts";
import type { SharedGroup } from "../session/shared_group.ts";
import type { InboundAliases, OutboundAliases } from "../session/topic_aliases.ts";
import { MountPoint } from "../topic/mount_point.ts";
import type { Topic } from "../topic/route_table.ts";
import { Outbox } from "./outbox.ts";
import type { ListenerSettings, Peer } from "../session/peer.ts";
import type { ConnectRequest } from "./question.ts";

/** What a topic leads to. */
export type Target = Subscription<Connection> | SharedGroup<Connection>;

/** Where a connection stands; it only ever moves down this list. */
export type Phase = "opened" | "connecting" | "connected" | "ended";

/** What an accepted or refused answer will be applied to. */
export type Pending =
  | {
    readonly kind: "connect" | "authenticate";
    readonly packet: ConnectPacket;
    readonly request: ConnectRequest;
  }
  | {
    readonly kind: "publish";
    /** A kept message. */
    readonly message: Message;
    /** Those of the PUBLISH, whatever has become of its message. */
    readonly qos: QoS;
    readonly packetId: number;
    /** The message is one that an answer has put in the place of that of the PUBLISH. */
    readonly isReplaced: boolean;
  }
  | {
    readonly kind: "subscribe";
    readonly packet: SubscribePacket;
    /** One per filter; `undefined` where the answer decides. */
    readonly reasonCodes: readonly (ReasonCode | undefined)[];
  };

/** Above any number of aliases. */
const MARKS = 65_536;

export class Connection {
  readonly kind = "connection";
  readonly peer: Peer;
  /** What is granted to those who come in where it did; a reload may replace it. */
  listener: ListenerSettings;
  /** What its CONNACK promised, which no reload takes back. */
  granted: ListenerSettings;
  /** That of the listener, for as long as the connection lasts. */
  readonly mount: MountPoint | undefined;
  readonly framer: Framer;
  readonly outbox: Outbox;

  phase: Phase = "opened";
  /** That of the client once its CONNECT is read. */
  protocolVersion: ProtocolVersion = 4;
  session: Session<Connection> | undefined = undefined;
  isBridge = false;
  /** The method of the enhanced authentication that let it in. */
  authenticationMethod: string | undefined = undefined;

  /** Milliseconds without a packet after which it is closed; 0: never. */
  silenceMaxMs = 0;
  lastHeardAt = 0;
  /** PUBLISH packets that it may send now, as of `publishesCountedAt`; see `publish_rate.ts`. */
  publishesLeft = 0;
  publishesCountedAt = -Infinity;
  /** Until when it is not read from because it has sent too many, 0 when it is. */
  waitsUntil = 0;
  /** It has had to wait since it connected. */
  hasWaited = false;
  /** Bytes of the largest packet that the client accepts. */
  sendSizeMax = Infinity;
  /**
   * What is common to a message's receivers may be sent to it as it stands: it has no mount point,
   * no aliases and no limit of its own. Asked for each delivery, therefore noted.
   */
  isPlain: boolean;
  inboundAliases: InboundAliases<Topic<Target>> | undefined = undefined;
  outboundAliases: OutboundAliases | undefined = undefined;
  /** The topic of its last PUBLISH: most clients repeat themselves. */
  lastTopic: Topic<Target> | undefined = undefined;

  /** The question that its packets wait for, 0 when there is none. */
  questionId = 0;
  pending: Pending | undefined = undefined;
  /** Who is being authenticated again; its other packets go on meanwhile. */
  reauthentication: ConnectRequest | undefined = undefined;

  /** It is on the list of the turn's dirty connections. */
  isDirty = false;
  /** The transport should stop reading. The driver compares this with what it did last. */
  isPaused = false;
  /** What it contributes to the total backlog. */
  countedBacklog = 0;
  /** Since when its transport has held a buffer, 0 while it holds none. */
  lentSince = 0;
  /** Its retained messages or queue wait for the backlog to go. */
  isStalled = false;

  // A deadline; see the module.
  at = Infinity;
  heapIndex = -1;

  constructor(
    peer: Peer,
    listener: ListenerSettings,
    packetLimits: Uint32Array,
    pool: BufferPool,
  ) {
    this.peer = peer;
    this.listener = this.granted = listener;
    const { mountPoint } = listener;
    this.mount = mountPoint === "" ? undefined : new MountPoint(mountPoint);
    this.isPlain = this.mount === undefined;
    this.framer = new Framer(packetLimits, pool);
    this.outbox = new Outbox(pool);
  }

  /** Another number whenever what was sent has changed what a snapshot must say of it. */
  get sentMark(): number {
    const aliases = this.outboundAliases?.size ?? 0;
    // What a session can resume a store knows.
    if (this.session?.isPersistent !== false) return aliases;
    return aliases + MARKS * this.session.sender.begun;
  }

  /** What to call it in logs: its client, or its address before that is known. */
  get label(): string {
    return this.session?.clientId ?? `${this.peer.remoteAddress}:${this.peer.remotePort}`;
  }
}
