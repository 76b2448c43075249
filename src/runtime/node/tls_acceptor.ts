/**
 * TLS for connections that were accepted as plain sockets, over `node:tls`, on all three runtimes.
 *
 * The idea: the listening socket knows nothing of TLS. Each connection is handed to the TLS server
 * of the settings in force, which itself never listens: other settings are another server, made and
 * checked before it takes the place of the first, so that a reload refuses nobody.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { OperationError } from "../../core/base/operation_error.ts";
import type { TlsPeer } from "../../core/session/peer.ts";
import type { Accept } from "../../transport/transport.ts";
import type { ListenOptions } from "../runtime.ts";
import type { TlsOptions } from "../tls.ts";
import { certificateName } from "./certificate_name.ts";
import { checkKey, readCertificates } from "./certificates.ts";
import { ClientVerifier, isForClients } from "./client_verifier.ts";
import { serveSecure } from "./tcp_connection.ts";
import { needsOwnVerifier, nodeTlsOptions, type TlsAbilities } from "./tls_settings.ts";

/** What a stranger may cost before it has proved anything. */
export interface HandshakeLimits {
  readonly timeoutMs: number;
  /** Handshakes under way at one time; the oldest gives way to a new one. */
  readonly atOnceMax: number;
}

const HANDSHAKE_LIMITS: HandshakeLimits = { timeoutMs: 10_000, atOnceMax: 1000 };

export interface TlsAcceptorOptions {
  readonly tls: TlsOptions;
  readonly abilities: TlsAbilities;
  readonly limits?: HandshakeLimits;
  /** The address of all connections, for sockets that have none of their own. */
  readonly path?: string;
  readonly onError?: ListenOptions["onError"];
}

const PATH_MAX = 8;
/** A record's bytes, and as many again. */
const READ_BYTES = 32_768;
const ALERT_MS = 100;

/** Secures the connections of one listener. */
export class TlsAcceptor {
  readonly #options: TlsAcceptorOptions;
  readonly #limits: HandshakeLimits;
  readonly #accept: Accept;
  readonly #handshakes = new Set<Socket>();
  /** One record is read at a time. */
  readonly #shared = new Uint8Array(READ_BYTES);
  #server: Server;

  /** Throws an `OperationError` when the settings are not usable. */
  constructor(options: TlsAcceptorOptions, accept: Accept) {
    this.#options = options;
    this.#limits = options.limits ?? HANDSHAKE_LIMITS;
    this.#accept = accept;
    this.#server = this.#makeServer(options.tls);
  }

  /** Secures connections from now on in another way; throws as the constructor does. */
  setTls(tls: TlsOptions): void {
    this.#server = this.#makeServer(tls);
  }

  /** Takes a connection over. */
  add(socket: Socket): void {
    // Asked for while it is known: the socket remembers.
    const address = this.#addressOf(socket);
    // Whatever befalls it is told by the TLS socket on top of it.
    socket.on("error", () => {});
    socket.once("close", () => this.#handshakes.delete(socket));
    this.#handshakes.add(socket);
    if (this.#handshakes.size > this.#limits.atOnceMax) this.#endOldest();
    if (address !== undefined) this.#server.emit("connection", socket);
  }

  /** Cuts off what has not finished its handshake. */
  close(): void {
    for (const socket of this.#handshakes) socket.destroy();
    this.#handshakes.clear();
  }

  #makeServer(tls: TlsOptions): Server {
    const { abilities } = this.#options;
    const identities = new WeakMap<TLSSocket, string>();
    try {
      const options = nodeTlsOptions(tls, abilities);
      if (tls.psk === undefined) checkKey(tls.certificate!, tls.key!);
      if (tls.requiresCertificate && tls.psk === undefined) readCertificates(tls.authorities!);
      const verifier = needsOwnVerifier(tls, abilities)
        ? new ClientVerifier(tls.authorities!, tls.revocationLists)
        : undefined;
      const server = createServer({
        ...options,
        handshakeTimeout: this.#limits.timeoutMs,
        ...(tls.psk === undefined ? {} : {
          pskCallback: (socket: TLSSocket, identity: string) => {
            const key = tls.psk!.keyOf(identity);
            if (key !== undefined) identities.set(socket, identity);
            return key ?? null;
          },
        }),
      });
      server.on("secureConnection", (socket) => {
        this.#finished(socket);
        try {
          const certificate = tls.requiresCertificate && tls.psk === undefined
            ? verifiedCertificate(socket, tls, verifier)
            : undefined;
          const peer: TlsPeer = {
            version: socket.getProtocol() ?? "",
            cipher: socket.getCipher().name,
            certificate: certificate && certificateName(certificate.raw),
            pskIdentity: identities.get(socket),
          };
          const { path } = this.#options;
          serveSecure(socket, { tls: peer, path, shared: this.#shared }, this.#accept);
        } catch (error) {
          this.#options.onError?.(error, this.#addressOf(socket));
          socket.destroy();
        }
      });
      server.on("tlsClientError", (error, socket) => {
        this.#finished(socket);
        this.#fail(reasonOf(error), socket, error);
        // Time for the alert that tells the peer; not every runtime closes by itself.
        setTimeout(() => {
          socket.destroy();
          plainSocketOf(socket)?.destroy();
        }, ALERT_MS);
      });
      if (tls.onSecrets !== undefined) {
        const onSecrets = tls.onSecrets;
        server.on("keylog", (line) => onSecrets(line.toString("latin1").trimEnd()));
      }
      return server;
    } catch (cause) {
      if (cause instanceof OperationError) throw cause;
      const reason = reasonOf(cause);
      throw failure(`Unusable TLS settings: ${reason}`, cause);
    }
  }

  #finished(socket: TLSSocket): void {
    const plain = plainSocketOf(socket);
    if (plain !== undefined) this.#handshakes.delete(plain);
  }

  #endOldest(): void {
    for (const oldest of this.#handshakes) {
      this.#handshakes.delete(oldest);
      this.#fail("too many handshakes at once", oldest);
      oldest.destroy();
      return;
    }
  }

  #fail(reason: string, socket: Socket, cause?: unknown): void {
    const address = this.#addressOf(socket) ?? this.#addressOf(plainSocketOf(socket));
    this.#options.onError?.(failure(reason, cause), address);
  }

  #addressOf(socket: Socket | undefined): string | undefined {
    return this.#options.path ?? socket?.remoteAddress;
  }
}

/** The socket that a TLS socket was put on, which is what knows its address when all is over. */
function plainSocketOf(socket: Socket): Socket | undefined {
  // Not documented, but the same on all three runtimes.
  return (socket as { readonly _parent?: Socket })._parent;
}

/** The certificate of the client; throws an `OperationError` unless it verifies. */
function verifiedCertificate(
  socket: TLSSocket,
  tls: TlsOptions,
  verifier: ClientVerifier | undefined,
): X509Certificate {
  const chain = presentedChain(socket);
  const leaf = chain.shift();
  if (leaf === undefined) throw failure("peer did not return a certificate");
  const fault = findFault(socket, tls, verifier, leaf, chain);
  if (fault !== undefined) throw failure(fault);
  return leaf;
}

function findFault(
  socket: TLSSocket,
  tls: TlsOptions,
  verifier: ClientVerifier | undefined,
  leaf: X509Certificate,
  presented: readonly X509Certificate[],
): string | undefined {
  // All is well, as far as the runtime has looked; it may not have looked at the lists.
  if (socket.authorized) return verifier?.findFault(leaf, presented);
  const code = faultOf(socket);
  const isDate = code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID";
  if (verifier === undefined || !tls.ignoresCertificateDates || !isDate) return inWords(code);
  if (!isForClients(leaf)) return "unsuitable certificate purpose";
  return verifier.findFault(leaf, []);
}

function failure(reason: string, cause?: unknown): OperationError {
  return new OperationError("tls-failed", reason, { cause });
}

function presentedChain(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerCertificate(true);
  // The last one names itself as its issuer.
  while (next?.raw !== undefined && chain.length < PATH_MAX) {
    chain.push(new X509Certificate(next.raw));
    if (next.issuerCertificate === next) break;
    next = next.issuerCertificate;
  }
  return chain;
}

function faultOf(socket: TLSSocket): string {
  // Typed as an error, but a code in the form of a text on some runtimes.
  const fault = socket.authorizationError as unknown;
  if (typeof fault === "object" && fault !== null && "code" in fault) return String(fault.code);
  return String(fault);
}

function inWords(code: string): string {
  return code.toLowerCase().replaceAll("_", " ").replace(/^cert /, "certificate ");
}

/** What OpenSSL says, without the place in its sources; or what others say. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const match = /error:([0-9A-Fa-f]{8}):([^:]*):[^:]*:([^:\n]*)/.exec(message);
  return match === null ? message.trim() : `error:${match[1]}:${match[2]}::${match[3]}`;
}
