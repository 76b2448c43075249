// PROXY headers of both versions: what each means, where each is corrupt, and that no cut of one
// that is whole is ever taken for anything but incomplete.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseProxyHeader } from "../../src/transport/proxy_header.ts";
import { test } from "../harness.ts";
import { binaryHeader, INET, INET6, ssl, tlv, UNIX } from "../support/proxy_headers.ts";
import { encode } from "../support/scripted_transport.ts";

function parse(version: 1 | 2, bytes: Uint8Array | string) {
  const whole = typeof bytes === "string" ? encode(bytes) : bytes;
  return parseProxyHeader(version, whole, whole.length);
}

const LONGEST = "PROXY UNKNOWN ".padEnd(105, "f") + "\r\n";

const TEXTS: readonly (readonly [text: string, source: unknown])[] = [
  [
    "PROXY TCP4 203.0.113.7 192.0.2.9 50000 1883\r\n",
    { address: "203.0.113.7", port: 50_000 },
  ],
  ["PROXY TCP6 2001:DB8::7 ::1 0 65535\r\n", { address: "2001:db8::7", port: 0 }],
  ["PROXY UNKNOWN\r\n", undefined],
  ["PROXY UNKNOWN what ever 1 2 3\r\n", undefined],
  [LONGEST, undefined],
];

for (const [text, source] of TEXTS) {
  test(`parseProxyHeader() reads ${JSON.stringify(text)} and no cut of it`, () => {
    assertEquals(parse(1, `${text}more`), {
      length: text.length,
      isLocal: false,
      source: source as undefined,
      tls: undefined,
    });
    for (let end = 0; end < text.length; end++) {
      assertEquals(parse(1, text.slice(0, end)), "incomplete");
    }
  });
}

const CORRUPT_TEXTS: readonly string[] = [
  "\x10",
  "GET / HTTP/1.1\r\n",
  "proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
  "PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n",
  "PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\r\n",
  "PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n",
  "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n",
  "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
  "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
  "PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n",
  "PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n",
  "PROXY TCP4 1.2.3.4 1.2.3 1 1\r\n",
  "PROXY TCP4 ::1 ::1 1 1\r\n",
  "PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n",
  "PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n",
  "PROXY \r\n",
  "PROXY\t",
  "PROXY TCP4 \0",
  LONGEST.replace("\r", "f\r"),
  "PROXY UNKNOWN ".padEnd(107, "f"),
];

test("parseProxyHeader() refuses lines that are not quite a header of version 1", () => {
  assertEquals(CORRUPT_TEXTS.filter((text) => parse(1, text) !== "corrupt"), []);
});

const LOCAL = { isLocal: true, source: undefined, tls: undefined };
const CLIENT = { isLocal: false, source: { address: "203.0.113.7", port: 50_000 }, tls: undefined };
const SESSION = [tlv(0x21, "TLSv1.3"), tlv(0x22, "Größe"), tlv(0x23, "TLS_AES_128_GCM_SHA256")];
const TLS = {
  version: "TLSv1.3",
  cipher: "TLS_AES_128_GCM_SHA256",
  commonName: "Größe",
  isVerified: true,
};

const BINARIES: readonly (readonly [name: string, bytes: Uint8Array, meaning: object])[] = [
  ["an IPv4 client", binaryHeader(), CLIENT],
  ["a client by datagrams", binaryHeader({ family: 0x12 }), CLIENT],
  ["an IPv6 client", binaryHeader({ family: 0x21, body: INET6 }), {
    ...CLIENT,
    source: { address: "2001:db8::7", port: 50_000 },
  }],
  ["a client on a Unix socket", binaryHeader({ family: 0x31, body: UNIX }), {
    ...CLIENT,
    source: { address: "/run/client", port: 0 },
  }],
  ["a client that the proxy does not know", binaryHeader({ family: 0, body: [] }), {
    ...CLIENT,
    source: undefined,
  }],
  ["the proxy itself", binaryHeader({ command: 0x20, family: 0, body: [] }), LOCAL],
  ["the proxy itself with an address", binaryHeader({ command: 0x20 }), LOCAL],
  [
    "entries that are not about TLS",
    binaryHeader({ body: [...INET, ...tlv(4, "x"), 5, 0, 0] }),
    CLIENT,
  ],
  ["a verified certificate", binaryHeader({ body: [...INET, ...ssl(5, 0, ...SESSION)] }), {
    ...CLIENT,
    tls: TLS,
  }],
  [
    "a certificate of another session",
    binaryHeader({ body: [...INET, ...ssl(3, 0, ...SESSION)] }),
    {
      ...CLIENT,
      tls: { ...TLS, isVerified: false },
    },
  ],
  [
    "a certificate that does not verify",
    binaryHeader({ body: [...INET, ...ssl(5, 1, ...SESSION)] }),
    {
      ...CLIENT,
      tls: { ...TLS, isVerified: false },
    },
  ],
  ["TLS without a word about it", binaryHeader({ body: [...INET, ...ssl(1, 1)] }), {
    ...CLIENT,
    tls: { version: "", cipher: "", commonName: undefined, isVerified: false },
  }],
  ["no TLS, at length", binaryHeader({ body: [...INET, ...ssl(4, 0, ...SESSION)] }), CLIENT],
  [
    "a common name that is no text",
    binaryHeader({ body: [...INET, ...ssl(5, 0, tlv(0x22, [0xff]))] }),
    {
      ...CLIENT,
      tls: { version: "", cipher: "", commonName: undefined, isVerified: true },
    },
  ],
  [
    "a common name with a zero",
    binaryHeader({ body: [...INET, ...ssl(5, 0, tlv(0x22, "a\0b"))] }),
    {
      ...CLIENT,
      tls: { version: "", cipher: "", commonName: undefined, isVerified: true },
    },
  ],
];

for (const [name, bytes, meaning] of BINARIES) {
  test(`parseProxyHeader() reads ${name}, and no cut of it (B-56)`, () => {
    const whole = { length: bytes.length, ...meaning };
    assertEquals(parse(2, bytes), whole as ReturnType<typeof parse>);
    assertEquals(parse(2, Uint8Array.of(...bytes, 16, 0)), whole as ReturnType<typeof parse>);
    for (let end = 0; end < bytes.length; end++) {
      assertEquals(parse(2, bytes.subarray(0, end)), "incomplete");
    }
  });
}

const CORRUPT_BINARIES: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ["another first byte", Uint8Array.of(0x10)],
  ["another last byte of the signature", binaryHeader().with(11, 11)],
  ["version 1", binaryHeader({ command: 0x11 })],
  ["an unknown command", binaryHeader({ command: 0x22 }).subarray(0, 13)],
  ["an unknown family", binaryHeader({ family: 0x41 })],
  ["an unknown kind of socket", binaryHeader({ family: 0x13 })],
  ["half a family", binaryHeader({ family: 0x01 })],
  ["too few bytes for IPv4", binaryHeader({ body: INET.slice(1) })],
  ["too few bytes for IPv6", binaryHeader({ family: 0x21, body: INET6.slice(1) })],
  ["too few bytes for a Unix socket", binaryHeader({ family: 0x31, body: UNIX.slice(1) })],
  ["no bytes", binaryHeader({ body: [] })],
  ["64 KB", binaryHeader({ length: 65_535 })],
  ["64 KB of the proxy's own", binaryHeader({ command: 0x20, length: 65_535 })],
  ["one byte more than there may be", binaryHeader({ length: 501 })],
  ["an entry cut in its length", binaryHeader({ body: [...INET, 4, 0] })],
  ["an entry past the end", binaryHeader({ body: [...INET, 4, 0, 2, 1] })],
  ["a large entry past the end", binaryHeader({ body: [...INET, 4, 255, 255, 1] })],
  [
    "an entry about TLS without its flags",
    binaryHeader({ body: [...INET, ...tlv(0x20, [1, 0, 0, 0])] }),
  ],
  [
    "an entry within TLS past its end",
    binaryHeader({ body: [...INET, ...ssl(1, 0, [0x21, 0, 9, 1])] }),
  ],
  ["two entries about TLS", binaryHeader({ body: [...INET, ...ssl(0, 0), ...ssl(5, 0)] })],
  [
    "two common names",
    binaryHeader({ body: [...INET, ...ssl(5, 0, tlv(0x22, "a"), tlv(0x22, "b"))] }),
  ],
];

for (const [name, bytes] of CORRUPT_BINARIES) {
  test(`parseProxyHeader() refuses ${name} (B-56)`, () => {
    assertEquals(parse(2, bytes), "corrupt");
  });
}

test("parseProxyHeader() takes the longest header and the whole of it", () => {
  const body = [...INET, ...tlv(4, new Array<number>(500 - 12 - 3).fill(0))];
  assertEquals(parse(2, binaryHeader({ body })), { length: 516, ...CLIENT });
});

test("parseProxyHeader() has an answer to any bytes and never one beyond them", () => {
  const body = fc.uint8Array({ maxLength: 60 });
  fc.assert(fc.property(fc.constantFrom(0x11, 0x21, 0), body, (family, bytes) => {
    const whole = binaryHeader({ family, body: [...bytes] });
    const parsed = parse(2, whole);
    if (typeof parsed === "object") assertEquals(parsed.length, whole.length);
    else assertEquals(parsed, "corrupt");
  }));
  fc.assert(fc.property(fc.string({ unit: "binary-ascii", maxLength: 120 }), (text) => {
    const line = `PROXY TCP4 ${text}\r\n`;
    const parsed = parse(1, line);
    if (typeof parsed === "object") assertEquals(parsed.length <= line.length, true);
    else assertEquals(parsed, "corrupt");
  }));
});
