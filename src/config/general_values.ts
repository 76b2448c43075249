/**
 * Values of general options that have a grammar of their own: durations, periods that are cut, and
 * rates.
 *
 * @module
 */

import type { Rate } from "./config.ts";
import type { ValueKind } from "./option.ts";
import { empty, parseInteger, words } from "./values.ts";

const MINUTES_MAX = 10_000_000;
const SECONDS_MAX = 0x7fffffff;
const DAY = 86_400;
const SECONDS_OF: Readonly<Record<string, number>> = {
  s: 1,
  h: 3600,
  d: DAY,
  w: 7 * DAY,
  m: 30 * DAY,
  y: 365 * DAY,
};

/** A number and a unit in one word: `2w`; in seconds. */
export const duration: ValueKind = {
  syntax: "a number and one of `s`, `h`, `d`, `w`, `m`, `y`",
  read(input) {
    const [word] = words(input.text);
    if (word === undefined) return empty(input);
    const match = /^([0-9]{1,10})([shdwmy])$/.exec(word);
    const count = match === null ? 0 : Number(match[1]);
    if (match === null || count === 0) {
      return { fault: `Invalid '${input.name}' duration in configuration.` };
    }
    return { value: count * SECONDS_OF[match[2]!]! };
  },
};

/** Minutes, cut where a longer period makes no difference. */
export const retainExpiryInterval: ValueKind = {
  syntax: "minutes, 1 or more",
  read(input) {
    const [word] = words(input.text);
    if (word === undefined) return empty(input);
    const minutes = parseInteger(word);
    if (minutes === undefined) return { fault: `'${input.name}' value not a number.` };
    if (Math.abs(minutes) > SECONDS_MAX) return { fault: `'${input.name}' value out of range.` };
    if (minutes < 1) return { fault: "retain_expiry_interval must be >= 1." };
    if (minutes <= MINUTES_MAX) return { value: minutes };
    return {
      value: MINUTES_MAX,
      notes: [{
        type: "warning",
        text: `Warning: '${input.name}' is greater than ${MINUTES_MAX}, using ${MINUTES_MAX}.`,
      }],
    };
  },
};

/** A count and the seconds in which it may be reached; 0 is no limit. */
export const rate: ValueKind = {
  syntax: "`<count> <seconds>`",
  read(input) {
    if (input.text === "") return empty(input);
    const [countWord, secondsWord, ...rest] = words(input.text);
    const count = parseInteger(countWord!);
    if (count === 0 && secondsWord === undefined) return { value: undefined };
    const seconds = secondsWord === undefined ? undefined : parseInteger(secondsWord);
    if (
      count === undefined || count < 0 || count > SECONDS_MAX || seconds === undefined ||
      seconds < 1 || seconds > SECONDS_MAX || rest.length > 0
    ) {
      return { fault: `'${input.name}' must be a count and a number of seconds.` };
    }
    return { value: count === 0 ? undefined : { count, seconds } satisfies Rate };
  },
};
