// Topics in lines of the screen.

import { assertEquals } from "@std/assert";
import { makePrintMessage } from "../../../src/cli/client/print_message.ts";
import { StandardOutput } from "../../../src/cli/client/standard_output.ts";
import { WallClock } from "../../../src/cli/client/wall_clock.ts";
import { WatchDisplay } from "../../../src/cli/client/watch.ts";
import { test } from "../../harness.ts";
import { publish } from "../../support/packets.ts";
import { incoming } from "../../support/printed.ts";

test("WatchDisplay gives each topic a line of its own, and payloads no say over the screen", () => {
  const output = new StandardOutput({ writeOutput: () => Promise.resolve(true), defer() {} });
  const print = makePrintMessage(
    { format: undefined, isVerbose: true, endsLines: true, isPretty: false },
    { clock: new WallClock(() => 0, () => 0), warn() {} },
  );
  const display = new WatchDisplay(output, print, "example.com");
  display.begin();
  display.show(incoming(publish("a", { payload: "1" })));
  display.show(incoming(publish("b", { payload: "\x1b[2Jé\r\x7f" })));
  display.show(incoming(publish("a", { payload: "22" })));
  display.show(incoming(publish("c", { payload: "" })));
  display.end();
  const { bytes, length } = output.writer;
  assertEquals(
    new TextDecoder().decode(bytes.subarray(0, length)),
    "\x1b[2J\x1b[1;1HBroker: example.com\n" +
      "\x1b[2;1Ha 1\x1b[K\n" +
      "\x1b[3;1Hb  [2Jé  \x1b[K\n" +
      "\x1b[2;1Ha 22\x1b[K\n" +
      "\x1b[4;1Hc (null)\x1b[K\n",
  );
});
