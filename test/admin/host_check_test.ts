// Which names in a Host header are ours.

import { assertEquals } from "@std/assert";
import { isHostAllowed } from "../../src/admin/host_check.ts";
import { test } from "../harness.ts";
import { ScriptedTransport } from "../support/scripted_transport.ts";

function isAllowed(host: string | undefined, hosts: readonly string[] | undefined): boolean {
  const headers = new Map(host === undefined ? [] : [["host", host]]);
  const peer = new ScriptedTransport();
  return isHostAllowed({ method: "GET", path: "/", query: "", headers, peer }, hosts);
}

test("isHostAllowed() knows addresses, localhost and the names it was told (B-57)", () => {
  const known = [
    undefined,
    "127.0.0.1:9883",
    "192.168.1.7",
    "[::1]:9883",
    "[fe80::1]",
    "localhost",
    "LOCALHOST.:9883",
    "a.localhost",
    "broker.example",
    "Broker.Example:443",
  ];
  assertEquals(known.filter((host) => !isAllowed(host, ["broker.example"])), []);
});

test("isHostAllowed() turns away the name of a page that points to us (B-57)", () => {
  const unknown = [
    "",
    "evil.example",
    "evil.example:9883",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil-localhost",
    "broker.example.evil",
    "127.0.0.1:9883:9883",
    "127.0.0.1@evil.example",
    "[evil.example]",
    "127.0.0.1, evil.example",
  ];
  assertEquals(unknown.filter((host) => isAllowed(host, ["broker.example"])), []);
});

test("isHostAllowed() lets any name pass where nobody said which are ours", () => {
  assertEquals(isAllowed("anything.example", undefined), true);
});
