// `protocol http_api` of the program: what it tells, whom, and what it keeps to itself.

import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { Agent, request } from "node:http";
import { VERSION } from "../../src/app/version.ts";
import { PBKDF2_OF_SECRET } from "../auth/hashes.ts";
import { test } from "../harness.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { sleep } from "../support/wait.ts";
import { WireClient } from "../support/wire_client.ts";

const CONFIG = `
sys_interval 1
allow_anonymous false
password_file $DIR/passwords
acl_file $DIR/acl
listener $PORT1 127.0.0.1
listener_allow_anonymous true
listener $PORT2 127.0.0.1
protocol http_api
http_dir $DIR/www
listener $PORT3
socket_domain ipv4
protocol http_api
listener_allow_anonymous true
listener 0 $DIR/web.sock
protocol websockets
listener 0 $DIR/api.sock
protocol http_api
`;

const FILES = {
  passwords: `ann:${PBKDF2_OF_SECRET[0]}\nbob:${PBKDF2_OF_SECRET[1]}\n`,
  acl: `topic read /api/v1/version
user ann
topic read #
user bob
topic read /pages/one.txt
`,
  "www/index.html": "<p>index</p>",
  "www/pages/one.txt": "one",
  "www/pages/two.txt": "two",
  "secret.txt": "not yours",
};

interface Asked {
  readonly user?: string;
  readonly method?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly socketPath?: string;
  /** Keeps the connection for the next request. */
  readonly agent?: Agent;
}

interface Answered {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Asks with the path to the letter, which `fetch` would tidy up. */
function ask(port: number, path: string, asked: Asked = {}): Promise<Answered> {
  const { user, method = "GET", host, socketPath, agent = false } = asked;
  const headers: Record<string, string> = { ...asked.headers };
  if (user !== undefined) headers["Authorization"] = `Basic ${btoa(user)}`;
  if (host !== undefined) headers["Host"] = host;
  const where = socketPath === undefined ? { host: "127.0.0.1", port } : { socketPath };
  return new Promise((resolve, reject) => {
    const asking = request({ ...where, path, method, headers, agent }, (response) => {
      const chunks: Uint8Array[] = [];
      response.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      response.on("end", () => {
        const { "content-type": type, "www-authenticate": realm, allow } = response.headers;
        resolve({
          status: response.statusCode!,
          body: Buffer.concat(chunks).toString(),
          headers: { type, realm, allow, cors: response.headers["access-control-allow-origin"] },
        });
      });
    });
    asking.on("error", reject);
    asking.end();
  });
}

const ANN = "ann:secret";
const BOB = "bob:secret";
const NOTHING = { type: undefined, realm: undefined, allow: undefined, cors: undefined };
const TEXT = { ...NOTHING, type: "text/plain; charset=utf-8" };
const JSON_FOR_ALL = { ...NOTHING, type: "application/json", cors: "*" };
const UNAUTHORIZED: Answered = {
  status: 401,
  body: "Not authorised",
  headers: { ...TEXT, realm: 'Basic realm="Mosquitto API"' },
};
const NOT_FOUND: Answered = { status: 404, body: "Not found.", headers: TEXT };

test(
  "The HTTP API tells version, listeners and figures",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG, files: FILES }, async (midge) => {
      const [mqttPort, port, openPort] = midge.ports as [number, number, number];
      assertEquals(await ask(openPort, "/api/v1/version"), {
        status: 200,
        body: VERSION,
        headers: { ...TEXT, cors: "*" },
      });
      const listeners = await ask(port, "/api/v1/listeners", { user: ANN });
      assertEquals({ ...listeners, body: JSON.parse(listeners.body) }, {
        status: 200,
        // deno-fmt-ignore
        body: { listeners: [
        { port: mqttPort, protocol: "mqtt", tls: false, mtls: false, allow_anonymous: true },
        { port, protocol: "httpapi", tls: false, mtls: false, allow_anonymous: false },
        { port: openPort, protocol: "httpapi", tls: false, mtls: false, allow_anonymous: true },
        { path: `${midge.folder}/web.sock`, protocol: "websockets", tls: false, mtls: false, allow_anonymous: false },
        { path: `${midge.folder}/api.sock`, protocol: "httpapi", tls: false, mtls: false, allow_anonymous: false },
      ] },
        headers: JSON_FOR_ALL,
      });

      const client = await WireClient.connect(mqttPort, 5, { clientId: "counted" });
      await client.ping();
      const figures = async (): Promise<Record<string, unknown>> => {
        const { status, body, headers } = await ask(port, "/api/v1/systree", { user: ANN });
        assertEquals([status, headers], [200, JSON_FOR_ALL]);
        return JSON.parse(body);
      };
      let found = await figures();
      while (found["$SYS/broker/clients/connected"] !== 1) {
        await sleep(50);
        found = await figures();
      }
      assertEquals(
        Object.keys(found).sort(),
        [
          "bytes/received",
          "bytes/sent",
          "clients/connected",
          "clients/disconnected",
          "clients/expired",
          "clients/maximum",
          "clients/total",
          "connections/socket/count",
          "heap/current",
          "heap/maximum",
          "messages/received",
          "messages/sent",
          "messages/stored",
          "packet/out/bytes",
          "packet/out/count",
          "publish/bytes/received",
          "publish/bytes/sent",
          "publish/messages/dropped",
          "publish/messages/received",
          "publish/messages/sent",
          "retained messages/count",
          "shared_subscriptions/count",
          "store/messages/bytes",
          "subscriptions/count",
          "uptime",
        ].map((name) => `$SYS/broker/${name}`),
      );
      assertEquals(Object.values(found).filter((value) => !Number.isSafeInteger(value)), []);
      assertEquals(
        [found["$SYS/broker/messages/received"], found["$SYS/broker/messages/sent"]],
        [2, 2],
      );
      client.leave();
    }),
);

test(
  "The HTTP API lets people read what the password and access files let them",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG, files: FILES }, async (midge) => {
      const [, port, openPort] = midge.ports as [number, number, number];
      const status = async (at: number, path: string, asked: Asked = {}) =>
        (await ask(at, path, asked)).status;
      assertEquals(await ask(port, "/api/v1/version"), UNAUTHORIZED);
      assertEquals(await ask(port, "/api/v1/version", { user: "ann:wrong" }), UNAUTHORIZED);
      assertEquals(await ask(port, "/api/v1/version", { user: "eve:secret" }), UNAUTHORIZED);
      assertEquals(await ask(port, "/api/v1/listeners", { user: BOB }), UNAUTHORIZED);
      assertEquals(await ask(openPort, "/api/v1/listeners"), UNAUTHORIZED);
      for (const Authorization of ["Basic", "Basic ???", "Bearer x", `Digest ${btoa(ANN)}`]) {
        // What makes no sense is not anonymous, not even where that is enough.
        assertEquals(
          await ask(openPort, "/api/v1/version", { headers: { Authorization } }),
          UNAUTHORIZED,
        );
      }
      assertEquals(
        [
          await status(port, "/api/v1/version", { user: ANN }),
          await status(openPort, "/api/v1/listeners", { user: ANN }),
          await status(port, "/pages/one.txt", { user: BOB }),
          await status(port, "/pages/two.txt", { user: BOB }),
          await status(port, "/pages/two.txt", { user: ANN }),
          await status(0, "/api/v1/systree", { user: ANN, socketPath: `${midge.folder}/api.sock` }),
          await status(0, "/api/v1/systree", { socketPath: `${midge.folder}/api.sock` }),
        ],
        [200, 200, 200, 401, 200, 200, 401],
      );
      assertEquals(midge.stderr.includes("secret"), false);

      // What is revoked is gone with a reload.
      await midge.write("passwords", `bob:${PBKDF2_OF_SECRET[1]}\n`);
      midge.signal("SIGHUP");
      while (await status(port, "/api/v1/version", { user: ANN }) !== 401) await sleep(20);
      assertEquals(await status(port, "/pages/one.txt", { user: BOB }), 200);
    }),
);

test(
  "The HTTP API reads, and finds nothing outside of its directory (B-57)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG, files: FILES }, async (midge) => {
      const [, port] = midge.ports as [number, number];
      const asked = { user: ANN };
      assertEquals(await ask(port, "/", asked), {
        status: 200,
        body: "<p>index</p>",
        headers: { ...NOTHING, type: "text/html; charset=utf-8" },
      });
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
        assertEquals(await ask(port, "/api/v1/version", { method }), {
          status: 405,
          body: "Invalid HTTP Method\n",
          headers: { ...TEXT, allow: "GET, HEAD" },
        });
      }
      assertEquals(await ask(port, "/api/v1/version", { ...asked, method: "HEAD" }), {
        status: 200,
        body: "",
        headers: { ...TEXT, cors: "*" },
      });
      const missing = [
        "/api",
        "/api/v2/version",
        "/api/v1/version/",
        "/pages/",
        "/pages/three.txt",
        "/../secret.txt",
        "/pages/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/%252e%252e/secret.txt",
        "/pages/..%2f..%2fsecret.txt",
        "/pages/..%5c..%5csecret.txt",
        "//etc/passwd",
        "/pages/one.txt%00.html",
        "/pages/%ff",
        "/+/one.txt",
        "/pages/%23",
      ];
      const answers = await Promise.all(missing.map((path) => ask(port, path, asked)));
      assertEquals(answers, missing.map(() => NOT_FOUND));
    }),
);

test(
  "The HTTP API on a loopback address is nobody else's page (B-57)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({ config: CONFIG, files: FILES }, async (midge) => {
      const [, port, openPort] = midge.ports as [number, number, number];
      const at = async (where: number, host: string) =>
        (await ask(where, "/api/v1/version", { user: ANN, host })).status;
      const hosts = [
        "localhost",
        `127.0.0.1:${port}`,
        "[::1]",
        "evil.example",
        `evil.example:${port}`,
      ];
      assertEquals(await Promise.all(hosts.map((host) => at(port, host))), [
        200,
        200,
        200,
        421,
        421,
      ]);
      // Who listens to all has names that we do not know.
      assertEquals(await at(openPort, "broker.example"), 200);
    }),
);

test(
  "Passwords are not to be tried at the HTTP API without end (B-58)",
  PROCESS_TEST,
  () =>
    MidgeProcess.with({
      config: `login_failure_limit 3 60\n${CONFIG}`,
      files: FILES,
    }, async (midge) => {
      const port = midge.ports[1]!;
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const status = async (user?: string) =>
        (await ask(port, "/api/v1/version", user === undefined ? { agent } : { user, agent }))
          .status;
      // To ask without a password, as browsers do first, is no failure.
      for (let i = 0; i < 5; i++) assertEquals(await status(), 401);
      assertEquals(await status(ANN), 200);
      for (const user of ["ann:a", "bob:b", "eve:c"]) assertEquals(await status(user), 401);
      assertEquals(await status(ANN), 401);
      const from = /^Login refused from 127\.0\.0\.1:\d+: (.*)\.$/;
      assertEquals(await midge.found(from, 3), [
        "not authorised (http-api, u'ann')",
        "not authorised (http-api, u'bob')",
        "not authorised (http-api, u'eve')",
      ]);
      await midge.logged("Client 127.0.0.1 banned for 300 seconds after 3 failed logins.");
      agent.destroy();
    }),
);
