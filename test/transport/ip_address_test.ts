// Addresses between text and bytes: every form there is, what is none, and the round trip.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "../../src/transport/ip_address.ts";
import { test } from "../harness.ts";

test("parseIpv4() takes four plain numbers and nothing else", () => {
  assertEquals(parseIpv4("0.10.200.255"), Uint8Array.of(0, 10, 200, 255));
  const wrong = ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.+4", "1.2.3.4 ", "a"];
  assertEquals(wrong.filter((text) => parseIpv4(text) !== undefined), []);
});

const SIXES: readonly (readonly [text: string, canonical: string])[] = [
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["0:0:0:1:0:0:0:0", "0:0:0:1::"],
  ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
  ["::ffff:c000:201", "::ffff:192.0.2.1"],
  ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
];

test("parseIpv6() takes every form of an address, and formatIpv6() has one for each", () => {
  assertEquals(
    SIXES.map(([text]) => formatIpv6(parseIpv6(text)!)),
    SIXES.map(([, canonical]) => canonical),
  );
});

test("parseIpv6() refuses what is not quite an address", () => {
  const wrong = [
    "",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "g::",
    ":1::",
    "1::2:",
    "fe80::1%eth0",
    "1.2.3.4::",
    "1.2.3.4",
    "::1.2.3",
    "[::1]",
  ];
  assertEquals(wrong.filter((text) => parseIpv6(text) !== undefined), []);
});

test("formatIpv4() and formatIpv6() are read back as the same bytes", () => {
  const sparse = fc.constantFrom(0, 0, 0, 1, 0xff);
  fc.assert(fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
    assertEquals(parseIpv4(formatIpv4(bytes)), bytes);
  }));
  fc.assert(fc.property(fc.array(sparse, { minLength: 16, maxLength: 16 }), (numbers) => {
    const bytes = Uint8Array.from(numbers);
    assertEquals(parseIpv6(formatIpv6(bytes)), bytes);
  }));
});
