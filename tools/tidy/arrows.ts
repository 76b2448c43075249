/**
 * Who may import whom inside `src`: the table of docs/architecture.md as data, and the rule that
 * there is no circle, not even one of types. A target is a folder, or a single file where only that
 * file may be used.
 *
 * @module
 */

import { importsOf, type Project, resolvePath, type Rule, sourceFiles } from "./source.ts";

/** Files that state a contract; everyone who needs an outside part needs only these. */
export const CONTRACTS: readonly string[] = [
  "src/transport/transport.ts",
  "src/transport/closing.ts",
  "src/transport/http.ts",
  "src/transport/listen_error.ts",
  "src/store/store.ts",
  "src/store/sql_database.ts",
  "src/auth/auth.ts",
  "src/cluster/cluster.ts",
  "src/cluster/bus.ts",
  "src/runtime/runtime.ts",
  "src/runtime/files.ts",
  "src/runtime/host.ts",
  "src/runtime/tls.ts",
];

const CORE = ["src/core/"];
const FORMATS = [
  "src/auth/password_file.ts",
  "src/auth/password_hash.ts",
  "src/auth/secret_file.ts",
  "src/auth/acl_file.ts",
  "src/auth/dynsec/",
  "src/store/mosquitto_db.ts",
  "src/store/mosquitto_chunk.ts",
  "src/store/store_chunks.ts",
];

/** What the contracts of the runtimes are made of: errors with codes, and who is at the other end. */
const CONTRACT_TERMS = ["src/core/base/operation_error.ts", "src/core/session/peer.ts"];

/** What each folder may import besides itself; the first folder that fits a path counts. */
const ARROWS: readonly (readonly [folder: string, targets: readonly string[]])[] = [
  ["src/core/base/", []],
  ["src/core/topic/", ["src/core/base/"]],
  ["src/core/codec/", ["src/core/base/", "src/core/topic/"]],
  ["src/core/session/", ["src/core/base/", "src/core/topic/", "src/core/codec/"]],
  ["src/core/broker/", [
    "src/core/base/",
    "src/core/topic/",
    "src/core/codec/",
    "src/core/session/",
  ]],
  ["src/core/client/", [
    "src/core/base/",
    "src/core/topic/",
    "src/core/codec/",
    "src/core/session/",
  ]],
  ["src/transport/", [...CORE, ...CONTRACTS]],
  ["src/store/", [...CORE, ...CONTRACTS]],
  ["src/auth/", [...CORE, ...CONTRACTS]],
  ["src/cluster/", [...CORE, ...CONTRACTS]],
  ["src/config/", [...CORE, ...CONTRACTS]],
  ["src/telemetry/", [...CORE, ...CONTRACTS]],
  ["src/driver/", [...CORE, ...CONTRACTS]],
  ["src/client/", [
    ...CORE,
    ...CONTRACTS,
    "src/driver/",
    "src/transport/message_port.ts",
    "src/transport/web_socket_transport.ts",
    "src/transport/websocket_client.ts",
  ]],
  ["src/bridge/", [...CORE, ...CONTRACTS, "src/client/", "src/telemetry/"]],
  ["src/admin/", [...CORE, ...CONTRACTS, "src/client/", "src/telemetry/"]],
  ["src/app/", [
    ...CORE,
    ...CONTRACTS,
    "src/transport/",
    "src/store/",
    "src/auth/",
    "src/cluster/",
    "src/config/",
    "src/telemetry/",
    "src/driver/",
    "src/client/",
    "src/bridge/",
    "src/admin/",
  ]],
  // The tools are clients: they drive the engine of the client's half themselves.
  ["src/cli/client/", [
    ...CORE,
    ...CONTRACTS,
    "src/app/version.ts",
    "src/cli/command.ts",
    "src/cli/manual.ts",
    "src/client/",
    "src/telemetry/strftime.ts",
    "src/transport/",
  ]],
  // Bytes from one transport to another: it is a client of one side and a server of the other.
  ["src/cli/relay/", [
    ...CORE,
    ...CONTRACTS,
    "src/app/",
    "src/auth/secret_file.ts",
    "src/cli/",
    "src/client/mqtt_url.ts",
    "src/client/client_error.ts",
    "src/config/",
    "src/telemetry/",
    "src/transport/",
  ]],
  ["src/cli/", [
    ...CORE,
    "src/app/",
    "src/client/",
    "src/config/",
    ...CONTRACTS,
    ...CONTRACT_TERMS,
    ...FORMATS,
  ]],
  ["src/runtime/current.ts", [
    ...CONTRACTS,
    "src/runtime/deno/",
    "src/runtime/bun/",
    "src/runtime/node/",
    "src/runtime/workers/broker_runtime.ts",
  ]],
  // For those who embed a broker; the Worker of its own beside it is made of other parts.
  ["src/runtime/workers/broker_runtime.ts", [...CONTRACTS, ...CONTRACT_TERMS, "src/transport/"]],
  ["src/runtime/bun/", [
    ...CONTRACTS,
    ...CONTRACT_TERMS,
    "src/transport/",
    "src/runtime/node/",
  ]],
  // Chooses its own parts, fewer than the program: what it has must stay small.
  ["src/runtime/workers/", [
    ...CORE,
    ...CONTRACTS,
    "src/auth/",
    "src/config/option.ts",
    "src/config/values.ts",
    "src/driver/",
    "src/store/",
    "src/telemetry/",
  ]],
  ["src/runtime/deno/", [
    ...CONTRACTS,
    ...CONTRACT_TERMS,
    "src/transport/",
    "src/runtime/node/",
  ]],
  ["src/runtime/node/", [...CONTRACTS, ...CONTRACT_TERMS, "src/transport/"]],
];

function allowedTargets(path: string): readonly string[] | undefined {
  if (CONTRACTS.includes(path)) return [...CORE, ...CONTRACTS];
  const arrow = ARROWS.find(([folder]) => path.startsWith(folder));
  return arrow === undefined ? undefined : [arrow[0], ...arrow[1]];
}

/** Each import inside `src` is one of the arrows of the table. */
export const importArrows: Rule = {
  name: "imports follow the arrows of docs/architecture.md",
  find(project: Project): string[] {
    const problems: string[] = [];
    for (const [path, text] of sourceFiles(project, "src/")) {
      const allowed = allowedTargets(path);
      if (allowed === undefined) {
        problems.push(`${path}: this folder is not in the table`);
        continue;
      }
      for (const { specifier, line } of importsOf(text)) {
        if (!specifier.startsWith(".")) {
          if (path.startsWith("src/core/")) {
            problems.push(`${path}:${line}: the core imports no package: "${specifier}"`);
          }
          continue;
        }
        const target = resolvePath(path, specifier);
        if (!allowed.some((prefix) => target === prefix || target.startsWith(asFolder(prefix)))) {
          problems.push(`${path}:${line}: may not import ${target}`);
        }
      }
    }
    return problems;
  },
};

// A single file must not allow another one whose name begins alike.
function asFolder(prefix: string): string {
  return prefix.endsWith("/") ? prefix : `${prefix}/`;
}

/** No file reaches itself by imports. */
export const noCycles: Rule = {
  name: "no imports go in a circle, types included",
  find(project: Project): string[] {
    const graph = new Map(
      sourceFiles(project, "src/", "mod.ts", "client.ts", "client_web.ts", "web.ts").map((
        [path, text],
      ) => [
        path,
        importsOf(text).filter(({ specifier }) => specifier.startsWith("."))
          .map(({ specifier }) => resolvePath(path, specifier)),
      ]),
    );
    const problems: string[] = [];
    const done = new Set<string>();
    const trail: string[] = [];
    const visit = (path: string): void => {
      const start = trail.indexOf(path);
      if (start >= 0) problems.push([...trail.slice(start), path].join(" → "));
      if (start >= 0 || done.has(path)) return;
      trail.push(path);
      for (const target of graph.get(path) ?? []) visit(target);
      trail.pop();
      done.add(path);
    };
    for (const path of graph.keys()) visit(path);
    return problems;
  },
};
