/**
 * Options of who may connect and do what. They hold for all listeners, or with
 * `per_listener_settings true` for the one in whose section they stand.
 *
 * @module
 */

import type { Option } from "../option.ts";
import { text, truth } from "../values.ts";

/** Bytes of the beginning of a generated client identifier. */
export const PREFIX_BYTES_MAX = 50;

export const SECURITY_OPTIONS: readonly Option[] = [
  {
    name: "acl_file",
    scope: "S",
    value: text({ syntax: "path" }),
    default: "none",
    field: "security.aclFile",
    repeat: "last",
    reload: "Y",
    effect: "Who may read and write which topics.",
  },
  {
    name: "allow_anonymous",
    scope: "S",
    value: truth,
    default: "`true` in local-only mode, else `false`",
    field: "security.allowAnonymous",
    repeat: "last",
    reload: "Y",
    effect: "Whether a client may connect without a user name.",
  },
  {
    name: "allow_zero_length_clientid",
    scope: "S",
    value: truth,
    fallback: true,
    field: "security.allowZeroLengthClientId",
    repeat: "last",
    reload: "Y",
    effect: "Whether a client may leave its identifier to the broker.",
  },
  {
    name: "auto_id_prefix",
    scope: "S",
    value: text({
      syntax: `text of up to ${PREFIX_BYTES_MAX} bytes`,
      bytesMax: PREFIX_BYTES_MAX,
      tooLong: `auto_id_prefix length must be <= ${PREFIX_BYTES_MAX}.`,
    }),
    fallback: "auto-",
    field: "security.autoIdPrefix",
    repeat: "never",
    reload: "Y",
    deprecated: { auto_id_prefix: "Use 'listener_auto_id_prefix' instead." },
    effect: "What generated client identifiers begin with.",
  },
  {
    name: "password_file",
    scope: "S",
    value: text({ syntax: "path" }),
    default: "none",
    field: "security.passwordFile",
    repeat: "last",
    reload: "Y",
    effect: "User names and the hashes of their passwords.",
  },
  {
    name: "per_listener_settings",
    scope: "G",
    value: truth,
    fallback: false,
    repeat: "last",
    reload: "D",
    deprecated: { per_listener_settings: "Use options of listeners and 'plugin_use' instead." },
    effect: "Whether options that may stand per listener count only where they stand.",
  },
  {
    name: "psk_file",
    scope: "S",
    value: text({ syntax: "path" }),
    default: "none",
    field: "security.pskFile",
    repeat: "never",
    reload: "Y",
    effect: "Identities and their pre-shared keys.",
  },
];
