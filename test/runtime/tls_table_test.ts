// The table of docs/security.md about TLS: what it says of the present runtime is what happens.

import { assertEquals } from "@std/assert";
import { readFile } from "node:fs/promises";
import { OperationError } from "../../src/core/base/operation_error.ts";
import type { TlsOptions } from "../../src/runtime/tls.ts";
import { test } from "../harness.ts";
import { makeCertificates } from "../support/certificates.ts";
import { runtime, runtimeName } from "../support/current_runtime.ts";
import { tlsSettings } from "../support/tls_settings.ts";

const COLUMNS = { node: 1, bun: 2, deno: 3 } as const;

/** By the first cell of their rows. */
const WISHES: Readonly<Record<string, Partial<TlsOptions>>> = {
  "`tls_version tlsv1.2`, `tlsv1.3`": { minimumVersion: "TLSv1.3" },
  "`ciphers`": { ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" },
  "`ciphers_tls1.3`": { suites: "TLS_AES_128_GCM_SHA256" },
  "`psk_hint`, `psk_file`": {
    certificate: undefined,
    key: undefined,
    psk: { hint: "a hint", keyOf: () => undefined },
  },
  "`--tls-keylog`": { onSecrets: () => {} },
};

async function outcome(options: TlsOptions): Promise<string> {
  const where = { hostname: "127.0.0.1", port: 0, tls: options };
  try {
    const listener = await runtime.listenTcp(where, () => {
      throw new Error("Nobody was expected");
    });
    await listener.close();
    return "yes";
  } catch (error) {
    if (error instanceof OperationError && error.code === "not-supported") return "refused";
    throw error;
  }
}

test("docs/security.md says what TLS each runtime can do, and what it refuses", async () => {
  const page = await readFile(new URL("../../docs/security.md", import.meta.url), "utf8");
  const table = page.slice(page.indexOf("\n## TLS")).match(/^\|(?:.*\n\|)*.*$/m)![0];
  const rows = table.split("\n").map((row) => row.split("|").slice(1).map((cell) => cell.trim()));
  const { authority, server, revocationList } = await makeCertificates();
  const own = tlsSettings(server);
  const clients = { authorities: authority.certificate, requiresCertificate: true };
  const wishes = {
    ...WISHES,
    "`certfile`, `keyfile`, `cafile`, `capath`, `require_certificate`": clients,
    "`crlfile`": { ...clients, revocationLists: revocationList },
    "`disable_client_cert_date_checks`": { ...clients, ignoresCertificateDates: true },
  };
  for (const [what, wish] of Object.entries(wishes)) {
    const row = rows.find(([first]) => first === what);
    const said = row?.[COLUMNS[runtimeName]]?.split(",")[0];
    assertEquals([what, await outcome({ ...own, ...wish })], [what, said]);
  }
});
