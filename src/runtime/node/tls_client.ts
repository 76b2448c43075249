/**
 * TLS on connections that we open, over `node:tls`, on all three runtimes. What a runtime cannot
 * honour is refused before anything is opened: never less protection than was asked for.
 *
 * @module
 */

import { isIP, type Socket } from "node:net";
import * as nodeTls from "node:tls";
import type { ConnectionOptions, PeerCertificate, TLSSocket } from "node:tls";
import { OperationError } from "../../core/base/operation_error.ts";
import type { TlsPeer } from "../../core/session/peer.ts";
import { dialError } from "../../transport/dial_error.ts";
import { notSupported } from "../../transport/listen_error.ts";
import type { TlsClientOptions } from "../tls.ts";
import { checkKey, readCertificates } from "./certificates.ts";
import { clientCiphers, type TlsAbilities } from "./tls_settings.ts";

/** Where to connect to. */
export type Place =
  | { readonly host: string; readonly port: number; readonly localAddress?: string }
  | { readonly path: string };

/** Secures one connection to the host of this name. */
export class TlsClient {
  readonly #options: ConnectionOptions;
  readonly #tls: TlsClientOptions;
  readonly #name: string;

  /** @throws {OperationError} with code `"not-supported"` or `"tls-failed"`. */
  constructor(tls: TlsClientOptions, hostname: string, abilities: TlsAbilities) {
    refuseUnsupported(tls, abilities);
    checkContents(tls);
    this.#tls = tls;
    const name = this.#name = tls.serverName ?? hostname;
    const ciphers = clientCiphers(tls, abilities);
    const ca = trusted(tls);
    this.#options = {
      ...isIP(name) === 0 ? { servername: name } : {},
      ...ca === undefined ? {} : { ca },
      ...tls.certificate === undefined ? {} : { cert: tls.certificate },
      ...tls.key === undefined ? {} : { key: tls.key },
      ...ciphers === undefined ? {} : { ciphers },
      ...tls.protocols === undefined ? {} : { ALPNProtocols: [...tls.protocols] },
      ...tls.psk === undefined ? {} : pskOptions(tls.psk),
      minVersion: tls.minimumVersion ?? "TLSv1.2",
      rejectUnauthorized: tls.ignoresAuthority !== true,
      // With a shared key there is no certificate to have a name; `finish` sees to that.
      ...tls.ignoresServerName === true || tls.ignoresAuthority === true || tls.psk !== undefined
        ? { checkServerIdentity: (_name: string, _certificate: PeerCertificate) => undefined }
        : {},
    };
  }

  /** Begins, on a socket that is there already or on one of its own; throws as `node:tls` does. */
  open(underlay: Place | { readonly socket: Socket }): TLSSocket {
    // Whom the certificate has to name, where no host is connected to: also an address.
    const named = "host" in underlay ? {} : { host: this.#name };
    const socket = nodeTls.connect({ ...named, ...underlay, ...this.#options });
    const { onSecrets } = this.#tls;
    if (onSecrets !== undefined) {
      socket.on("keylog", (line) => onSecrets(line.toString("latin1").trimEnd()));
    }
    return socket;
  }

  /**
   * The handshake is done: says with whom.
   *
   * @throws {OperationError} with code `"tls-failed"`.
   */
  finish(socket: TLSSocket): TlsPeer {
    const cipher = socket.getCipher().name;
    // A list of ciphers may allow some without the key, and then nobody has proved anything.
    if (this.#tls.psk !== undefined && !cipher.includes("PSK")) {
      throw failed("the server did not use the pre-shared key");
    }
    return {
      version: socket.getProtocol() ?? "",
      cipher,
      certificate: undefined,
      pskIdentity: undefined,
    };
  }
}

function pskOptions({ identity, key }: NonNullable<TlsClientOptions["psk"]>): ConnectionOptions {
  return { pskCallback: () => ({ identity, psk: key }), maxVersion: "TLSv1.2" };
}

function trusted({ authorities, alsoTrusts }: TlsClientOptions): string[] | undefined {
  // What the runtime does by itself.
  if (authorities === undefined && alsoTrusts !== "system") return undefined;
  const own = authorities === undefined ? [] : [authorities];
  if (alsoTrusts === undefined) return own;
  // Typed as if every version of every runtime had it.
  if (!("getCACertificates" in nodeTls)) {
    throw notSupported("Lists of the authorities that are trusted already");
  }
  const all = [
    ...nodeTls.getCACertificates(alsoTrusts === "system" ? "system" : "default"),
    ...own,
  ];
  // With an empty list a runtime would take its own.
  if (all.length === 0) throw failed("this machine trusts no authority");
  return all;
}

function refuseUnsupported(tls: TlsClientOptions, abilities: TlsAbilities): void {
  if (tls.psk !== undefined && !abilities.psk) throw notSupported("TLS pre-shared keys");
  if (tls.ciphers !== undefined && !abilities.ciphers) throw notSupported("Lists of ciphers");
  if (tls.onSecrets !== undefined && !abilities.secrets) throw notSupported("Logs of TLS secrets");
}

/** Not every runtime says what is wrong with a text, or says it before it is too late. */
function checkContents(
  { authorities, certificate, key, psk, minimumVersion }: TlsClientOptions,
): void {
  if ((certificate === undefined) !== (key === undefined)) {
    throw failed("a certificate and its key are needed both or not at all");
  }
  if (psk !== undefined && minimumVersion === "TLSv1.3") {
    throw failed("pre-shared keys need version 1.2");
  }
  try {
    if (authorities !== undefined) readCertificates(authorities);
    if (certificate !== undefined) checkKey(certificate, key!);
  } catch (cause) {
    throw dialError("the server", "securing", cause);
  }
}

function failed(reason: string): OperationError {
  return new OperationError("tls-failed", `TLS cannot be used: ${reason}`, { reason });
}
