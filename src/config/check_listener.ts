/**
 * What the options of one listener have to agree on. The idea: an option that would have protected
 * something, and that cannot where it stands, is an error; one that merely does nothing is told.
 *
 * @module
 */

import { type ConfigError, lineError } from "./config_error.ts";
import type { ListenerDraft, Setting } from "./draft.ts";
import type { ConfigNote } from "./note.ts";

const PROXY_2 = "`enable_proxy_protocol 2`";
const WITHOUT_CERTIFICATE = "specified without certfile and keyfile.";
const NEEDS_CERTIFICATE = ["cafile", "capath", "crlfile"];
const IDLE_WITHOUT_TLS = [
  "ciphers",
  "ciphers_tls1.3",
  "tls_version",
  "disable_client_cert_date_checks",
];

/** What is wrong with a listener, and what does nothing. */
export function checkListener(
  { settings }: ListenerDraft,
): { readonly errors: readonly ConfigError[]; readonly notes: readonly ConfigNote[] } {
  const errors: ConfigError[] = [];
  const refuse = (setting: Setting | undefined, what: string): void => {
    if (setting !== undefined) errors.push(lineError(what, setting.place));
  };
  /** An option that is not merely there, but on. */
  const on = (name: string): Setting | undefined => {
    const setting = settings.get(name);
    return setting?.value === false ? undefined : setting;
  };
  const certificate = settings.get("certfile");
  const key = settings.get("keyfile");
  const hasCertificate = certificate !== undefined && key !== undefined;
  const hasPsk = settings.has("psk_hint");
  const hasProxy2 = settings.get("enable_proxy_protocol")?.value === 2;

  if (!hasCertificate) {
    refuse(
      certificate ?? key,
      "Both certfile and keyfile must be provided to enable a TLS listener.",
    );
  }
  if (hasPsk && (certificate ?? key) !== undefined) {
    refuse(
      settings.get("psk_hint"),
      "Cannot use both certificate and psk encryption in a single listener.",
    );
  }
  if (certificate === undefined && key === undefined) {
    for (const name of NEEDS_CERTIFICATE) refuse(on(name), `${name} ${WITHOUT_CERTIFICATE}`);
  }
  if (hasProxy2) {
    for (const name of ["use_subject_as_username", "certfile", "keyfile"]) {
      refuse(on(name), `${name} cannot be used with ${PROXY_2}.`);
    }
  } else {
    refuse(on("proxy_protocol_v2_require_tls"), `proxy_protocol_v2_require_tls needs ${PROXY_2}.`);
    if (!hasCertificate) {
      refuse(on("require_certificate"), `require_certificate ${WITHOUT_CERTIFICATE}`);
      refuse(on("use_subject_as_username"), `use_subject_as_username ${WITHOUT_CERTIFICATE}`);
      if (!hasPsk) {
        refuse(on("use_identity_as_username"), `use_identity_as_username ${WITHOUT_CERTIFICATE}`);
      }
    } else if (!settings.has("cafile") && !settings.has("capath")) {
      refuse(on("require_certificate"), "require_certificate specified without cafile or capath.");
    }
  }
  const idle = hasCertificate || hasPsk ? [] : IDLE_WITHOUT_TLS.filter(on);
  return {
    errors,
    notes: idle.map((name) => ({
      type: "warning",
      text: `Warning: The '${name}' option has no effect without certfile and keyfile.`,
    })),
  };
}
