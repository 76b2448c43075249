/**
 * The layers between a listener's sockets and the broker, chosen by its section of the
 * configuration: a proxy's header first, then the limits per address, because only the header says
 * whose address it is, then WebSocket or HTTP.
 *
 * @module
 */

import { type ApiOptions, createApi } from "../admin/api.ts";
import { openStaticFiles, type ServeFile, serveFiles } from "../admin/static_files.ts";
import type { ListenerConfig } from "../config/config.ts";
import { OperationError } from "../core/base/operation_error.ts";
import type { Files } from "../runtime/files.ts";
import type { LogType } from "../telemetry/log_line.ts";
import { serveHttp } from "../transport/http_connection.ts";
import { withProxyHeader } from "../transport/proxy_protocol.ts";
import type { Accept, Transport, TransportHandler } from "../transport/transport.ts";
import { withWebSocket } from "../transport/websocket.ts";
import { ExitStatus, StartError } from "./start_error.ts";

/** What layers need of the program around them. */
export interface LayerSurroundings {
  readonly files: Files;
  readonly log: (type: LogType, text: string) => void;
  /** Bytes of the longest head of an HTTP request. */
  readonly headBytesMax: number;
  /** Whether somebody at this address may have another connection. */
  readonly mayConnect: (address: string) => boolean;
  /** What the HTTP API tells, and whom. */
  readonly api: Omit<ApiOptions, "files">;
}

/** Puts the listener's layers in front of the broker. */
export async function withLayers(
  broker: Accept,
  listener: ListenerConfig,
  surroundings: LayerSurroundings,
): Promise<Accept> {
  const spoken = await withProtocol(broker, listener, surroundings);
  const guarded = withGuard(spoken, surroundings.mayConnect);
  if (listener.proxyProtocol === 0) return guarded;
  return withProxyHeader(guarded, {
    version: listener.proxyProtocol,
    requiresTls: listener.proxyRequiresTls,
    // With version 1 the listener has TLS of its own, and it is the proxy that shows a certificate.
    requiresCertificate: listener.proxyProtocol === 2 && listener.requireCertificate,
    onRejected: (line, transport) => {
      surroundings.log("notice", line);
      surroundings.log("information", `The rejected connection came from ${nameOf(transport)}.`);
    },
  });
}

async function withProtocol(
  broker: Accept,
  listener: ListenerConfig,
  { files, log, headBytesMax, api }: LayerSurroundings,
): Promise<Accept> {
  if (listener.protocol === "mqtt") return broker;
  const serveFile = await openDirectory(files, listener.httpDir);
  const onError = (error: unknown): void => log("error", `Error: HTTP failed: ${error}`);
  const onRejected = (reason: string, transport: Transport): void =>
    log("notice", `Client ${nameOf(transport)} disconnected: ${reason}.`);
  if (listener.protocol === "http_api") {
    return serveHttp(createApi({ ...api, files: serveFile }), {
      headBytesMax,
      onError,
      onRejected,
    });
  }
  return withWebSocket(broker, {
    origins: listener.websocketsOrigins,
    headBytesMax,
    onError,
    onRejected,
    ...serveFile === undefined ? {} : { http: serveFiles(serveFile) },
  });
}

async function openDirectory(
  files: Files,
  path: string | undefined,
): Promise<ServeFile | undefined> {
  if (path === undefined) return undefined;
  try {
    return await openStaticFiles(files, path);
  } catch (cause) {
    if (!(cause instanceof OperationError)) throw cause;
    const text = `Error: Unable to open http_dir "${path}": ${cause.message}.`;
    throw new StartError(ExitStatus.FAILED, [text], { cause });
  }
}

/** Closes the connections of addresses that have too many, or have failed too often. */
function withGuard(accept: Accept, mayConnect: (address: string) => boolean): Accept {
  return (transport) => {
    if (mayConnect(transport.remoteAddress)) return accept(transport);
    // Not within this call, which hands the transport its handler.
    queueMicrotask(() => transport.abort());
    return NOBODY;
  };
}

const NOBODY: TransportHandler = Object.freeze({
  onBytes: () => {},
  onWritable: () => {},
  onClose: () => {},
});

function nameOf({ remoteAddress, remotePort }: Transport): string {
  return `${remoteAddress}:${remotePort}`;
}
