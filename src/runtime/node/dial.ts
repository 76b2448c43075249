/**
 * Connections that we open, over `node:net` and `node:tls`, on all three runtimes; once open they
 * are served like accepted ones.
 *
 * @module
 */

import { connect as connectPlain, isIP, type Socket } from "node:net";
import {
  connect as connectSecure,
  type ConnectionOptions,
  type PeerCertificate,
  type TLSSocket,
} from "node:tls";
import { OperationError } from "../../core/base/operation_error.ts";
import type { Accept } from "../../transport/transport.ts";
import type { DialOptions } from "../runtime.ts";
import { serveSecure, serveTcp } from "./tcp_connection.ts";

const READ_BYTES = 65_536;

/** Connects; see `Runtime.dial`. */
export function dial(options: DialOptions, accept: Accept): Promise<void> {
  const { signal, timeoutMs, address } = options;
  const place = "path" in address ? address.path : `${address.hostname}:${address.port}`;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    let isReached = false;
    const socket = open(options);
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      socket.off("close", onClose);
    };
    const fail = (error: unknown): void => {
      end();
      // It may still have something to say, to nobody.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal!.reason);
    const onError = (cause: unknown): void => {
      const [code, what] = isReached
        ? ["tls-failed", `TLS with "${place}" failed`] as const
        : ["connect-failed", `Cannot connect to "${place}"`] as const;
      fail(new OperationError(code, `${what}: ${reasonOf(cause)}`, { cause }));
    };
    const onClose = (): void => onError(new Error("the connection was closed"));
    const timer = setTimeout(() => {
      const message = `Cannot connect to "${place}" within ${timeoutMs} ms`;
      fail(new OperationError("timed-out", message));
    }, timeoutMs);
    signal?.addEventListener("abort", onAbort);
    socket.on("error", onError);
    socket.on("close", onClose);
    const finish = (): void => {
      end();
      try {
        serve(socket, options, accept);
        resolve();
      } catch (error) {
        socket.destroy();
        reject(error);
      }
    };
    socket.once("connect", () => {
      isReached = true;
      if (options.tls === undefined) finish();
    });
    if (options.tls !== undefined) socket.once("secureConnect", finish);
  });
}

function open({ address, localAddress, tls }: DialOptions): Socket {
  const where = "path" in address
    ? { path: address.path }
    : { host: address.hostname, port: address.port };
  const from = localAddress === undefined ? {} : { localAddress };
  if (tls === undefined) {
    const socket = connectPlain({ ...where, ...from, allowHalfOpen: true, noDelay: true });
    // Nothing may be read before the reader is known.
    return socket.pause();
  }
  const name = tls.serverName ?? ("path" in address ? "localhost" : address.hostname);
  const secure: ConnectionOptions = {
    ...where,
    ...from,
    ...isIP(name) === 0 ? { servername: name } : {},
    ...tls.authorities === undefined ? {} : { ca: tls.authorities },
    ...tls.certificate === undefined ? {} : { cert: tls.certificate },
    ...tls.key === undefined ? {} : { key: tls.key },
    ...tls.ciphers === undefined ? {} : { ciphers: tls.ciphers },
    ...tls.protocols === undefined ? {} : { ALPNProtocols: [...tls.protocols] },
    minVersion: tls.minimumVersion ?? "TLSv1.2",
    rejectUnauthorized: tls.ignoresAuthority !== true,
    ...tls.ignoresServerName === true || tls.ignoresAuthority === true
      ? { checkServerIdentity: (_name: string, _certificate: PeerCertificate) => undefined }
      : {},
  };
  return connectSecure(secure);
}

function serve(socket: Socket, { address, tls }: DialOptions, accept: Accept): void {
  const path = "path" in address ? address.path : undefined;
  const shared = new Uint8Array(READ_BYTES);
  if (tls === undefined) return serveTcp(socket, shared, accept, path);
  const secure = socket as TLSSocket; // made by `connectSecure` above
  secure.setNoDelay(true);
  const peer = {
    version: secure.getProtocol() ?? "",
    cipher: secure.getCipher().name,
    certificate: undefined,
    pskIdentity: undefined,
  };
  serveSecure(secure, { tls: peer, path, shared }, accept);
}

function reasonOf(cause: unknown): string {
  // Several addresses were tried, and each has failed in its own way.
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}
