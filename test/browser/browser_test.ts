// The broker in a real Chromium: in a worker that tabs share, in a service worker, and in a tab.

import { assertEquals } from "@std/assert";
import * as esbuild from "esbuild";
import { bundleForWeb } from "../../tools/web_bundles.ts";
import { test } from "../harness.ts";
import {
  BROWSER_TEST,
  BrowserSite,
  PLAIN_HOST,
  type SiteFiles,
  type TabHandle,
} from "../support/browser_site.ts";

const PAGE = `<!doctype html><title>Tab</title><link rel="icon" href="data:,">
<script type="module" src="tab.js"></script>`;
const MEGABYTE = 1_000_000;

let bundling: Promise<SiteFiles> | undefined;

/** The page and its scripts, bundled once for all tests. */
async function bundled(): Promise<SiteFiles> {
  const files: Record<string, Uint8Array | string> = { "index.html": PAGE };
  for (const name of ["tab", "shared_broker", "service_broker"]) {
    files[`${name}.js`] = (await bundleForWeb(`test/browser/${name}.ts`)).code;
  }
  await esbuild.stop();
  return files;
}

async function onTabs(
  count: number,
  body: (tabs: readonly TabHandle[], site: BrowserSite) => Promise<void>,
): Promise<void> {
  await BrowserSite.with(await (bundling ??= bundled()), async (site) => {
    const tabs: TabHandle[] = [];
    while (tabs.length < count) tabs.push(await site.tab());
    await body(tabs, site);
  });
}

test(
  "Two tabs exchange messages of every QoS through the broker in a worker they share",
  BROWSER_TEST,
  () =>
    onTabs(3, async ([one, two, late]) => {
      assertEquals(await one!.call("connect", { clientId: "one" }), false);
      await two!.call("connect", { clientId: "two", protocolVersion: 4 });
      await one!.call("subscribe", "rooms/+", 2);
      await two!.call("subscribe", "answers", 1);
      for (const qos of [0, 1, 2] as const) {
        await two!.call("publish", "rooms/a", `of ${qos}`, { qos, retain: qos === 2 });
      }
      assertEquals(await one!.call("take", 3), [
        "rooms/a of 0 qos 0",
        "rooms/a of 1 qos 1",
        "rooms/a of 2 qos 2",
      ]);
      await one!.call("publish", "answers", "yes", { qos: 2 });
      assertEquals(await two!.call("take", 1), ["answers yes qos 1"]);
      await late!.call("connect", {});
      await late!.call("subscribe", "#", 1);
      assertEquals(await late!.call("take", 1), ["rooms/a of 2 qos 1 retained"]);
      const { connections, retained } = await late!.call("inside");
      assertEquals([connections, retained], [3, 1]);
    }),
);

test(
  "A tab's Will is published when it closes, and not when it has said good-bye",
  BROWSER_TEST,
  () =>
    onTabs(4, async ([heir, polite, closed, reloaded]) => {
      await heir!.call("connect", {});
      await heir!.call("subscribe", "will/#", 1);
      for (const [name, tab] of Object.entries({ polite, closed, reloaded })) {
        const will = { topic: `will/${name}`, payload: "gone", qos: 1 } as const;
        await tab!.call("connect", { clientId: name, will });
      }
      await polite!.call("disconnect");
      await polite!.page.close();
      await closed!.page.close();
      assertEquals(await heir!.call("take", 1), ["will/closed gone qos 1"]);
      await reloaded!.page.reload();
      assertEquals(await heir!.call("take", 1), ["will/reloaded gone qos 1"]);
      assertEquals((await heir!.call("inside")).connections, 1);
    }),
);

test(
  "A tab that is reloaded goes on with its session",
  BROWSER_TEST,
  () =>
    onTabs(2, async ([one, two]) => {
      const session = {
        clientId: "two",
        cleanStart: false,
        properties: { sessionExpiryInterval: 3600 },
      };
      await one!.call("connect", { clientId: "one" });
      assertEquals(await two!.call("connect", session), false);
      await two!.call("subscribe", "a/#", 2);
      await one!.call("publish", "a/1", "before", { qos: 2 });
      assertEquals(await two!.call("take", 1), ["a/1 before qos 2"]);
      await two!.page.reload();
      assertEquals(await two!.call("connect", session), true);
      await one!.call("publish", "a/2", "after", { qos: 1 });
      assertEquals(await two!.call("take", 1), ["a/2 after qos 1"]);
      await two!.page.goto("about:blank");
      for (const qos of [1, 2] as const) {
        await one!.call("publish", `a/${qos + 2}`, "while away", { qos });
      }
      await two!.page.goBack();
      assertEquals(await two!.call("connect", session), true);
      assertEquals(await two!.call("take", 2), ["a/3 while away qos 1", "a/4 while away qos 2"]);
    }),
);

test(
  "A flood that a tab does not read is dropped, and fills no memory",
  BROWSER_TEST,
  () =>
    onTabs(2, async ([source, reader], site) => {
      await reader!.call("connect", { clientId: "reader" });
      await reader!.call("subscribe", "flood", 0);
      await reader!.call("stall", "flood");
      await source!.call("connect", { clientId: "source" });
      // What the code and the first buffers take is no growth.
      await source!.call("flood", "flood", 2000, 10_000);
      const before = await site.residentBytes();
      await source!.call("flood", "flood", 30_000, 10_000);
      const grown = await site.residentBytes() - before;
      console.error("GROWN", grown, before);
      const { backlogBytes, publishReceived, publishDropped } = await source!.call("inside");
      assertEquals({
        isBounded: backlogBytes <= 4 * 1024 * 1024 + 10_100,
        isHeld: backlogBytes > MEGABYTE,
        publishReceived,
        hasDropped: publishDropped > 30_000,
        hasGrown: grown > 200 * MEGABYTE,
      }, {
        isBounded: true,
        isHeld: true,
        publishReceived: 32_002,
        hasDropped: true,
        hasGrown: false,
      }, `${grown} bytes more for 300 MB of messages`);
      await reader!.call("release");
      await reader!.call("subscribe", "end", 1);
      await source!.call("publish", "end", "read again", { qos: 1 });
      assertEquals(await reader!.call("take", 1), ["end read again qos 1"]);
      assertEquals(await reader!.call("receivedBytes") > MEGABYTE, true);
    }),
);

test(
  "A tab that has no locks, as over plain HTTP, is missed when its keep alive is over",
  BROWSER_TEST,
  () =>
    onTabs(0, async (_, site) => {
      const [heir, closed] = [await site.tab(PLAIN_HOST), await site.tab(PLAIN_HOST)];
      assertEquals(await heir.page.evaluate(() => isSecureContext), false);
      await heir.call("connect", {});
      await heir.call("subscribe", "#", 1);
      const will = { topic: "will", payload: "gone" };
      await closed.call("connect", { clientId: "closed", keepAlive: 1, will });
      await closed.call("publish", "a", "here", { qos: 2 });
      assertEquals(await heir.call("take", 1), ["a here qos 1"]);
      await closed.page.close();
      assertEquals(await heir.call("take", 1), ["will gone qos 0"]);
    }),
);

test(
  "Tabs whose shared worker is gone find the next one",
  BROWSER_TEST,
  () =>
    onTabs(2, async ([one, two], site) => {
      await one!.call("connect", { clientId: "one" });
      await two!.call("connect", { clientId: "two" });
      await two!.call("subscribe", "a", 1);
      await site.endSharedWorkers();
      await two!.call("subscribe", "b", 1);
      await one!.call("publish", "a", "for the next", { qos: 1, retain: true });
      const [line] = await two!.call("take", 1);
      assertEquals(line!.replace(" retained", ""), "a for the next qos 1");
      const { publishReceived, connections } = await one!.call("inside");
      assertEquals([publishReceived, connections], [1, 2]);
    }),
);

test(
  "A service worker is a broker too, and its clients find the next one when it is stopped",
  BROWSER_TEST,
  () =>
    onTabs(2, async ([one, two], site) => {
      await one!.call("connect", { clientId: "one" }, "service");
      await two!.call("connect", { clientId: "two" }, "service");
      await two!.call("subscribe", "a", 1);
      await one!.call("publish", "a", "first", { qos: 1, retain: true });
      assertEquals(await two!.call("take", 1), ["a first qos 1"]);
      await site.stopServiceWorkers(one!.page);
      await one!.call("publish", "b", "second", { qos: 1, retain: true });
      await two!.call("subscribe", "b", 1);
      const lines = await two!.call("take", 1);
      assertEquals(lines.map((text) => text.replace(" retained", "")), ["b second qos 1"]);
    }),
);

test(
  "A tab is a broker by itself, for ports and for streams",
  BROWSER_TEST,
  () =>
    onTabs(1, async ([tab]) => {
      assertEquals(await tab!.call("alone"), [
        "alone of 0 qos 0",
        "alone of 1 qos 1",
        "alone of 2 qos 2",
        "0 sessions",
      ]);
    }),
);
