// Times as the C library writes them. The calendar is compared with the system's own `date`.

import { assertEquals } from "@std/assert";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { strftime } from "../../src/telemetry/strftime.ts";
import { test } from "../harness.ts";

const KINDS = [..."aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYz%"];

/** Days around the ends of years of every kind, and hours around noon and midnight. */
function times(): Date[] {
  const days = [];
  for (const year of [1999, 2004, 2009, 2010, 2015, 2016, 2020, 2024, 2026]) {
    for (const day of [1, 2, 3, 4, 5]) days.push(new Date(year, 0, day, day * 5, 59, 9));
    for (const day of [28, 29, 30, 31]) days.push(new Date(year, 11, day, day - 19, 0, 0));
    days.push(new Date(year, 1, 29, 0, 0, 0), new Date(year, 6, 31, 12, 30, 0));
  }
  return days;
}

test("strftime() writes every conversion as the system does", () => {
  const all = times();
  const format = KINDS.map((kind) => `${kind}=%${kind}`).join("|");
  const input = all.map((time) => `@${Math.floor(time.getTime() / 1000)}`).join("\n");
  const output = execFileSync("date", ["-f", "-", `+${format}#`], {
    input,
    env: { ...process.env, LC_ALL: "C" },
  });
  const expected = new TextDecoder().decode(output).split("#\n").slice(0, -1);
  assertEquals(all.map((time) => strftime(format, time)), expected);
});

test("strftime() understands the flags of the GNU library", () => {
  const time = new Date(2026, 0, 5, 7, 8, 9);
  assertEquals(
    strftime("%-d %-m %_m %0e %^a %#p %-H:%M", time),
    "5 1  1 05 MON am 7:08",
  );
});

test("strftime() names the zone", () => {
  assertEquals(/^[A-Za-z]+(?:[+-]\d+(?::\d+)?)?$/.test(strftime("%Z", new Date())), true);
});

test("strftime() leaves alone what is no conversion", () => {
  assertEquals(strftime("%Q %v% 100%", new Date()), "%Q %v% 100%");
  assertEquals(strftime("", new Date()), "");
});
