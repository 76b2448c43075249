/**
 * What has been read of a command line so far. Options write into it in the order in which they are
 * given, so that of two values the later one wins; what they mean together is decided in
 * build_settings.ts.
 *
 * @module
 */

import type { Properties } from "../../core/codec/property.ts";
import type { ProtocolVersion, QoS } from "../../core/codec/protocol.ts";
import type { MessageSource, ProxySettings, ToolName } from "./client_settings.ts";

/** The packets that can be given properties. */
export type PropertyCarrier =
  | "connect"
  | "publish"
  | "subscribe"
  | "unsubscribe"
  | "disconnect"
  | "will";

export class Draft {
  readonly tool: ToolName;
  /** What is asked for instead of all the rest. */
  request: "help" | "version" | undefined;

  hostname = "localhost";
  port: number | undefined;
  unixPath: string | undefined;
  localAddress: string | undefined;
  proxy: ProxySettings | undefined;
  usesWebSocket = false;
  noDelay = false;

  clientId: string | undefined;
  clientIdPrefix: string | undefined;
  username: string | undefined;
  password: string | undefined;
  protocolVersion: ProtocolVersion | undefined;
  keepAlive = 60;
  cleanStart = true;
  sessionExpiryInterval: number | undefined;
  inflightMax = 20;
  qos: QoS = 0;
  isDebugging = false;
  isQuiet = false;
  readonly properties: Partial<Record<PropertyCarrier, Properties>> = {};

  willTopic: string | undefined;
  willPayload: string | undefined;
  willQos: QoS = 0;
  willRetain = false;

  authoritiesFile: string | undefined;
  authoritiesDirectory: string | undefined;
  trustsSystem = false;
  certificateFile: string | undefined;
  keyFile: string | undefined;
  keyForm: string | undefined;
  ciphers: string | undefined;
  tlsVersion: string | undefined;
  tlsProtocol: string | undefined;
  tlsEngine: string | undefined;
  tlsEngineSecret: string | undefined;
  keyLogFile: string | undefined;
  isInsecure = false;
  isClearText = false;
  psk: string | undefined;
  pskIdentity: string | undefined;

  /** Of -t and -L: the topic of pub and rr, the filters of sub. */
  topics: string[] = [];
  source: MessageSource | undefined;
  retain = false;
  repetitions = 1;
  repeatDelayMs = 0;

  filteredOut: string[] = [];
  unsubscriptions: string[] = [];
  countMax: number | undefined;
  exitsWhenSubscribed = false;
  format: string | undefined;
  endsLines = true;
  isVerbose = false;
  isPretty = false;
  ignoresRetained = false;
  onlyRetained = false;
  removesRetained = false;
  retainAsPublished = false;
  retainHandling: 0 | 1 | 2 | undefined;
  timeLimitMs: number | undefined;
  isWatching = false;
  printsRate = false;
  randomShare: number | undefined;
  responseTopic: string | undefined;
  printsLatency = false;

  constructor(tool: ToolName) {
    this.tool = tool;
    if (tool === "ctrl") this.qos = 1;
  }
}
