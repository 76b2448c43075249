// Files over HTTP: what is in the directory and nothing that is not, with its type and its bounds.

import { assertEquals, assertRejects } from "@std/assert";
import { openStaticFiles, serveFiles } from "../../src/admin/static_files.ts";
import { OperationError } from "../../src/core/base/operation_error.ts";
import type { HttpResponse } from "../../src/transport/http.ts";
import { test } from "../harness.ts";
import { memoryFiles } from "../support/memory_files.ts";

const LARGEST = 16 * 1_048_576;

const FILES = memoryFiles({
  files: {
    "/srv/www/index.html": "<p>",
    "/srv/www/sub/index.html": "<b>",
    "/srv/www/app.JS": "1",
    "/srv/www/data": "?",
    "/srv/www/..a": "dots",
    "/srv/www/empty.txt": "",
    "/srv/www/a.constructor": "c",
    "/srv/www/largest.png": new Uint8Array(LARGEST),
    "/srv/www/too_large.png": new Uint8Array(LARGEST + 1),
    "/srv/www-secret/key": "secret",
    "/etc/passwd": "secret",
  },
  links: {
    "/www": "/srv/www",
    "/srv/www/inside": "/srv/www/sub",
    "/srv/www/outside": "/etc/passwd",
    "/srv/www/sibling": "/srv/www-secret",
    "/srv/www/up": "/srv",
    "/srv/www/root": "/",
  },
  devices: ["/srv/www/zero"],
});

function plain({ status, headers, body }: HttpResponse): string {
  return `${status} ${headers?.["Content-Type"]} ${new TextDecoder().decode(body)}`;
}

const NOT_FOUND = "404 text/plain; charset=utf-8 Not found.";

const PATHS: readonly (readonly [path: string, response: string])[] = [
  ["/", "200 text/html; charset=utf-8 <p>"],
  ["/index.html", "200 text/html; charset=utf-8 <p>"],
  ["/sub/", "200 text/html; charset=utf-8 <b>"],
  ["/inside/", "200 text/html; charset=utf-8 <b>"],
  ["/app.JS", "200 text/javascript; charset=utf-8 1"],
  ["/data", "200 application/octet-stream ?"],
  ["/..a", "200 application/octet-stream dots"],
  ["/a.constructor", "200 application/octet-stream c"],
  ["/empty.txt", "200 text/plain; charset=utf-8 "],
  ["/sub", NOT_FOUND],
  ["/missing", NOT_FOUND],
  ["/missing/", NOT_FOUND],
  ["/zero", NOT_FOUND],
  ["/too_large.png", NOT_FOUND],
  ["/outside", NOT_FOUND],
  ["/sibling/key", NOT_FOUND],
  ["/up/www-secret/key", NOT_FOUND],
  ["/root/etc/passwd", NOT_FOUND],
  ["/../../etc/passwd", NOT_FOUND],
  ["/../www-secret/key", NOT_FOUND],
];

for (const [path, response] of PATHS) {
  test(`openStaticFiles() answers ${path} with ${response.slice(0, 3)} (B-57)`, async () => {
    const serve = await openStaticFiles(FILES, "/www");
    assertEquals(plain(await serve(path)), response);
  });
}

test("openStaticFiles() holds no more for slow peers than it may, and again when they are done", async () => {
  const serve = await openStaticFiles(FILES, "/www");
  const responses: HttpResponse[] = [];
  for (let i = 0; i < 5; i++) responses.push(await serve("/largest.png"));
  assertEquals(responses.map(({ status }) => status), [200, 200, 200, 200, 503]);
  responses[0]!.release!();
  assertEquals((await serve("/largest.png")).status, 200);
});

test("openStaticFiles() wants a directory", async () => {
  for (const path of ["/nowhere", "/etc/passwd"]) {
    const error = await assertRejects(() => openStaticFiles(FILES, path), OperationError);
    assertEquals(error.code, "not-found");
  }
});

test("serveFiles() reads decoded paths, and knows no method but reading (B-57)", async () => {
  const handler = serveFiles(await openStaticFiles(FILES, "/www"));
  const peer = { remoteAddress: "127.0.0.1", remotePort: 1, localPort: 2 };
  const answer = async (method: string, path: string) =>
    plain(await handler({ method, path, query: "", headers: new Map(), peer }));
  assertEquals(
    [
      await answer("GET", "/%61pp.JS"),
      await answer("HEAD", "/app.JS"),
      await answer("POST", "/app.JS"),
      await answer("GET", "/sub/..%2fapp.JS"),
      await answer("GET", "/sub/../app.JS"),
      await answer("GET", "/%"),
    ],
    [
      "200 text/javascript; charset=utf-8 1",
      "200 text/javascript; charset=utf-8 1",
      "405 text/plain; charset=utf-8 Invalid HTTP Method\n",
      NOT_FOUND,
      NOT_FOUND,
      NOT_FOUND,
    ],
  );
});
