/**
 * Certificates in PEM, read to know beforehand that they make sense: not every runtime says so
 * before the first connection.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";

/** All certificates of a text; throws when there is none, or one that cannot be read. */
export function readCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (blocks === null) throw new SyntaxError("There is no certificate");
  return blocks.map((block) => new X509Certificate(block));
}

/** Throws unless the key is that of the first certificate. */
export function checkKey(certificate: string, key: string): void {
  const [own] = readCertificates(certificate);
  if (!own!.checkPrivateKey(createPrivateKey(key))) {
    throw new SyntaxError("The key is not that of the certificate");
  }
}
