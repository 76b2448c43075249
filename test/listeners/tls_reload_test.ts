// What SIGHUP changes of TLS while clients stay connected: certificate and key, authorities and
// revocation lists. What makes no sense changes nothing.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { Authority, certificateFiles, makeCertificates } from "../support/certificates.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { Reloads } from "../support/reload.ts";
import { knockByTls, openTls, openTlsClient } from "../support/tls_client.ts";

const kit = await makeCertificates();
const trust = kit.authority.certificate + kit.otherAuthority.certificate;
const empty = await kit.authority.revocationList([]);
const files = { ...certificateFiles(kit), "crl.pem": empty };

const CONFIG = `
allow_anonymous true
listener $PORT1 127.0.0.1
certfile $DIR/server.pem
keyfile $DIR/server.key
cafile $DIR/authority.pem
crlfile $DIR/crl.pem
require_certificate true
use_identity_as_username true
listener $PORT2 127.0.0.1
protocol websockets
certfile $DIR/server.pem
keyfile $DIR/server.key
listener 0 $DIR/mqtts.sock
certfile $DIR/server.pem
keyfile $DIR/server.key
`;

/** Who signed the certificate that a listener shows. */
async function shownIssuer(to: number | string): Promise<string> {
  const socket = await openTls({ to, ca: trust });
  const { issuer } = socket.getPeerCertificate();
  socket.destroy();
  return String(issuer.CN);
}

test(
  "SIGHUP changes certificates, authorities and lists, and clients stay",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: Reloads.first(CONFIG), files }, async (midge) => {
      const [port, webPort] = midge.ports as [number, number];
      const path = `${midge.folder}/mqtts.sock`;
      const reloads = new Reloads(midge);
      const issuers = () => Promise.all([webPort, path].map(shownIssuer));
      const letIn = async (): Promise<string[]> => {
        const names = ["client", "revoked", "stranger"] as const;
        const found: string[] = [];
        for (const name of names) {
          const code = await knockByTls({ to: port, ca: trust, certificate: kit[name] });
          if (code === 0) found.push(name);
        }
        return found;
      };
      const guests = [
        await openTlsClient({ to: port, ca: trust, certificate: kit.client }),
        await openTlsClient({ to: port, ca: trust, certificate: kit.revoked, version: 4 }),
        await openTlsClient({ to: webPort, ca: trust, isWebSocket: true }),
        await openTlsClient({ to: path, ca: trust }),
      ];
      for (const [i, guest] of guests.entries()) {
        assertEquals((await guest.handshake({ clientId: `guest ${i}` })).reasonCode, 0);
      }
      assertEquals([await issuers(), await letIn()], [
        ["Midge Test Intermediate", "Midge Test Intermediate"],
        ["client", "revoked"],
      ]);

      // Another certificate and key, and a list that names somebody, all in the same files.
      await midge.write("server.pem", kit.otherServer.certificate);
      await midge.write("server.key", kit.otherServer.key);
      await midge.write("crl.pem", kit.revocationList);
      await reloads.apply(CONFIG);
      assertEquals([await issuers(), await letIn()], [["Other Root", "Other Root"], ["client"]]);

      // Other authorities for clients, by another file; the lists have to be theirs.
      await midge.write("both.pem", trust);
      await midge.write(
        "crl.pem",
        kit.revocationList + await kit.otherAuthority.revocationList([]),
      );
      await reloads.apply(CONFIG.replace("authority.pem", "both.pem"));
      assertEquals(await letIn(), ["client", "stranger"]);
      await midge.write("both.pem", kit.otherAuthority.certificate);
      await reloads.apply(CONFIG.replace("authority.pem", "both.pem"));
      assertEquals(await letIn(), ["stranger"]);

      // Whoever was there before is still there.
      for (const guest of guests) assertEquals([await guest.ping(), guest.isClosed], [[], false]);
      for (const guest of guests) guest.leave();
    }),
);

const STAYS = "Error: The configuration in force stays as it was.";
const CERTIFICATE_LINES = [
  'Error: Unable to load server certificate "$DIR/server.pem". Check certfile.',
  "It holds no certificate.",
];
const KEY_LINES = [
  'Error: Unable to load server key file "$DIR/server.key". Check keyfile.',
  "It holds no private key.",
];
const AUTHORITY_LINES = [
  'Error: Unable to load CA certificates. Check cafile "$DIR/authority.pem".',
  "It holds no certificate.",
];
const LIST_LINES = [
  'Error: Unable to load certificate revocation file "$DIR/crl.pem". Check crlfile.',
  "It holds no certificate revocation list.",
];

/** What the last reload has said, without what clients did meanwhile. */
function lastReload({ lines }: MidgeProcess): string[] {
  const said = lines.filter((line) => !/^(?:New|Client) /.test(line));
  return said.slice(said.lastIndexOf("Reloading config."));
}

test(
  "SIGHUP with files that make no sense says so, and changes nothing",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: Reloads.first(CONFIG), files }, async (midge) => {
      const [port, webPort] = midge.ports as [number, number];
      const guest = await openTlsClient({ to: port, ca: trust, certificate: kit.client });
      assertEquals((await guest.handshake()).reasonCode, 0);
      const found = `Error found in the listener on port ${port}.`;
      const impostor = await Authority.create("CN=Midge Test Root");
      const good: Readonly<Record<string, string>> = {
        "server.pem": kit.server.certificate,
        "server.key": kit.server.key,
        "authority.pem": kit.authority.certificate,
        "crl.pem": empty,
      };
      const unusable = "Error: Unusable TLS settings: The key is not that of the certificate.";
      const bad: readonly (readonly [name: string, content: string, ...lines: string[]])[] = [
        ["server.pem", "nonsense", ...CERTIFICATE_LINES],
        ["server.pem", "", ...CERTIFICATE_LINES],
        ["server.pem", kit.otherServer.certificate, unusable, found],
        ["server.key", "nonsense", ...KEY_LINES],
        ["server.key", impostor.key, unusable, found],
        ["authority.pem", "", ...AUTHORITY_LINES],
        ["authority.pem", kit.client.key, ...AUTHORITY_LINES],
        ["crl.pem", "", ...LIST_LINES],
        ["crl.pem", kit.client.certificate, ...LIST_LINES],
      ];
      for (const [i, [name, content, ...expected]] of bad.entries()) {
        // Something else that is not to be changed by half.
        await midge.write("midge.conf", Reloads.first(CONFIG).replace("1000000", `${5000 + i}`));
        await midge.write(name, content);
        midge.signal("SIGHUP");
        await midge.logged(STAYS, i + 1);
        assertEquals(lastReload(midge), ["Reloading config.", ...expected, STAYS]);
        await midge.write(name, good[name]!);
        assertEquals(await knockByTls({ to: port, ca: trust, certificate: kit.client }), 0);
        assertEquals(await shownIssuer(webPort), "Midge Test Intermediate");
      }
      const last = await openTlsClient({ to: port, ca: trust, certificate: kit.client });
      assertEquals(
        (await last.handshake({ clientId: "x" })).properties.maximumPacketSize,
        1_000_000,
      );
      last.leave();
      assertEquals([await guest.ping(), guest.isClosed], [[], false]);
      guest.leave();
    }),
);
