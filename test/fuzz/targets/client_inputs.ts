/**
 * What the client's side is told by others: URLs, answers of a SOCKS proxy, option files with the
 * options in them, formats, and all that a broker may send. Only the documented errors come of it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { readBrokerUrl } from "../../../src/cli/client/broker_url.ts";
import { Draft } from "../../../src/cli/client/draft.ts";
import { parseFormat } from "../../../src/cli/client/format_parser.ts";
import { readOptionFile } from "../../../src/cli/client/option_file.ts";
import { OptionNames, parseWords } from "../../../src/cli/client/parse.ts";
import { readProxyUrl } from "../../../src/cli/client/proxy_url.ts";
import { UsageError } from "../../../src/cli/client/usage_error.ts";
import { ClientError } from "../../../src/client/client_error.ts";
import { parseTarget } from "../../../src/client/mqtt_url.ts";
import { OperationError } from "../../../src/core/base/operation_error.ts";
import { Socks5Dialogue } from "../../../src/transport/socks5.ts";
import { memoryFiles } from "../../support/memory_files.ts";
import { bytesOf, cutsOf, type FuzzTarget, outcomeOf, settledOf, textOf } from "../target.ts";

export const urls: FuzzTarget = {
  name: "urls",
  tokens: ["mqtt://", "wss://", "socks5h://", "unix://", "@", ":", "[::1]", "%", "%3A", "/", "#"],
  seeds: () =>
    [
      "mqtt://u:p%40@host:1884",
      "wss://host/a?b#c",
      "unix:///run/s%20k",
      "mqtts://[::1]/t/#",
      "socks5h://u%3A:p@[::1]:1080",
      "ws://u:p:q@h:1/a/b",
    ].map(bytesOf),
  run(input) {
    const text = textOf(input);
    const target = outcomeOf(() => parseTarget(text), ClientError);
    if ("value" in target) {
      const { address, webSocket } = target.value;
      if ("port" in address) assert(address.port >= 0 && address.port <= 65_535);
      if (webSocket !== undefined) {
        assert(webSocket.resource.startsWith("/") && !webSocket.url.includes("#"));
      }
    }
    const draft = new Draft("sub");
    const broker = outcomeOf(() => readBrokerUrl(draft, text), UsageError);
    if ("value" in broker) assert(draft.port! >= 0 && draft.port! <= 65_535);
    const proxy = outcomeOf(() => readProxyUrl(text), UsageError);
    if ("value" in proxy) assert(proxy.value.hostname !== "" && proxy.value.port > 0);
  },
};

export const socks5: FuzzTarget = {
  name: "socks5",
  tokens: ["\x05\0", "\x05\x02", "\x01\0", "\x05\0\0\x01", "\x05\0\0\x03\x01a", "\x05\0\0\x04"],
  seeds: () => [
    Uint8Array.of(0, 5, 0, 5, 0, 0, 1, 127, 0, 0, 1, 7, 91),
    Uint8Array.of(1, 5, 2, 1, 0, 5, 0, 0, 3, 1, 97, 7, 91),
    Uint8Array.of(2, 5, 0, 5, 1, 0, 4, ...new Uint8Array(18)),
  ],
  run(input) {
    const hostname = ["broker.example", "127.0.0.1", "::1"][(input[0] ?? 0) % 3]!;
    const login = (input[0] ?? 0) % 2 === 0 ? {} : { username: "u", password: "p" };
    const answer = input.subarray(1);
    const talk = (chunks: readonly Uint8Array[]) => {
      const dialogue = new Socks5Dialogue({ hostname, port: 1883, ...login });
      const sent = [...dialogue.begin()];
      const outcome = outcomeOf(() => {
        for (const chunk of chunks) sent.push(...dialogue.receive(chunk));
      }, OperationError);
      assert(sent.length <= 3 * 262);
      return { isDone: dialogue.isDone && !("fault" in outcome), outcome };
    };
    // One byte at a time nobody speaks out of turn, which in one chunk is an offence.
    const slow = talk(Array.from(answer, (byte) => Uint8Array.of(byte)));
    for (const at of cutsOf(answer)) {
      const cut = talk([answer.subarray(0, at), answer.subarray(at)]);
      if (cut.isDone) assertEquals(slow, cut);
    }
  },
};

export const optionFile: FuzzTarget = {
  name: "option_file",
  tokens: [
    "\n",
    " ",
    "-D publish ",
    "-t ",
    "-q 1",
    "--will-topic ",
    "-F %",
    "-V 5",
    "-L mqtt://",
    "-W ",
  ],
  seeds: () =>
    [
      "-h host\n-p 1883\n-t a/b\n-q 2\n# comment\n-m hello world\n",
      "-D publish user-property a b\n-D connect session-expiry-interval 10\n-V mqttv5\n",
      "--cafile a\n--tls-version tlsv1.3\n-k 10\n-c\n--will-topic w\n--will-qos 1\n-x 5\n",
      "-F %t %p @Y %%\\n\\x41\n-C 1\n-W 2\n-T a/#\n--remove-retained\n-U x\n",
      "-L mqtt://u:p@h/t\n--proxy socks5h://h\n-A 127.0.0.1\n--random-filter 50\r\n",
    ].map(bytesOf),
  async run(input) {
    const files = memoryFiles({ files: { "/o": input } });
    const lines = await settledOf(() => readOptionFile(files, "/o"), UsageError);
    if ("fault" in lines) return;
    for (const tool of ["pub", "sub", "rr", "ctrl"] as const) {
      const names = new OptionNames(tool);
      const draft = new Draft(tool);
      outcomeOf(() => lines.value.forEach((words) => parseWords(draft, words, names)), UsageError);
      assert(draft.keepAlive >= 0 && draft.keepAlive <= 65_535 && draft.qos <= 2);
    }
  },
};

export const messageFormat: FuzzTarget = {
  name: "message_format",
  tokens: ["%", "@", "\\", "%-010.3t", "%%", "@@", "\\x", "@N", "%.x", "1000001"],
  seeds: () => ["%t %p\\n", "%-10.3m@Y-@m-@dT@H:@M:@S.@N@z", "\\x41%%@@%08.2f%:x"].map(bytesOf),
  run(input) {
    const outcome = outcomeOf(() => parseFormat(textOf(input)), UsageError);
    if ("fault" in outcome) return;
    const literal = outcome.value.filter((element) => element.kind === "literal");
    assert(literal.every(({ bytes }) => bytes.length > 0));
  },
};
