// The example for browsers, as it is: two tabs know of each other, talk, and share a lamp.

import { assertEquals } from "@std/assert";
import * as esbuild from "esbuild";
import type { Page } from "playwright-core";
import { browserExample } from "../../tools/browser_example.ts";
import { test } from "../harness.ts";
import { BROWSER_TEST, BrowserSite } from "../support/browser_site.ts";

/** The texts of what a selector finds, once there are so many. */
async function texts(page: Page, selector: string, count: number): Promise<string[]> {
  const found = page.locator(selector);
  await found.nth(count - 1).waitFor();
  // One more would be one too many.
  await found.nth(count).waitFor({ state: "detached" });
  return await found.allTextContents();
}

test(
  "The example shows two tabs that talk through the broker in their worker",
  BROWSER_TEST,
  async () => {
    const files = await browserExample();
    await esbuild.stop();
    await BrowserSite.with(files, async (site) => {
      const one = await site.page();
      await texts(one, "#tabs li", 1);
      const two = await site.page();
      const [first, second] = await texts(two, "#tabs li", 2);
      assertEquals([first, second].filter((name) => name!.endsWith(" (this tab)")).length, 1);
      assertEquals(await one.textContent("#state"), "connected");

      const name = (await two.textContent("#name"))!.split(" ")[0];
      await two.fill("#text", "Hello");
      await two.press("#text", "Enter");
      assertEquals(await texts(one, "#chat li", 1), [`${name} Hello`]);

      await two.fill("#hue", "190");
      await one.locator("#lamp[style*='190']").waitFor();
      const late = await site.page();
      await late.locator("#lamp[style*='190']").waitFor();
      await late.close();

      await two.close();
      assertEquals((await texts(one, "#tabs li", 1)).length, 1);
      assertEquals(await one.textContent("#count"), "1 tab");
    });
  },
);
