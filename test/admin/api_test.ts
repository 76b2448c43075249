// The HTTP API: its answers to the letter, and the order of its gates.

import { assertEquals } from "@std/assert";
import { type ApiAccess, type ApiOptions, createApi } from "../../src/admin/api.ts";
import { textResponse } from "../../src/transport/http.ts";
import { test } from "../harness.ts";
import { ScriptedTransport } from "../support/scripted_transport.ts";

const PEER = new ScriptedTransport();

const OPTIONS: ApiOptions = {
  version: "2.1.0",
  listeners: () => [
    {
      port: 1883,
      protocol: "mqtt",
      hasTls: false,
      requiresCertificate: false,
      allowsAnonymous: true,
    },
    {
      path: "/run/midge",
      protocol: "websockets",
      hasTls: true,
      requiresCertificate: true,
      allowsAnonymous: false,
    },
  ],
  systree: () => new Map([["$SYS/broker/clients/total", 3], ["$SYS/broker/uptime", 17]]),
  isAllowed: () => Promise.resolve(true),
  files: (path) => Promise.resolve(textResponse(200, `file ${path}`)),
};

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly options?: Partial<ApiOptions>;
}

async function ask(path: string, asked: Asked = {}) {
  const { method = "GET", headers = {}, options = {} } = asked;
  const response = await createApi({ ...OPTIONS, ...options })({
    method,
    path,
    query: "",
    headers: new Map(Object.entries(headers)),
    peer: PEER,
  });
  return {
    status: response.status,
    headers: response.headers,
    body: new TextDecoder().decode(response.body),
  };
}

const TEXT = { "Content-Type": "text/plain; charset=utf-8" };
const OPEN = { "Access-Control-Allow-Origin": "*" };
const NOT_FOUND = { status: 404, headers: TEXT, body: "Not found." };
const UNAUTHORIZED = {
  status: 401,
  headers: { ...TEXT, "WWW-Authenticate": 'Basic realm="Mosquitto API"' },
  body: "Not authorised",
};

test("createApi() tells the version, the listeners and the figures", async () => {
  assertEquals(await ask("/api/v1/version"), {
    status: 200,
    headers: { ...TEXT, ...OPEN },
    body: "2.1.0",
  });
  assertEquals(await ask("/api/v1/listeners"), {
    status: 200,
    headers: { "Content-Type": "application/json", ...OPEN },
    body: '{"listeners":[' +
      '{"port":1883,"protocol":"mqtt","tls":false,"mtls":false,"allow_anonymous":true},' +
      '{"path":"/run/midge","protocol":"websockets","tls":true,"mtls":true,"allow_anonymous":false}' +
      "]}",
  });
  assertEquals(await ask("/api/v1/systree"), {
    status: 200,
    headers: { "Content-Type": "application/json", ...OPEN },
    body: '{"$SYS/broker/clients/total":3,"$SYS/broker/uptime":17}',
  });
});

test("createApi() leaves all but the API to the files, and there may be none", async () => {
  assertEquals(await ask("/a%20b/"), { status: 200, headers: TEXT, body: "file /a b/" });
  assertEquals(await ask("/apis"), { status: 200, headers: TEXT, body: "file /apis" });
  assertEquals(await ask("/", { options: { files: undefined } }), NOT_FOUND);
});

test("createApi() does not know other paths of the API, nor those with two readings", async () => {
  const paths = [
    "/api",
    "/api/",
    "/api/v1",
    "/api/v1/version/",
    "/api/v1/Version",
    "/api/v1/%2576ersion",
    "/api//v1/version",
    "/x/../api/v1/version",
    "/api/v1%2fversion",
    "/%23",
    "/a+b",
  ];
  for (const path of paths) assertEquals(await ask(path), NOT_FOUND);
});

test("createApi() refuses other methods before anything else about them", async () => {
  const options = { isAllowed: () => Promise.resolve(false) };
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "get"]) {
    assertEquals(await ask("/../x", { method, options }), {
      status: 405,
      headers: { ...TEXT, Allow: "GET, HEAD" },
      body: "Invalid HTTP Method\n",
    });
  }
});

test("createApi() asks who may read which decoded path, and believes nothing but yes", async () => {
  const asked: ApiAccess[] = [];
  const options = {
    isAllowed: (access: ApiAccess) => {
      asked.push(access);
      return Promise.resolve(false);
    },
  };
  const headers = { authorization: "Basic YW5uOnNlY3JldA==" };
  assertEquals(await ask("/api/v1/%76ersion", { options, headers }), UNAUTHORIZED);
  assertEquals(await ask("/page", { options }), UNAUTHORIZED);
  assertEquals(asked, [
    {
      peer: PEER,
      credentials: { username: "ann", password: new TextEncoder().encode("secret") },
      path: "/api/v1/version",
    },
    { peer: PEER, credentials: undefined, path: "/page" },
  ]);
});

test("createApi() asks nobody about credentials that make no sense (B-58)", async () => {
  let count = 0;
  const options = { isAllowed: () => Promise.resolve(++count > 0) };
  const headers = { authorization: "Basic ???" };
  assertEquals([await ask("/api/v1/version", { options, headers }), count], [UNAUTHORIZED, 0]);
});

test("createApi() does not answer to the name of somebody else's page (B-57)", async () => {
  const asked = { headers: { host: "evil.example" }, options: { hosts: [] } };
  assertEquals(await ask("/api/v1/version", asked), {
    status: 421,
    headers: TEXT,
    body: "Unknown host.\n",
  });
});
