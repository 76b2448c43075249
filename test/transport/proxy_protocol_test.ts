// Connections behind a PROXY header: who the handler takes them for, who never gets that far, and
// that what is behind the header is a transport like any other.

import { assertEquals } from "@std/assert";
import { openMemoryPipe } from "../../src/transport/memory_pipe.ts";
import { type ProxyOptions, withProxyHeader } from "../../src/transport/proxy_protocol.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { transportSuite } from "../contract/transport.ts";
import { test } from "../harness.ts";
import { FakeTimers } from "../support/fake_timers.ts";
import { Probe } from "../support/probe.ts";
import { binaryHeader, INET, ssl, tlv, UNIX } from "../support/proxy_headers.ts";
import { encode, ScriptedTransport } from "../support/scripted_transport.ts";
import { TransportPeer } from "../support/transport_peer.ts";

transportSuite({
  name: "withProxyHeader()",
  heldBytesMax: 2 * 65_536,
  isHalfClosable: false,
  lingers: false,
  async connect(accept) {
    let peer: TransportPeer | undefined;
    openMemoryPipe(
      withProxyHeader(accept, { version: 2 }),
      (transport) => peer = new TransportPeer(transport),
    );
    await peer!.send(binaryHeader());
    return peer!;
  },
  release: () => Promise.resolve(),
});

interface Outcome {
  readonly seen: unknown;
  readonly received: number[] | undefined;
  readonly calls: string[];
  readonly reasons: string[];
}

const TLS_OF_PROXY = {
  version: "TLSv1.2",
  cipher: "X",
  certificate: { commonName: "the proxy", subject: "CN=the proxy" },
  pskIdentity: undefined,
};

/** What becomes of a connection that begins with these bytes. */
function connect(options: ProxyOptions, ...chunks: readonly (Uint8Array | string)[]): Outcome {
  const reasons: string[] = [];
  let probe: Probe | undefined;
  let seen: unknown;
  const wire = new ScriptedTransport();
  wire.tls = TLS_OF_PROXY;
  const onRejected = (reason: string, { remoteAddress, remotePort }: Transport): void => {
    reasons.push(`${remoteAddress}:${remotePort} ${reason}`);
  };
  wire.accept(withProxyHeader((transport) => {
    const { remoteAddress, remotePort, localPort, tls } = transport;
    seen = { remoteAddress, remotePort, localPort, tls };
    return probe = new Probe(transport);
  }, { ...options, onRejected }));
  for (const chunk of chunks) wire.receive(chunk);
  wire.end();
  return { seen, received: probe?.received, calls: wire.calls, reasons };
}

const CORRUPT: Outcome = {
  seen: undefined,
  received: undefined,
  calls: ["close"],
  reasons: ["192.0.2.1:4711 Connection rejected, corrupt PROXY header."],
};

/** What the client at 203.0.113.7 is not let in for. */
const lacking = (what: string): Outcome => ({
  ...CORRUPT,
  reasons: [`192.0.2.1:4711 Connection from 203.0.113.7:50000 rejected, client did not ${what}.`],
});
const NO_TLS = lacking("connect using TLS");
const NO_CERTIFICATE = lacking("provide a certificate");

const CONNECT = Uint8Array.of(0x10, 12, 0, 4, 77, 81, 84, 84, 4, 2, 0, 60, 0, 0);

function accepted(remoteAddress: string, remotePort: number, tls: unknown): Outcome {
  return {
    seen: { remoteAddress, remotePort, localPort: 1883, tls },
    received: [...CONNECT],
    calls: [],
    reasons: [],
  };
}

const TEXT = "PROXY TCP4 203.0.113.7 192.0.2.9 50000 1883\r\n";

test("withProxyHeader() shows the client's address of a version 1 header, wherever it is cut", () => {
  const whole = Uint8Array.of(...encode(TEXT), ...CONNECT);
  for (let at = 0; at <= whole.length; at++) {
    const chunks = [whole.subarray(0, at), whole.subarray(at)].filter(({ length }) => length > 0);
    assertEquals(
      connect({ version: 1 }, ...chunks),
      accepted("203.0.113.7", 50_000, undefined),
    );
  }
  assertEquals(
    connect({ version: 1 }, ...Array.from(whole, (byte) => Uint8Array.of(byte))),
    accepted("203.0.113.7", 50_000, undefined),
  );
});

test("withProxyHeader() keeps the socket's address for a client that the proxy does not know", () => {
  assertEquals(
    connect({ version: 1 }, "PROXY UNKNOWN\r\n", CONNECT),
    accepted("192.0.2.1", 4711, undefined),
  );
  assertEquals(
    connect({ version: 2 }, binaryHeader({ family: 0, body: [] }), CONNECT),
    accepted("192.0.2.1", 4711, undefined),
  );
});

test("withProxyHeader() shows a Unix client by its path, without a port", () => {
  assertEquals(
    connect({ version: 2 }, binaryHeader({ family: 0x31, body: UNIX }), CONNECT),
    accepted("/run/client", 0, undefined),
  );
});

const SESSION = [tlv(0x21, "TLSv1.3"), tlv(0x22, "gate 7"), tlv(0x23, "AES")];
const TLS = { version: "TLSv1.3", cipher: "AES", pskIdentity: undefined };
const VERIFIED = { ...TLS, certificate: { commonName: "gate 7", subject: undefined } };

const DEMANDS: readonly (readonly [name: string, body: number[], results: readonly unknown[]])[] = [
  ["no TLS", [], ["plain", NO_TLS, NO_CERTIFICATE]],
  ["TLS", ssl(1, 0, ...SESSION), [TLS, TLS, NO_CERTIFICATE]],
  ["a certificate", ssl(5, 0, ...SESSION), [VERIFIED, VERIFIED, VERIFIED]],
  ["a certificate that does not verify", ssl(5, 9, ...SESSION), [TLS, TLS, NO_CERTIFICATE]],
  ["a certificate of another session", ssl(3, 0, ...SESSION), [TLS, TLS, NO_CERTIFICATE]],
  ["a certificate without TLS", ssl(4, 0, ...SESSION), ["plain", NO_TLS, NO_CERTIFICATE]],
];

for (const [name, body, results] of DEMANDS) {
  test(`withProxyHeader() asks of a client with ${name} no more and no less than configured`, () => {
    const header = binaryHeader({ body: [...INET, ...body] });
    const demands: readonly Partial<ProxyOptions>[] = [
      {},
      { requiresTls: true },
      { requiresCertificate: true },
    ];
    for (const [index, demand] of demands.entries()) {
      const result = results[index];
      const tls = result === "plain" ? undefined : { certificate: undefined, ...result as object };
      assertEquals(
        connect({ version: 2, ...demand }, header, CONNECT),
        result === NO_TLS || result === NO_CERTIFICATE
          ? result
          : accepted("203.0.113.7", 50_000, tls),
      );
    }
  });
}

test("withProxyHeader() closes a connection of the proxy's own without a word (B-56)", () => {
  const quiet = { ...CORRUPT, reasons: [] };
  const local = binaryHeader({ command: 0x20, family: 0, body: [] });
  assertEquals(connect({ version: 2, requiresTls: true }, local, CONNECT), quiet);
});

test("withProxyHeader() turns away MQTT, the other version and headers too long (B-56)", () => {
  assertEquals(connect({ version: 1 }, CONNECT), CORRUPT);
  assertEquals(connect({ version: 2 }, CONNECT), CORRUPT);
  assertEquals(connect({ version: 1 }, binaryHeader()), CORRUPT);
  assertEquals(connect({ version: 2 }, TEXT), CORRUPT);
  assertEquals(connect({ version: 1 }, "PROXY UNKNOWN ".padEnd(65_536, "x")), CORRUPT);
  assertEquals(connect({ version: 2 }, binaryHeader({ length: 65_535 })), CORRUPT);
});

test("withProxyHeader() takes one header; a second one is the client's bytes (B-56)", () => {
  const { received, seen } = connect({ version: 1 }, TEXT + TEXT);
  assertEquals({ received, isSeen: seen !== undefined }, {
    received: [...encode(TEXT)],
    isSeen: true,
  });
});

test("withProxyHeader() forgets a connection that ends within its header", () => {
  assertEquals(connect({ version: 1 }, TEXT.slice(0, 20)), { ...CORRUPT, calls: [], reasons: [] });
});

test("withProxyHeader() gives a proxy five seconds, and a full room's oldest none", async () => {
  const timers = new FakeTimers();
  await timers.run(() => {
    const reasons: string[] = [];
    const accept = withProxyHeader((transport) => new Probe(transport), {
      version: 1,
      waitingMax: 2,
      onRejected: (reason) => void reasons.push(reason),
    });
    const [first, done, second, third] = [1, 2, 3, 4].map(() => new ScriptedTransport());
    first!.accept(accept);
    done!.accept(accept).receive(TEXT);
    second!.accept(accept);
    third!.accept(accept);
    assertEquals([first!.calls, timers.pending], [["abort"], [5000, 5000, 5000]]);
    first!.end();
    timers.advance(5000);
    assertEquals(
      [first, done, second, third].map((one) => one!.calls),
      [["abort"], [], ["close"], ["close"]],
    );
    assertEquals(reasons.length, 2);
  });
});

test("withProxyHeader() delivers nothing to a handler that has closed at once", () => {
  const wire = new ScriptedTransport();
  let probe: Probe | undefined;
  wire.accept(withProxyHeader((transport) => {
    probe = new Probe(transport);
    probe.close();
    return probe;
  }, { version: 1 }));
  wire.receive(`${TEXT}rest`);
  wire.end();
  assertEquals({ calls: wire.calls, violations: probe!.violations, closes: probe!.closeCount }, {
    calls: ["close"],
    violations: [],
    closes: 1,
  });
});
