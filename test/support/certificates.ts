// Certificates for tests, made when they are asked for: authorities below authorities, what they
// sign, and lists of what they revoked. All of them are PEM text; `certificateFiles` gives the usual
// set the names of files, for programs that want paths.

import * as x509 from "x509";

/** A certificate and its private key, as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  /** In hexadecimal digits. */
  readonly serial: string;
}

export interface IssueOptions {
  /** Days from now, negative for the past; a day ago and ten days ahead unless told. */
  readonly fromDays?: number;
  readonly toDays?: number;
  /** A key of RSA instead of an elliptic curve. */
  readonly hasRsaKey?: boolean;
}

/** A name as RFC 4514 writes it (here in the order of its bytes), or part by part; `#` and the hexadecimal DER gives raw values. */
type Subject = string | x509.JsonName;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: Uint8Array.of(1, 0, 1),
} as const;
const DAY_MS = 86_400_000;

/** Who signs. */
export class Authority implements Certificate {
  readonly certificate: string;
  readonly key: string;
  readonly serial: string;
  readonly #issued: Issued;

  constructor(issued: Issued, key: string) {
    this.#issued = issued;
    this.certificate = pem(issued.certificate);
    this.serial = issued.certificate.serialNumber;
    this.key = key;
  }

  /** A root of its own. */
  static async create(subject: Subject): Promise<Authority> {
    const issued = await sign(subject, undefined, true, {});
    return new Authority(issued, await pemKey(issued.keys));
  }

  /** An authority below this one. */
  async authority(subject: Subject, options: IssueOptions = {}): Promise<Authority> {
    const issued = await sign(subject, this.#issued, true, options);
    return new Authority(issued, await pemKey(issued.keys));
  }

  /** A certificate for a server on this machine, or for a client. */
  async issue(subject: Subject, options: IssueOptions = {}): Promise<Certificate> {
    const { certificate, keys } = await sign(subject, this.#issued, false, options);
    return {
      certificate: pem(certificate),
      key: await pemKey(keys),
      serial: certificate.serialNumber,
    };
  }

  /** The list of what this authority has revoked. */
  async revocationList(
    revoked: readonly Certificate[],
    options: IssueOptions = {},
  ): Promise<string> {
    const { certificate, keys } = this.#issued;
    const list = await x509.X509CrlGenerator.create({
      issuer: certificate.subjectName.toJSON(),
      thisUpdate: inDays(options.fromDays ?? -1),
      nextUpdate: inDays(options.toDays ?? 10),
      // A reason each: an entry without one gets an empty sequence, which strict readers refuse.
      entries: revoked.map(({ serial }) => ({
        serialNumber: serial,
        revocationDate: inDays(-1),
        reason: x509.X509CrlReason.keyCompromise,
      })),
      signingAlgorithm: ALGORITHM,
      signingKey: keys.privateKey,
    });
    return list.toString("pem").replaceAll(" CRL-----", " X509 CRL-----") + "\n";
  }
}

/** What most tests of TLS need. */
export interface Certificates {
  readonly authority: Authority;
  /** Its certificate is a chain: the server's own, and the intermediate authority that signed it. */
  readonly server: Certificate;
  readonly client: Certificate;
  readonly expired: Certificate;
  readonly notYetValid: Certificate;
  readonly revoked: Certificate;
  readonly revocationList: string;
  readonly otherAuthority: Authority;
  /** A client of the other authority. */
  readonly stranger: Certificate;
  /** A server of the other authority, to change to. */
  readonly otherServer: Certificate;
}

/** Makes the usual set. */
export async function makeCertificates(): Promise<Certificates> {
  const authority = await Authority.create("CN=Midge Test Root");
  const intermediate = await authority.authority("CN=Midge Test Intermediate");
  const own = await intermediate.issue("CN=localhost");
  const revoked = await authority.issue("CN=revoked");
  const otherAuthority = await Authority.create("CN=Other Root");
  return {
    authority,
    server: { ...own, certificate: own.certificate + intermediate.certificate },
    client: await authority.issue("O=Midge,OU=Meters,CN=client one"),
    expired: await authority.issue("CN=expired", { fromDays: -10, toDays: -1 }),
    notYetValid: await authority.issue("CN=early", { fromDays: 5, toDays: 10 }),
    revoked,
    revocationList: await authority.revocationList([revoked]),
    otherAuthority,
    stranger: await otherAuthority.issue("CN=stranger"),
    otherServer: await otherAuthority.issue("CN=localhost"),
  };
}

/**
 * A set as files: `authority.pem`, `server.pem` and `server.key` and so on for each member,
 * `crl.pem` for the revocation list.
 */
export function certificateFiles(all: Certificates): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [name, item] of Object.entries(all) as [string, Certificate | string][]) {
    if (typeof item === "string") files["crl.pem"] = item;
    else Object.assign(files, { [`${name}.pem`]: item.certificate, [`${name}.key`]: item.key });
  }
  return files;
}

interface Issued {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}

async function sign(
  subject: Subject,
  issuer: Issued | undefined,
  isAuthority: boolean,
  options: IssueOptions,
): Promise<Issued> {
  const algorithm = options.hasRsaKey === true ? RSA : ALGORITHM;
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const signer = issuer?.keys ?? keys;
  const usage = isAuthority
    ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign
    : x509.KeyUsageFlags.digitalSignature;
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: issuer?.certificate.subjectName.toJSON() ?? subject,
    notBefore: inDays(options.fromDays ?? -1),
    notAfter: inDays(options.toDays ?? 10),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, undefined, true),
      new x509.KeyUsagesExtension(usage, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey),
      ...(isAuthority ? [] : [
        new x509.SubjectAlternativeNameExtension([
          { type: "dns", value: "localhost" },
          { type: "ip", value: "127.0.0.1" },
          { type: "ip", value: "::1" },
        ]),
      ]),
    ],
  });
  return { certificate, keys };
}

function inDays(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}

function pem(certificate: x509.X509Certificate): string {
  return certificate.toString("pem") + "\n";
}

async function pemKey(keys: CryptoKeyPair): Promise<string> {
  const bytes = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return x509.PemConverter.encode(bytes, "PRIVATE KEY") + "\n";
}
