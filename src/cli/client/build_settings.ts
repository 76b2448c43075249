/**
 * From the draft of a command line to settings: defaults, and whether the options make sense
 * together. TLS has a file of its own, tls_settings.ts.
 *
 * @module
 */

import type { ConnectPacket } from "../../core/codec/packet.ts";
import { NO_PROPERTIES, type Properties } from "../../core/codec/property.ts";
import type { ProtocolVersion } from "../../core/codec/protocol.ts";
import type {
  ClientSettings,
  CommonSettings,
  CtrlSettings,
  PubSettings,
  ReceivingSettings,
  RrSettings,
  SubSettings,
} from "./client_settings.ts";
import type { Draft, PropertyCarrier } from "./draft.ts";
import { tlsSettingsOf } from "./tls_settings.ts";
import { UsageError } from "./usage_error.ts";
import { mqttText } from "./values.ts";
import { bytesOfText } from "./words.ts";

/** What identifiers are made of. */
export interface Identity {
  readonly processId: number;
  /** As many random letters and digits. */
  randomWord(length: number): string;
}

const PORT = 1883;
const PORT_TLS = 8883;
const NEVER = 0xffff_ffff;
const INFLIGHT_MAX = 65_535;
const RANDOM_ID_LENGTH = 18;
/** What a client of ours takes at once; a smaller number of messages needs less. */
const RECEIVE_MAXIMUM = 20;

/** Makes settings of a draft; throws a `UsageError` when they make no sense. */
export function buildSettings(draft: Draft, identity: Identity): ClientSettings {
  switch (draft.tool) {
    case "pub":
      return pubSettings(draft, identity);
    case "sub":
      return subSettings(draft, identity);
    case "rr":
      return rrSettings(draft, identity);
    case "ctrl":
      return ctrlSettings(draft, identity);
  }
}

function pubSettings(draft: Draft, identity: Identity): PubSettings {
  const [topic] = draft.topics;
  const { source } = draft;
  const common = commonSettings(draft, identity);
  if (topic === undefined || source === undefined) {
    throw new UsageError("Error: Both topic and message must be supplied.", "usage");
  }
  const { qos, retain, repetitions, repeatDelayMs } = draft;
  const properties = propertiesOf(draft, "publish");
  return {
    ...common,
    tool: "pub",
    topic,
    source,
    qos,
    retain,
    properties,
    repetitions,
    repeatDelayMs,
  };
}

function subSettings(draft: Draft, identity: Identity): SubSettings {
  const { topics: filters, unsubscriptions, countMax, onlyRetained } = draft;
  if (filters.length === 0 && unsubscriptions.length === 0) {
    const message = "You must specify a topic to subscribe to (-t) or unsubscribe from (-U).";
    throw new UsageError(`Error: ${message}`);
  }
  if (draft.ignoresRetained && onlyRetained) {
    throw new UsageError("Error: Combining '-R' and '--retained-only' makes no sense.", "none");
  }
  return {
    ...receivingSettings(draft, identity),
    tool: "sub",
    filters,
    unsubscriptions,
    unsubscribeProperties: propertiesOf(draft, "unsubscribe"),
    filteredOut: draft.filteredOut,
    countMax,
    exitsWhenSubscribed: draft.exitsWhenSubscribed,
    onlyRetained,
    removesRetained: draft.removesRetained,
    isWatching: draft.isWatching,
    printsRate: draft.printsRate,
    randomShare: draft.randomShare,
  };
}

function rrSettings(draft: Draft, identity: Identity): RrSettings {
  const { responseTopic, source, printsLatency } = draft;
  const [topic] = draft.topics;
  const receiving = receivingSettings(draft, identity);
  if (topic === undefined || source === undefined || responseTopic === undefined) {
    const message = "Error: All of topic, message, and response topic must be supplied.";
    throw new UsageError(message);
  }
  // Its table of options has no -l.
  const single = source as RrSettings["source"];
  const published = propertiesOf(draft, "publish");
  const properties = versionOf(draft) === 5 ? { ...published, responseTopic } : published;
  const place = { ...receiving.place, noDelay: draft.noDelay || printsLatency };
  return {
    ...receiving,
    place,
    tool: "rr",
    topic,
    source: single,
    responseTopic,
    properties,
    printsLatency,
  };
}

function ctrlSettings(draft: Draft, identity: Identity): CtrlSettings {
  return { ...commonSettings(draft, identity), tool: "ctrl", qos: draft.qos };
}

function receivingSettings(draft: Draft, identity: Identity): ReceivingSettings {
  const { format, isVerbose, endsLines, isPretty, ignoresRetained } = draft;
  return {
    ...commonSettings(draft, identity),
    output: { format, isVerbose, endsLines, isPretty },
    qos: draft.qos,
    subscribeProperties: propertiesOf(draft, "subscribe"),
    retainAsPublished: draft.retainAsPublished,
    retainHandling: ignoresRetained ? 2 : draft.retainHandling ?? 0,
    ignoresRetained,
    timeLimitMs: draft.timeLimitMs,
  };
}

function commonSettings(draft: Draft, identity: Identity): CommonSettings {
  const { hostname, unixPath, localAddress, proxy, usesWebSocket, noDelay } = draft;
  const connect = connectPacket(draft, identity);
  const tls = tlsSettingsOf(draft);
  const usesTlsPort = !draft.isClearText && draft.psk !== undefined ||
    !draft.isClearText && (draft.authoritiesFile ?? draft.authoritiesDirectory) !== undefined;
  const port = draft.port ?? (usesTlsPort ? PORT_TLS : PORT);
  return {
    place: { hostname, port, unixPath, localAddress, proxy, usesWebSocket, noDelay },
    tls,
    connect,
    disconnectProperties: propertiesOf(draft, "disconnect"),
    inflightMax: Math.min(draft.inflightMax, INFLIGHT_MAX),
    isDebugging: draft.isDebugging,
    isQuiet: draft.isQuiet,
  };
}

function connectPacket(draft: Draft, identity: Identity): ConnectPacket {
  const protocolVersion = versionOf(draft);
  const packet: ConnectPacket = {
    type: "connect",
    protocolVersion,
    isBridge: false,
    clientId: clientIdOf(draft, protocolVersion, identity),
    cleanStart: draft.cleanStart,
    keepAlive: draft.keepAlive,
    properties: protocolVersion === 5 ? connectProperties(draft) : NO_PROPERTIES,
  };
  checkSession(draft, packet);
  addLogin(draft, packet);
  addWill(draft, packet);
  return packet;
}

/** Whatever only version 5 has switches to it. */
function versionOf(draft: Draft): ProtocolVersion {
  const needsVersion5 = draft.sessionExpiryInterval !== undefined ||
    Object.keys(draft.properties).length > 0;
  const isOfVersion5 = draft.tool === "rr" || draft.tool === "ctrl";
  return needsVersion5 ? 5 : draft.protocolVersion ?? (isOfVersion5 ? 5 : 4);
}

function clientIdOf(draft: Draft, version: ProtocolVersion, identity: Identity): string {
  const { clientId, clientIdPrefix } = draft;
  if (clientIdPrefix !== undefined) return `${clientIdPrefix}${identity.processId}`;
  if (clientId === undefined && version === 3 && draft.cleanStart) {
    return `mosq-${identity.randomWord(RANDOM_ID_LENGTH)}`;
  }
  return clientId ?? "";
}

function connectProperties(draft: Draft): Properties {
  const { cleanStart, sessionExpiryInterval, countMax } = draft;
  const properties: Properties = { ...draft.properties.connect };
  if (sessionExpiryInterval !== undefined && properties.sessionExpiryInterval !== undefined) {
    const message = "Error in CONNECT properties: Duplicate property in property list";
    throw new UsageError(message);
  }
  const expiry = sessionExpiryInterval ?? properties.sessionExpiryInterval ??
    (cleanStart ? undefined : NEVER);
  if (expiry !== undefined) properties.sessionExpiryInterval = expiry;
  if (countMax !== undefined && countMax < RECEIVE_MAXIMUM) {
    properties.receiveMaximum ??= countMax;
  }
  return properties;
}

function checkSession(draft: Draft, packet: ConnectPacket): void {
  if (draft.cleanStart || packet.clientId !== "") return;
  if (packet.protocolVersion !== 5) {
    const message = "Error: You must provide a client id if you are using the -c option.";
    throw new UsageError(message);
  }
  if (packet.properties.sessionExpiryInterval === NEVER) {
    const what = "if you are using an infinite session expiry interval";
    throw new UsageError(`Error: You must provide a client id ${what}.`);
  }
}

function addLogin(draft: Draft, packet: ConnectPacket): void {
  const { username, password } = draft;
  const problem = "Error: Problem setting username and/or password.";
  if (username !== undefined) {
    try {
      packet.username = mqttText(username, "-u");
    } catch {
      throw new UsageError(problem, "none");
    }
  }
  if (password === undefined) return;
  packet.password = bytesOfText(password);
  const isAlone = username === undefined && packet.protocolVersion !== 5;
  if (isAlone || packet.password.length > 65_535) throw new UsageError(problem, "none");
}

function addWill(draft: Draft, packet: ConnectPacket): void {
  const { willTopic: topic, willPayload, willQos: qos, willRetain: retain } = draft;
  if (topic === undefined) {
    if (willPayload !== undefined) {
      throw new UsageError("Error: Will payload given, but no will topic given.");
    }
    if (retain) throw new UsageError("Error: Will retain given, but no will topic given.");
    return;
  }
  const payload = bytesOfText(willPayload ?? "");
  if (payload.length > 65_535) throw new UsageError("Error: Will payload is too large.");
  packet.will = { topic, payload, qos, retain, properties: propertiesOf(draft, "will") };
}

function propertiesOf(draft: Draft, carrier: PropertyCarrier): Properties {
  return draft.properties[carrier] ?? NO_PROPERTIES;
}
