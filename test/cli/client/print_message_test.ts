// Messages as they are printed without a format, and what follows each of them with one.

import { assertEquals } from "@std/assert";
import { test } from "../../harness.ts";
import { publish } from "../../support/packets.ts";
import { printText } from "../../support/printed.ts";

test("makePrintMessage() prints payloads, topics before them, and line feeds behind", () => {
  const full = publish("a/b", { payload: "x y" });
  const empty = publish("a/b", { payload: "" });
  const printed = (settings: { isVerbose: boolean; endsLines: boolean; format?: string }) => [
    printText(full, settings),
    printText(empty, settings),
  ];
  assertEquals(
    {
      plain: printed({ isVerbose: false, endsLines: true }),
      bare: printed({ isVerbose: false, endsLines: false }),
      verbose: printed({ isVerbose: true, endsLines: true }),
      verboseBare: printed({ isVerbose: true, endsLines: false }),
      formatted: printed({ isVerbose: true, endsLines: true, format: "<%p>" }),
      formattedBare: printed({ isVerbose: false, endsLines: false, format: "<%p>" }),
    },
    {
      plain: ["x y\n", ""],
      bare: ["x y", ""],
      verbose: ["a/b x y\n", "a/b (null)\n"],
      verboseBare: ["a/b x y", ""],
      formatted: ["<x y>\n", "<>\n"],
      formattedBare: ["<x y>", "<>"],
    },
  );
});
