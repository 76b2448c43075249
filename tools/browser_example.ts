/**
 * The example of a broker in a browser: bundled into a folder that any web server can give out, and
 * given out by one of Deno's with `deno task example:browser`.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { stopBundler } from "./bundle.ts";
import { fromRoot } from "./root.ts";
import { bundleForWeb } from "./web_bundles.ts";

const SOURCE = "examples/browser";
const FOLDER = "dist/browser";

const TYPES: Readonly<Record<string, string>> = {
  "index.html": "text/html; charset=utf-8",
  "page.js": "text/javascript",
  "broker.js": "text/javascript",
};

/** The page, its script and the worker, by their names. */
export async function browserExample(): Promise<Readonly<Record<string, Uint8Array>>> {
  const files: Record<string, Uint8Array> = {};
  for (const name of Object.keys(TYPES)) {
    files[name] = name.endsWith(".js")
      ? (await bundleForWeb(`${SOURCE}/${name.replace(/\.js$/, ".ts")}`)).code
      : await readFile(fromRoot(`${SOURCE}/${name}`));
  }
  return files;
}

/** Writes them into `dist/browser`, which it returns. */
export async function buildBrowserExample(): Promise<string> {
  await Deno.mkdir(fromRoot(FOLDER), { recursive: true });
  for (const [name, bytes] of Object.entries(await browserExample())) {
    await Deno.writeFile(fromRoot(`${FOLDER}/${name}`), bytes);
  }
  return FOLDER;
}

async function serve(port: number): Promise<void> {
  const files = await browserExample();
  await stopBundler();
  const onListen = (): void => console.log(`Open http://127.0.0.1:${port}/ in two tabs`);
  Deno.serve({ hostname: "127.0.0.1", port, onListen }, ({ url }) => {
    const name = new URL(url).pathname.slice(1) || "index.html";
    const body = files[name];
    if (body === undefined) return new Response("There is no such file\n", { status: 404 });
    return new Response(body.slice(), { headers: { "content-type": TYPES[name]! } });
  });
}

if (import.meta.main) await serve(Number(Deno.args[0] ?? 8000));
