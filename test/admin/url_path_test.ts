// Paths of requests: decoded once, or refused.

import { assertEquals } from "@std/assert";
import { decodePath } from "../../src/admin/url_path.ts";
import { test } from "../harness.ts";

test("decodePath() decodes a path once", () => {
  const paths = ["/", "/a/b/", "/a%20b", "/%C3%A4", "/a%252e", "/%252e%252e/a", "/...", "/.a"];
  assertEquals(
    paths.map(decodePath),
    ["/", "/a/b/", "/a b", "/ä", "/a%2e", "/%2e%2e/a", "/...", "/.a"],
  );
});

test("decodePath() refuses what could be read in two ways (B-57)", () => {
  const paths = [
    "",
    "a",
    "*",
    "//",
    "/a//b",
    "/.",
    "/..",
    "/../etc/passwd",
    "/a/../b",
    "/a/./b",
    "/%2e%2e/a",
    "/%2E./a",
    "/.%2e/a",
    "/..%2fa",
    "/a%2Fb",
    "/..%5ca",
    "/..\\a",
    "/a%00.html",
    "/a%0a",
    "/%c0%ae%c0%ae/a",
    "/%ff",
    "/%",
    "/%4",
    "/%zz",
  ];
  assertEquals(paths.filter((path) => decodePath(path) !== undefined), []);
});
