// Basic credentials: who is nobody, who is somebody, and what is neither.

import { assertEquals } from "@std/assert";
import { parseBasicAuth } from "../../src/admin/basic_auth.ts";
import { test } from "../harness.ts";

test("parseBasicAuth() reads user name and password, up to the first colon", () => {
  const basic = (text: string): string =>
    `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}`;
  const parsed = (username: string, password: string) => ({
    username,
    password: new TextEncoder().encode(password),
  });
  assertEquals(parseBasicAuth(basic("ann:pass:word")), parsed("ann", "pass:word"));
  assertEquals(parseBasicAuth(basic("jörg:ß")), parsed("jörg", "ß"));
  assertEquals(parseBasicAuth(basic(":")), parsed("", ""));
  assertEquals(parseBasicAuth("bASIC   YTpi"), parsed("a", "b"));
  assertEquals(parseBasicAuth(undefined), undefined);
});

test("parseBasicAuth() never takes credentials that make no sense for none (B-58)", () => {
  const headers = [
    "",
    "Basic",
    "Basic ",
    "Basic YW5u",
    "Basic a",
    "Basic YTpi YTpi",
    "Basic YTp*",
    "Bearer YTpi",
    `Basic ${btoa("\xff:a")}`,
    `Basic ${btoa("a\0b:c")}`,
  ];
  assertEquals(headers.map(parseBasicAuth), headers.map(() => "malformed" as const));
});
