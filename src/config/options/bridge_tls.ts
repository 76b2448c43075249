/**
 * Options of bridges that concern TLS. Certificates and pre-shared keys exclude each other, which
 * check_bridge.ts sees to.
 *
 * @module
 */

import type { Option, Reload, Scope } from "../option.ts";
import { text, truth } from "../values.ts";

const BRIDGE: { readonly scope: Scope; readonly reload: Reload } = { scope: "B", reload: "B" };

export const BRIDGE_TLS_OPTIONS: readonly Option[] = [
  {
    ...BRIDGE,
    name: "bridge_alpn",
    value: text({ syntax: "protocol" }),
    default: "none",
    repeat: "never",
    effect: "The protocol that is negotiated by ALPN.",
  },
  {
    ...BRIDGE,
    name: "bridge_cafile",
    value: text({ syntax: "path" }),
    default: "none",
    repeat: "never",
    effect: "Certificates that may sign that of the remote; turns TLS on.",
  },
  {
    ...BRIDGE,
    name: "bridge_capath",
    value: text({ syntax: "directory" }),
    default: "none",
    repeat: "never",
    effect: "A directory of such certificates; turns TLS on.",
  },
  {
    ...BRIDGE,
    name: "bridge_certfile",
    value: text({ syntax: "path" }),
    default: "none",
    repeat: "never",
    effect: "The certificate that the bridge presents.",
  },
  {
    ...BRIDGE,
    name: "bridge_ciphers",
    value: text({ syntax: "a cipher string of OpenSSL" }),
    default: "those of the runtime",
    repeat: "never",
    effect: "Ciphers of TLS up to 1.2.",
  },
  {
    ...BRIDGE,
    name: "bridge_ciphers_tls1.3",
    value: text({ syntax: "suites, separated by colons" }),
    default: "those of the runtime",
    repeat: "never",
    effect: "Cipher suites of TLS 1.3.",
  },
  {
    ...BRIDGE,
    name: "bridge_identity",
    value: text({ syntax: "text" }),
    default: "none",
    repeat: "never",
    effect: "The identity of a pre-shared key.",
  },
  {
    ...BRIDGE,
    name: "bridge_insecure",
    value: truth,
    fallback: false,
    repeat: "last",
    effect: "Does not compare the name in the remote's certificate.",
  },
  {
    ...BRIDGE,
    name: "bridge_keyfile",
    value: text({ syntax: "path" }),
    default: "none",
    repeat: "never",
    effect: "The private key of bridge_certfile.",
  },
  {
    ...BRIDGE,
    name: "bridge_psk",
    value: text({
      syntax: "hexadecimal digits",
      check: (key) => /^(?:[0-9a-fA-F]{2})+$/.test(key) ? undefined : "Invalid 'bridge_psk' value.",
    }),
    default: "none",
    repeat: "never",
    effect: "A pre-shared key; turns TLS on.",
  },
  {
    ...BRIDGE,
    name: "bridge_require_ocsp",
    value: truth,
    fallback: false,
    repeat: "last",
    effect: "The remote must prove that its certificate is not revoked.",
  },
  {
    ...BRIDGE,
    name: "bridge_tls_use_os_certs",
    value: truth,
    fallback: false,
    repeat: "last",
    effect: "Trusts the authorities of the system; turns TLS on.",
  },
  {
    ...BRIDGE,
    name: "bridge_tls_version",
    value: text({
      syntax: "`tlsv1.2`, `tlsv1.3`",
      check: (version, show) =>
        version === "tlsv1.2" || version === "tlsv1.3"
          ? undefined
          : `Unsupported bridge_tls_version "${show(version)}".`,
    }),
    fallback: "tlsv1.2",
    repeat: "never",
    effect: "The version of TLS.",
  },
];
