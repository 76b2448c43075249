/**
 * A site of its own in a real Chromium: files out of memory over HTTP, and tabs that are told from
 * outside what to do. Playwright drives the browser, from Node alone, which is where it runs.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Tab } from "../browser/tab.ts";
import { runtimeName } from "./current_runtime.ts";
import { mosquittoTool, skipWithout } from "./foreign.ts";

/** The `skip` and the limit of a test that needs a browser. */
export const BROWSER_TEST: { readonly skip: string | false; readonly timeout: number } = {
  skip: runtimeName === "node" ? skipWithout("chromium") : "The browser is driven from Node",
  timeout: 60_000,
};

/** Where the site is not trusted as this machine is, because anybody might have sent its pages. */
export const PLAIN_HOST = "plain.test";

/** Files by name: `index.html`, scripts and workers. */
export type SiteFiles = Readonly<Record<string, Uint8Array | string>>;

/** A tab, with the script of `test/browser/tab.ts` in it. */
export class TabHandle {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Calls a method of the tab's and gives what it returns. */
  call<Name extends keyof Tab>(
    name: Name,
    ...args: Parameters<Tab[Name]>
  ): Promise<Awaited<ReturnType<Tab[Name]>>> {
    // What the page returns is what the method does, as far as it can be copied.
    return this.page.evaluate(callInTab, { name, args: args as unknown[] }) as Promise<
      Awaited<ReturnType<Tab[Name]>>
    >;
  }
}

/** Runs inside the page, so it knows nothing of this file. */
function callInTab({ name, args }: { name: string; args: unknown[] }): unknown {
  const { tab } = globalThis as unknown as { tab: Record<string, (...args: unknown[]) => unknown> };
  return tab[name]!(...args);
}

export class BrowserSite {
  readonly #server: Server;
  readonly #browser: Browser;
  readonly #context: BrowserContext;
  /** What went wrong in the pages, unasked. */
  readonly errors: string[] = [];

  constructor(server: Server, browser: Browser, context: BrowserContext) {
    this.#server = server;
    this.#browser = browser;
    this.#context = context;
  }

  /** Runs `body` on a site with these files, and leaves nothing running. */
  static async with(files: SiteFiles, body: (site: BrowserSite) => Promise<void>): Promise<void> {
    const { chromium } = await import("playwright-core");
    const server = await serve(files);
    try {
      const browser = await chromium.launch({
        executablePath: mosquittoTool("chromium")!,
        args: [`--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`],
      });
      try {
        const site = new BrowserSite(server, browser, await browser.newContext());
        await body(site);
        if (site.errors.length > 0) throw new Error(site.errors.join("\n"));
      } finally {
        await browser.close();
      }
    } finally {
      server.close();
      server.closeAllConnections();
    }
  }

  async page(host: string = "127.0.0.1"): Promise<Page> {
    const page = await this.#context.newPage();
    page.on("pageerror", (error) => this.errors.push(String(error)));
    const { port } = this.#server.address() as AddressInfo;
    await page.goto(`http://${host}:${port}/`);
    return page;
  }

  async tab(host?: string): Promise<TabHandle> {
    return new TabHandle(await this.page(host));
  }

  /** Memory of all processes of the browser together, as the system counts it. */
  async residentBytes(): Promise<number> {
    const session = await this.#browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    let kib = 0;
    for (const { id } of processInfo) {
      const status = readFileSync(`/proc/${id}/status`, "utf8");
      kib += Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    }
    return kib * 1024;
  }

  /** As a crash does. */
  async endSharedWorkers(): Promise<void> {
    const session = await this.#browser.newBrowserCDPSession();
    const { targetInfos } = await session.send("Target.getTargets");
    for (const { type, targetId } of targetInfos) {
      if (type === "shared_worker") await session.send("Target.closeTarget", { targetId });
    }
    await session.detach();
  }

  /** As the browser does after a while. */
  async stopServiceWorkers(page: Page): Promise<void> {
    const session = await this.#context.newCDPSession(page);
    await session.send("ServiceWorker.enable");
    await session.send("ServiceWorker.stopAllWorkers");
    await session.detach();
  }
}

function serve(files: SiteFiles): Promise<Server> {
  const server = createServer(({ url }, response) => {
    const name = url === "/" ? "index.html" : url!.slice(1);
    const body = files[name];
    if (body === undefined) return void response.writeHead(404).end();
    const type = name.endsWith(".js") ? "text/javascript" : "text/html; charset=utf-8";
    response.writeHead(200, { "content-type": type }).end(body);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}
