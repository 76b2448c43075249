// Who guesses is turned away, for a while, and everybody else is not.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { guardedAddress, LoginGuard, type LoginGuardOptions } from "../../src/auth/login_guard.ts";

function fixture(options: Partial<LoginGuardOptions>) {
  const lines: string[] = [];
  const guard = new LoginGuard({
    connects: undefined,
    loginFailures: undefined,
    banSeconds: 60,
    onLine: (line) => lines.push(line),
    ...options,
  });
  return { guard, lines };
}

test("LoginGuard bans an address after so many failures in so many seconds, and says so", () => {
  const { guard, lines } = fixture({ loginFailures: { count: 3, seconds: 10 } });
  for (const now of [0, 1000]) guard.failed("192.0.2.1", now);
  assertEquals([guard.mayConnect("192.0.2.1", 1000), lines], [true, []]);
  guard.failed("192.0.2.1", 9999);
  assertEquals(lines, ["Client 192.0.2.1 banned for 60 seconds after 3 failed logins."]);
  const may = [10_000, 69_998, 69_999].map((now) => guard.mayConnect("192.0.2.1", now));
  assertEquals(may, [false, false, true]);
  assertEquals([guard.mayConnect("192.0.2.2", 10_000), lines.length], [true, 1]);
});

test("LoginGuard forgets failures that are too long ago, and those before a ban", () => {
  const { guard, lines } = fixture({ loginFailures: { count: 2, seconds: 10 }, banSeconds: 1 });
  for (const now of [0, 10_000]) guard.failed("192.0.2.1", now);
  assertEquals(lines, []);
  guard.failed("192.0.2.1", 10_001);
  guard.failed("192.0.2.1", 11_001);
  assertEquals([lines.length, guard.mayConnect("192.0.2.1", 11_002)], [1, true]);
});

test("LoginGuard counts no failures of those who are banned already", () => {
  const { guard, lines } = fixture({ loginFailures: { count: 1, seconds: 10 } });
  for (const now of [0, 1, 2]) guard.failed("192.0.2.1", now);
  assertEquals([lines.length, guard.mayConnect("192.0.2.1", 60_000)], [1, true]);
});

test("LoginGuard accepts so many connections of an address in so many seconds", () => {
  const { guard, lines } = fixture({ connects: { count: 2, seconds: 1 } });
  const may = [0, 1, 2, 999, 1000].map((now) => guard.mayConnect("192.0.2.1", now));
  assertEquals(may, [true, true, false, false, true]);
  assertEquals(guard.mayConnect("192.0.2.2", 3), true);
  assertEquals(lines, ["Client connection from 192.0.2.1 denied: connection rate exceeded."]);
});

test("LoginGuard limits nobody unless it is told to, and nothing that is no address", () => {
  const { guard } = fixture({});
  for (let i = 0; i < 100; i++) guard.failed("192.0.2.1", i);
  assertEquals(guard.mayConnect("192.0.2.1", 100), true);
  const limits = { count: 1, seconds: 10 };
  const { guard: strict } = fixture({ connects: limits, loginFailures: limits });
  for (const address of ["", "/run/midge.sock", "localhost"]) {
    strict.failed(address, 0);
    assertEquals([0, 1, 2].map((now) => strict.mayConnect(address, now)), [true, true, true]);
  }
});

test("LoginGuard.isBanned() tells of a ban without counting anything", () => {
  const { guard } = fixture({
    connects: { count: 1, seconds: 10 },
    loginFailures: { count: 1, seconds: 10 },
  });
  guard.failed("192.0.2.1", 0);
  assertEquals(
    ["192.0.2.1", "192.0.2.2", "192.0.2.2", "/run/a.sock"].map((from) => guard.isBanned(from, 1)),
    [true, false, false, false],
  );
  assertEquals(guard.mayConnect("192.0.2.2", 1), true);
});

test("LoginGuard remembers so many addresses and forgets the oldest", () => {
  const { guard } = fixture({
    connects: { count: 1, seconds: 10 },
    loginFailures: { count: 1, seconds: 10 },
    addressesMax: 2,
  });
  for (const last of [1, 2, 3]) guard.failed(`192.0.2.${last}`, last);
  assertEquals([1, 2, 3].map((last) => guard.mayConnect(`192.0.2.${last}`, 10)), [
    true,
    false,
    false,
  ]);
  for (const last of [4, 5, 6]) guard.mayConnect(`192.0.2.${last}`, 20);
  assertEquals([4, 6].map((last) => guard.mayConnect(`192.0.2.${last}`, 21)), [true, false]);
});

test("guardedAddress() counts IPv6 by its first 64 bits, and IPv4 in any notation as one", () => {
  const addresses: [address: string, key: string | undefined][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::9", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["1::2::3", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["1:2:3:4:5:6:7:8::", undefined],
    ["12345::1", undefined],
    ["/run/a:b", undefined],
    ["", undefined],
  ];
  assertEquals(addresses.map(([address]) => [address, guardedAddress(address)]), addresses);
});
