/**
 * The example of a broker in a browser: bundled into a folder that any web server can give out, and
 * given out by one of Deno's with `deno task example:browser`.
 *
 * @module
 */

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

/** Writes the page, its script and the worker into `dist/browser`, which it returns. */
export async function buildBrowserExample(): Promise<string> {
  await Deno.mkdir(fromRoot(FOLDER), { recursive: true });
  for (const name of Object.keys(TYPES)) {
    const source = `${SOURCE}/${name.replace(/\.js$/, ".ts")}`;
    const bytes = name.endsWith(".js")
      ? (await bundleForWeb(source)).code
      : await Deno.readFile(fromRoot(source));
    await Deno.writeFile(fromRoot(`${FOLDER}/${name}`), bytes);
  }
  return FOLDER;
}

async function serve(port: number): Promise<void> {
  await buildBrowserExample();
  await stopBundler();
  const onListen = (): void => console.log(`Open http://127.0.0.1:${port}/ in two tabs`);
  Deno.serve({ hostname: "127.0.0.1", port, onListen }, async ({ url }) => {
    const name = new URL(url).pathname.slice(1) || "index.html";
    const type = TYPES[name];
    if (type === undefined) return new Response("There is no such file\n", { status: 404 });
    const body = await Deno.readFile(fromRoot(`${FOLDER}/${name}`));
    return new Response(body, { headers: { "content-type": type } });
  });
}

if (import.meta.main) await serve(Number(Deno.args[0] ?? 8000));
