/**
 * All fuzzers there are: one for each parser of bytes or text that somebody else wrote.
 *
 * @module
 */

import type { FuzzTarget } from "./target.ts";
import { certificateNames, revocationLists } from "./targets/certificates.ts";
import { messageFormat, optionFile, socks5, urls } from "./targets/client_inputs.ts";
import { configuration, environment } from "./targets/configuration.ts";
import { mosquittoDatabase } from "./targets/databases.ts";
import { foreignCodec } from "./targets/foreign_codec.ts";
import { packets } from "./targets/packets.ts";
import { properties } from "./targets/properties.ts";
import { proxyHeader } from "./targets/proxy_header.ts";
import { deliveryLog, messageRecords } from "./targets/records.ts";
import { accessFile, passwordFile, pskFile } from "./targets/security_files.ts";
import { brokerScript, clientEngine } from "./targets/sessions.ts";
import { topics } from "./targets/topics.ts";
import { httpRequest, websocketFrames } from "./targets/web.ts";
import { websocketReply } from "./targets/websocket_reply.ts";

export const TARGETS: readonly FuzzTarget[] = [
  packets,
  foreignCodec,
  properties,
  topics,
  configuration,
  environment,
  passwordFile,
  accessFile,
  pskFile,
  mosquittoDatabase,
  messageRecords,
  deliveryLog,
  proxyHeader,
  httpRequest,
  websocketFrames,
  urls,
  socks5,
  optionFile,
  messageFormat,
  websocketReply,
  certificateNames,
  revocationLists,
  brokerScript,
  clientEngine,
];
