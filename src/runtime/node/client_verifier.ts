/**
 * Checks a client's certificate where the runtime's own check does not suffice: against revocation
 * lists on a runtime that has no such check, and without regard to dates, because of several errors
 * a runtime names only one and a date may hide a worse one.
 *
 * The idea: from the certificate upwards, each issuer is found by its signature and may be one; the
 * path must arrive at a listed authority, and with lists, each step must have a current one.
 *
 * @module
 */

import type { X509Certificate } from "node:crypto";
import { readCertificates } from "./certificates.ts";
import { readRevocationLists, type RevocationList } from "./revocation_list.ts";

const PATH_MAX = 8;
const CLIENT_USAGE = "1.3.6.1.5.5.7.3.2";

/** The authorities and lists of one listener; throws a `SyntaxError` if they are not usable. */
export class ClientVerifier {
  readonly #authorities: readonly X509Certificate[];
  readonly #lists: readonly RevocationList[] | undefined;

  constructor(authorities: string, lists: string | undefined) {
    this.#authorities = readCertificates(authorities);
    this.#lists = lists === undefined ? undefined : readRevocationLists(lists);
  }

  /**
   * What is wrong with a certificate, `undefined` if nothing is. `presented` are issuers that the
   * client sent along: only for paths that the runtime has verified, because the limits that an
   * authority sets to those below it are not looked at here.
   */
  findFault(leaf: X509Certificate, presented: readonly X509Certificate[]): string | undefined {
    const issuers = [...this.#authorities, ...presented];
    let isAnchored = false;
    let current = leaf;
    for (let length = 0; length < PATH_MAX; length++) {
      if (isAnchored && isIssuedBy(current, current)) return undefined;
      const issuer = issuers.find((issuer) => issuer.ca && isIssuedBy(current, issuer));
      if (issuer === undefined) {
        return isAnchored ? undefined : "unable to get local issuer certificate";
      }
      const fault = this.#findRevocation(current, issuer);
      if (fault !== undefined) return fault;
      isAnchored ||= this.#authorities.includes(issuer);
      current = issuer;
    }
    return "certificate chain too long";
  }

  #findRevocation(certificate: X509Certificate, issuer: X509Certificate): string | undefined {
    if (this.#lists === undefined) return undefined;
    const now = Date.now();
    const lists = this.#lists.filter((list) => list.isOf(issuer, now));
    if (lists.length === 0) return "unable to get certificate CRL";
    return lists.some((list) => list.lists(certificate)) ? "certificate revoked" : undefined;
  }
}

/** Whether a certificate may be used by a client, by its own word. */
export function isForClients(certificate: X509Certificate): boolean {
  const usages = certificate.keyUsage as readonly string[] | undefined;
  return usages === undefined || usages.includes(CLIENT_USAGE);
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
