/**
 * Options that have no effect here, and those that cannot have the effect that they promise. Whose
 * absence does no harm is accepted with a line; whose absence would leave something unprotected is
 * an error.
 *
 * @module
 */

import type { Option } from "../option.ts";
import { anything, integer, refused } from "../values.ts";
import { keyForm } from "../listener_values.ts";

export const IGNORED_OPTIONS: readonly Option[] = [
  {
    name: "dhparamfile",
    scope: "G",
    value: anything,
    default: "none",
    repeat: "last",
    reload: "-",
    note: { type: "warning", text: "Warning: dhparamfile is no longer required." },
    effect: "None.",
  },
  {
    name: "retry_interval",
    scope: "G",
    value: anything,
    default: "none",
    repeat: "last",
    reload: "-",
    note: {
      type: "warning",
      text: "Warning: The 'retry_interval' option is no longer available.",
    },
    effect: "None.",
  },
  {
    name: "tls_engine",
    scope: "Ld",
    value: refused(
      "engine",
      "The 'tls_engine' option is not available: keys are read from the 'keyfile' only.",
    ),
    default: "none",
    repeat: "last",
    reload: "N",
    effect: "An engine of OpenSSL that holds the key.",
    difference: "An error: keys come from PEM files.",
  },
  {
    name: "tls_engine_kpass_sha1",
    scope: "Ld",
    value: refused(
      "40 hexadecimal digits",
      "The 'tls_engine_kpass_sha1' option is not available: keys are read from the 'keyfile' only.",
    ),
    default: "none",
    repeat: "last",
    reload: "N",
    effect: "The digest of the password of an engine's key.",
    difference: "An error: keys come from PEM files.",
  },
  {
    name: "tls_keyform",
    scope: "Ld",
    value: keyForm,
    default: "`pem`",
    repeat: "last",
    reload: "N",
    effect: "Where the key of `keyfile` is.",
    difference: "`engine` is an error: keys come from PEM files.",
  },
  {
    name: "websockets_log_level",
    scope: "G",
    value: integer(),
    default: "0",
    repeat: "last",
    reload: "Y",
    note: { type: "information", text: "The 'websockets_log_level' option has no effect." },
    effect: "None.",
    difference: "As in Mosquitto with its own WebSocket server.",
  },
];
