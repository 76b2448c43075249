/**
 * What a configuration means to the core: its limits, and what each listener grants. Everything
 * else of a configuration concerns the program around the core.
 *
 * @module
 */

import type { Config, ListenerConfig } from "../config/config.ts";
import { DEFAULT_LIMITS, type Limits } from "../core/broker/limits.ts";
import type { ListenerSettings } from "../core/session/peer.ts";
import { NEVER_EXPIRES } from "../core/session/session.ts";

const MS_PER_MINUTE = 60_000;

/** The limits of the core. */
export function limitsOf({ general, rateLimits }: Config): Limits {
  return {
    ...DEFAULT_LIMITS,
    maximumPacketSize: general.maxPacketSize,
    messageSizeLimit: general.messageSizeLimit,
    inflightMessagesMax: general.maxInflightMessages,
    inflightBytesMax: general.maxInflightBytes,
    // The one option bounds both directions.
    receiveMaximum: general.maxInflightMessages,
    queuedMessagesMax: general.maxQueuedMessages,
    queuedBytesMax: general.maxQueuedBytes,
    queuedMessagesTotalMax: general.maxQueuedMessagesTotal,
    queuedBytesTotalMax: general.maxQueuedBytesTotal,
    queueQos0Messages: general.queueQos0Messages,
    upgradesOutgoingQos: general.upgradeOutgoingQos,
    allowsDuplicateMessages: general.allowDuplicateMessages,
    checksRetainSource: general.checkRetainSource,
    retainAvailable: general.retainAvailable,
    retainSweepMs: general.retainExpiryInterval * MS_PER_MINUTE,
    keepAliveMax: general.maxKeepalive,
    sessionExpiryIntervalMax: Math.min(general.persistentClientExpiration, NEVER_EXPIRES),
    connectionsMax: Math.min(general.globalMaxConnections, DEFAULT_LIMITS.connectionsMax),
    sessionsMax: Math.min(general.globalMaxClients, DEFAULT_LIMITS.sessionsMax),
    clientIdPrefixes: general.clientIdPrefixes,
    publishRateCount: rateLimits.publishes?.count ?? 0,
    publishRateSeconds: rateLimits.publishes?.seconds ?? 0,
  };
}

/** What a listener grants to those who come in by it. */
export function settingsOf(listener: ListenerConfig): ListenerSettings {
  return {
    name: listener.path ?? String(listener.port),
    protocolVersions: listener.acceptProtocolVersions,
    maximumQos: listener.maxQos,
    topicAliasMaximum: listener.maxTopicAlias,
    topicAliasMaximumBroker: listener.maxTopicAliasBroker,
    allowZeroLengthClientId: listener.security.allowZeroLengthClientId,
    autoIdPrefix: listener.autoIdPrefix,
    connectionsMax: listener.maxConnections,
    mountPoint: listener.mountPoint,
    usesUsernameAsClientId: listener.useUsernameAsClientId,
    identitySource: listener.useSubjectAsUsername
      ? "subject"
      : listener.useIdentityAsUsername
      ? "common-name"
      : "none",
  };
}
