// Every `$SYS` topic with its payload, when each is published, and when none is.

import { assertEquals } from "@std/assert";
import { Counters } from "../../src/core/broker/counters.ts";
import { type SysGauges, type SysReadings, sysReadings } from "../../src/telemetry/sys_readings.ts";
import { SysTopics } from "../../src/telemetry/sys_topics.ts";
import { test } from "../harness.ts";

const GAUGES: SysGauges = {
  connections: 4,
  connectedSessions: 3,
  sessions: 5,
  subscriptions: 6,
  sharedSubscriptions: 2,
  retained: 7,
  storedMessages: 8,
  storedBytes: 900,
  waitingPackets: 10,
  waitingBytes: 1100,
  heapBytes: 12_000,
};

/** A broker's numbers, to be changed; and what was published about them. */
class Fixture {
  counters = new Counters();
  gauges: SysGauges = GAUGES;
  hasReaders = true;
  reads = 0;
  published: string[] = [];

  open(intervalSeconds = 10, retains = true): SysTopics {
    const read = (): SysReadings => {
      this.reads++;
      return sysReadings(this.counters, this.gauges);
    };
    return new SysTopics({
      version: "mosquitto version 2.1.2",
      intervalSeconds,
      retains,
      read,
      publish: (topic, payload, retain) => {
        this.published.push(
          `${topic} ${new TextDecoder().decode(payload)}${retain ? "" : " (r0)"}`,
        );
      },
      hasReaders: () => this.hasReaders,
    }, 5000);
  }

  take(): string[] {
    return this.published.splice(0);
  }
}

const LOADS = [
  "messages/received",
  "messages/sent",
  "publish/received",
  "publish/sent",
  "publish/dropped",
  "bytes/received",
  "bytes/sent",
  "sockets",
  "connections",
].flatMap((what) => ["1min", "5min", "15min"].map((period) => `load/${what}/${period} 0.00`));

const AT_START = [
  "version mosquitto version 2.1.2",
  "uptime 0 seconds",
  "clients/total 5",
  "clients/maximum 5",
  "clients/connected 4",
  "clients/active 4",
  "clients/disconnected 2",
  "clients/inactive 2",
  "clients/expired 1",
  "messages/stored 8",
  "store/messages/count 8",
  "store/messages/bytes 900",
  "subscriptions/count 6",
  "shared_subscriptions/count 2",
  "retained messages/count 7",
  "heap/current 12000",
  "heap/maximum 12000",
  "messages/received 0",
  "messages/sent 0",
  "bytes/received 0",
  "bytes/sent 0",
  "publish/messages/received 0",
  "publish/messages/sent 0",
  "publish/messages/dropped 0",
  "publish/bytes/received 0",
  "publish/bytes/sent 0",
  "packet/out/count 10",
  "packet/out/bytes 1100",
  "connections/socket/count 0",
  ...LOADS,
].map((line) => `$SYS/broker/${line}`);

test("SysTopics() publishes all 56 topics at its start, zeros and ones too", () => {
  const fixture = new Fixture();
  fixture.counters.sessionsExpired = 1;
  fixture.open();
  assertEquals(AT_START.length, 56);
  assertEquals(fixture.take(), AT_START);
});

test("SysTopics.tick() publishes what has changed, a maximum only when it rises", () => {
  const fixture = new Fixture();
  const topics = fixture.open();
  fixture.take();
  fixture.gauges = { ...GAUGES, sessions: 9, connectedSessions: 4, heapBytes: 11_000 };
  topics.tick(15_000);
  assertEquals(fixture.take(), [
    "$SYS/broker/uptime 10 seconds",
    "$SYS/broker/clients/total 9",
    "$SYS/broker/clients/maximum 9",
    "$SYS/broker/clients/disconnected 5",
    "$SYS/broker/clients/inactive 5",
    "$SYS/broker/heap/current 11000",
  ]);
  fixture.gauges = GAUGES;
  topics.tick(25_999);
  assertEquals(fixture.take(), [
    "$SYS/broker/uptime 20 seconds",
    "$SYS/broker/clients/total 5",
    "$SYS/broker/clients/disconnected 2",
    "$SYS/broker/clients/inactive 2",
    "$SYS/broker/heap/current 12000",
  ]);
});

test("SysTopics.tick() shows each counter under its own topics", () => {
  const fixture = new Fixture();
  const topics = fixture.open();
  fixture.take();
  Object.assign(fixture.counters, {
    bytesReceived: 60,
    bytesSent: 120,
    packetsReceived: 180,
    packetsSent: 240,
    publishReceived: 300,
    publishSent: 360,
    publishDropped: 420,
    publishBytesReceived: 480,
    publishBytesSent: 540,
    connectionsOpened: 600,
    sessionsExpired: 660,
    connectsReceived: 720,
  });
  topics.tick(65_000);
  const minute = (what: string, count: number): string[] =>
    [["1min", 60], ["5min", 300], ["15min", 900]].map(([name, seconds]) =>
      `load/${what}/${name} ${(count * (1 - Math.exp(-60 / Number(seconds)))).toFixed(2)}`
    );
  assertEquals(
    fixture.take(),
    [
      "uptime 60 seconds",
      "clients/expired 660",
      "messages/received 180",
      "messages/sent 240",
      "bytes/received 60",
      "bytes/sent 120",
      "publish/messages/received 300",
      "publish/messages/sent 360",
      "publish/messages/dropped 420",
      "publish/bytes/received 480",
      "publish/bytes/sent 540",
      "connections/socket/count 600",
      ...minute("messages/received", 180),
      ...minute("messages/sent", 240),
      ...minute("publish/received", 300),
      ...minute("publish/sent", 360),
      ...minute("publish/dropped", 420),
      ...minute("bytes/received", 60),
      ...minute("bytes/sent", 120),
      ...minute("sockets", 600),
      ...minute("connections", 720),
    ].map((line) => `$SYS/broker/${line}`),
  );
});

test("SysTopics.tick() tells a load again when it has moved by a hundredth", () => {
  const fixture = new Fixture();
  const topics = fixture.open();
  fixture.take();
  fixture.counters.connectionsOpened = 1;
  topics.tick(15_000);
  const sockets = (): string[] => fixture.take().filter((line) => line.includes("/load/sockets/"));
  assertEquals(sockets(), [
    "$SYS/broker/load/sockets/1min 0.92",
    "$SYS/broker/load/sockets/5min 0.20",
    "$SYS/broker/load/sockets/15min 0.07",
  ]);
  topics.tick(15_500);
  assertEquals(sockets(), []);
  topics.tick(25_500);
  assertEquals(sockets(), ["$SYS/broker/load/sockets/1min 0.77"]);
});

test("SysTopics.tick() publishes nothing while nobody could read it, but keeps counting", () => {
  const fixture = new Fixture();
  fixture.hasReaders = false;
  const topics = fixture.open();
  fixture.gauges = { ...GAUGES, sessions: 50 };
  fixture.counters.packetsSent = 50;
  topics.tick(15_000);
  fixture.gauges = GAUGES;
  topics.tick(25_000);
  assertEquals(fixture.take(), []);
  topics.refresh();
  const found = fixture.take();
  assertEquals(found.length, 56);
  assertEquals(found.filter((line) => /uptime|clients.maximum|load.messages.sent/.test(line)), [
    "$SYS/broker/uptime 20 seconds",
    "$SYS/broker/clients/maximum 50",
    "$SYS/broker/load/messages/sent/1min 38.99",
    "$SYS/broker/load/messages/sent/5min 9.51",
    "$SYS/broker/load/messages/sent/15min 3.28",
  ]);
});

test("SysTopics.refresh() has nothing to do twice between two updates", () => {
  const fixture = new Fixture();
  fixture.hasReaders = false;
  const topics = fixture.open();
  topics.refresh();
  assertEquals(fixture.take().length, 56);
  const reads = fixture.reads;
  fixture.gauges = { ...GAUGES, sessions: 50 };
  topics.refresh();
  assertEquals(fixture.take(), []);
  assertEquals(fixture.reads, reads);
});

test("SysTopics publishes unretained messages when none can be retained, at its ticks only", () => {
  const fixture = new Fixture();
  const topics = fixture.open(10, false);
  assertEquals(
    fixture.take(),
    AT_START.map((line) => `${line.replace(/(expired) 1/, "$1 0")} (r0)`),
  );
  topics.refresh();
  assertEquals(fixture.take(), []);
  topics.tick(15_000);
  assertEquals(fixture.take(), ["$SYS/broker/uptime 10 seconds (r0)"]);
});

test("SysTopics.configure() retains everything once that has become possible", () => {
  const fixture = new Fixture();
  const topics = fixture.open(10, false);
  fixture.take();
  topics.configure({ intervalSeconds: 10, retains: true });
  topics.refresh();
  assertEquals(fixture.take().length, 56);
});

test("SysTopics.nextTick() is at the next multiple of the interval on the wall clock", () => {
  const topics = new Fixture().open();
  assertEquals(topics.nextTick(5000, 1_700_000_003_000), 12_000);
  assertEquals(topics.nextTick(12_000, 1_700_000_010_000), 22_000);
});

test("SysTopics.nextTick() does not take a timer that rings early for another tick", () => {
  const topics = new Fixture().open();
  topics.tick(11_998);
  assertEquals(topics.nextTick(11_998, 1_700_000_009_998), 22_000);
});

test("SysTopics.nextTick() follows a wall clock that is set", () => {
  const topics = new Fixture().open();
  topics.tick(12_000);
  assertEquals(topics.nextTick(12_000, 1_600_000_004_500), 17_500);
});

test("SysTopics publishes and plans nothing with an interval of 0, until it is given another", () => {
  const fixture = new Fixture();
  const topics = fixture.open(0);
  assertEquals(topics.nextTick(5000, 3000), Infinity);
  topics.tick(15_000);
  topics.refresh();
  assertEquals(fixture.take(), []);
  topics.configure({ intervalSeconds: 20, retains: true });
  assertEquals(topics.nextTick(16_000, 3000), 33_000);
  topics.tick(33_000);
  assertEquals(fixture.take().length, 56);
});

test("SysTopics.systree() has the numbers of the last update, without loads and aliases", () => {
  const fixture = new Fixture();
  fixture.hasReaders = false;
  const topics = fixture.open();
  topics.tick(17_900);
  fixture.gauges = { ...GAUGES, sessions: 50 };
  assertEquals(topics.systree(), {
    "$SYS/broker/uptime": 12,
    "$SYS/broker/clients/total": 5,
    "$SYS/broker/clients/maximum": 5,
    "$SYS/broker/clients/connected": 4,
    "$SYS/broker/clients/disconnected": 2,
    "$SYS/broker/clients/expired": 0,
    "$SYS/broker/messages/stored": 8,
    "$SYS/broker/store/messages/bytes": 900,
    "$SYS/broker/subscriptions/count": 6,
    "$SYS/broker/shared_subscriptions/count": 2,
    "$SYS/broker/retained messages/count": 7,
    "$SYS/broker/heap/current": 12_000,
    "$SYS/broker/heap/maximum": 12_000,
    "$SYS/broker/messages/received": 0,
    "$SYS/broker/messages/sent": 0,
    "$SYS/broker/bytes/received": 0,
    "$SYS/broker/bytes/sent": 0,
    "$SYS/broker/publish/messages/received": 0,
    "$SYS/broker/publish/messages/sent": 0,
    "$SYS/broker/publish/messages/dropped": 0,
    "$SYS/broker/publish/bytes/received": 0,
    "$SYS/broker/publish/bytes/sent": 0,
    "$SYS/broker/packet/out/count": 10,
    "$SYS/broker/packet/out/bytes": 1100,
    "$SYS/broker/connections/socket/count": 0,
  });
});
