/**
 * Options of Midge alone: how often something may happen, and what then keeps people out.
 *
 * @module
 */

import { rate } from "../general_values.ts";
import type { Option } from "../option.ts";
import { integer } from "../values.ts";

export const RATE_LIMIT_OPTIONS: readonly Option[] = [
  {
    name: "connect_rate_limit",
    scope: "G",
    value: rate,
    default: "off",
    field: "rateLimits.connects",
    repeat: "last",
    reload: "Y",
    effect: "Connections per remote address in so many seconds; more are closed at once.",
    difference: "Midge only.",
  },
  {
    name: "login_ban_duration",
    scope: "G",
    value: integer({ syntax: "seconds, 1 or more", min: 1 }),
    fallback: 300,
    field: "rateLimits.loginBanSeconds",
    repeat: "last",
    reload: "Y",
    effect: "For how long an address is turned away that has reached login_failure_limit.",
    difference: "Midge only.",
  },
  {
    name: "login_failure_limit",
    scope: "G",
    value: rate,
    default: "off",
    field: "rateLimits.loginFailures",
    repeat: "last",
    reload: "Y",
    effect: "Refused logins per remote address in so many seconds.",
    difference: "Midge only.",
  },
  {
    name: "publish_rate_limit",
    scope: "G",
    value: rate,
    default: "off",
    field: "rateLimits.publishes",
    repeat: "last",
    reload: "Y",
    effect: "PUBLISH packets per client in so many seconds; a client that sends more is not read.",
    difference: "Midge only.",
  },
];
