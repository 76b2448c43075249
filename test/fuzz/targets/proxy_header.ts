/**
 * PROXY headers: the first byte chooses the version. A header is judged as it grows, so each
 * beginning of an input is judged: it lacks something up to one place, and means the same from
 * there on, whatever follows.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { parseIpv4, parseIpv6 } from "../../../src/transport/ip_address.ts";
import { HEADER_BYTES_MAX, parseProxyHeader } from "../../../src/transport/proxy_header.ts";
import { binaryHeader, INET, INET6, ssl, tlv, UNIX } from "../../support/proxy_headers.ts";
import { bytesOf, type FuzzTarget, inAnySurroundings } from "../target.ts";

export const proxyHeader: FuzzTarget = {
  name: "proxy_header",
  tokens: ["PROXY ", "TCP4 ", "TCP6 ", "UNKNOWN", "\r\n", "\r\n\r\n\0\r\nQUIT\n", "::1 ", "65535"],
  seeds: () => [
    ...[
      "PROXY TCP4 203.0.113.7 192.0.2.9 50000 1883\r\nmore",
      "PROXY TCP6 2001:db8::7 ::1 50000 1883\r\n",
      "PROXY UNKNOWN anything\r\n",
    ].map((text) => Uint8Array.of(0, ...bytesOf(text))),
    ...[
      binaryHeader(),
      binaryHeader({ command: 0x20, family: 0, body: [] }),
      binaryHeader({ family: 0x21, body: INET6 }),
      binaryHeader({ family: 0x31, body: UNIX }),
      binaryHeader({ body: [...INET, ...tlv(4, "x"), ...ssl(7, 0, tlv(0x22, "cn"))] }),
    ].map((bytes) => Uint8Array.of(1, ...bytes)),
  ],
  run(input) {
    const version = (input[0] ?? 0) % 2 === 0 ? 1 : 2;
    const bytes = input.subarray(1);
    let decided: ReturnType<typeof parseProxyHeader> | undefined;
    for (let length = 0; length <= Math.min(bytes.length, HEADER_BYTES_MAX + 1); length++) {
      const result = inAnySurroundings(
        bytes.subarray(0, length),
        (around, start, end) => parseProxyHeader(version, around.subarray(start), end - start),
      );
      if (decided !== undefined) assertEquals(result, decided);
      else if (result !== "incomplete") decided = result;
    }
    if (bytes.length > HEADER_BYTES_MAX) assert(decided !== undefined, "A header has no end");
    if (decided === undefined || typeof decided === "string") return;
    const { length, source } = decided;
    assert(length <= bytes.length);
    if (source === undefined) return;
    assert(source.port >= 0 && source.port <= 65_535);
    const isIp = parseIpv4(source.address) !== undefined ||
      parseIpv6(source.address) !== undefined;
    assert(isIp || (version === 2 && bytes[13]! >> 4 === 3), `"${source.address}" is no address`);
  },
};
