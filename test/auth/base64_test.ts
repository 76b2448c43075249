// Base64 in its one spelling.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "../harness.ts";
import {
  decodeBase64,
  decodeUnpaddedBase64,
  encodeBase64,
  encodeUnpaddedBase64,
} from "../../src/auth/base64.ts";

test("decodeBase64() gives back what encodeBase64() was given, padded or not", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    assertEquals(decodeBase64(encodeBase64(bytes)), Uint8Array.from(bytes));
    assertEquals(decodeUnpaddedBase64(encodeUnpaddedBase64(bytes)), Uint8Array.from(bytes));
  }));
});

test("decodeBase64() accepts no other spelling of a value", () => {
  const texts = ["YQ", "YQ=", "YQ= =", "YR==", " YQ==", "Y-==", "YQ==\n", "=", "YQ==YQ=="];
  assertEquals(texts.map((text) => decodeBase64(text)), texts.map(() => undefined));
  assertEquals(decodeUnpaddedBase64("YQ=="), undefined);
  assertEquals(decodeUnpaddedBase64("YWJjY"), undefined);
});
