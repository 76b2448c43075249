/**
 * A plugin that asks an HTTP backend who may connect.
 *
 * ```conf
 * plugin examples/plugins/webhook_auth.ts
 * plugin_opt_url http://127.0.0.1:8080/mqtt/login
 * plugin_opt_timeout 5
 * plugin_opt_max_pending 100
 * ```
 *
 * It posts `{"clientId", "username", "password", "address", "protocolVersion"}` as JSON and expects
 * status 200 and `{"result": "allow"}`, `"deny"`, or `"ignore"` to leave it to whoever comes next.
 * Anything else is a failure, and a failure refuses: a backend that is down, slow, redirects,
 * answers at length or in another type. Nothing waits in line: when as many questions are open as
 * may be, the client is told that the broker is busy.
 */

import type { ConnectRequest, Plugin, PluginContext, Verdict } from "../../mod.ts";

/** Reason codes of the standard; a plugin needs nothing of the broker at run time. */
const SUCCESS = 0x00;
const NOT_AUTHORIZED = 0x87;
const SERVER_BUSY = 0x89;

const NAME = "webhook-auth";

const ANSWER_BYTES_MAX = 16_384;

interface Settings {
  readonly url: string;
  readonly timeoutMs: number;
  readonly pendingMax: number;
}

export default function webhookAuth(context: PluginContext): Plugin {
  let settings = readSettings(context.options);
  let pending = 0;

  async function authenticate(request: ConnectRequest): Promise<Verdict> {
    const { url, timeoutMs, pendingMax } = settings;
    if (pending >= pendingMax) return SERVER_BUSY;
    const question = toJson(request);
    if (question === undefined) return NOT_AUTHORIZED;
    pending++;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json" },
        body: question,
        redirect: "error",
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), context.closing]),
      });
      return verdictOf(await readAnswer(response));
    } finally {
      pending--;
    }
  }

  return {
    name: NAME,
    version: "1.0.0",
    authenticator: { name: NAME, authenticate },
    reload(options: ReadonlyMap<string, string>): void {
      settings = readSettings(options);
    },
  };
}

/** Options that make no sense stop the broker's start, or leave a running one as it was. */
function readSettings(options: ReadonlyMap<string, string>): Settings {
  const known = ["url", "timeout", "max_pending"];
  for (const name of options.keys()) {
    if (!known.includes(name)) throw new Error(`Unknown option "plugin_opt_${name}"`);
  }
  const url = options.get("url");
  if (url === undefined) throw new Error('The option "plugin_opt_url" is missing');
  const { protocol, href, username, password } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new Error('The option "plugin_opt_url" is no HTTP address');
  }
  if (username !== "" || password !== "") {
    throw new Error('The option "plugin_opt_url" must not hold a password');
  }
  return {
    url: href,
    timeoutMs: readNumber(options, "timeout", 5) * 1000,
    pendingMax: readNumber(options, "max_pending", 100),
  };
}

function readNumber(
  options: ReadonlyMap<string, string>,
  name: string,
  fallback: number,
): number {
  const value = Number(options.get(name) ?? fallback);
  if (value > 0 && value <= 10_000) return value;
  throw new Error(`The option "plugin_opt_${name}" is no number from 1 to 10000`);
}

/** `undefined` for a password that is no text, which this backend could not have given out. */
function toJson(request: ConnectRequest): string | undefined {
  let password: string | null = null;
  try {
    if (request.password !== undefined) {
      password = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        request.password,
      );
    }
  } catch {
    return undefined;
  }
  return JSON.stringify({
    clientId: request.clientId,
    username: request.username ?? null,
    password,
    address: request.peer.remoteAddress,
    protocolVersion: request.protocolVersion,
  });
}

async function readAnswer(response: Response): Promise<unknown> {
  const type = (response.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (response.status !== 200 || type !== "application/json" || response.body === null) {
    await response.body?.cancel();
    throw new Error(`The backend answered with status ${response.status} and type "${type}"`);
  }
  const bytes = new Uint8Array(ANSWER_BYTES_MAX);
  let length = 0;
  // Leaving the loop early cancels the rest of the body.
  for await (const chunk of response.body) {
    if (length + chunk.length > ANSWER_BYTES_MAX) throw new Error("The backend answered too much");
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length)));
}

function verdictOf(answer: unknown): Verdict {
  const result = typeof answer === "object" && answer !== null && "result" in answer
    ? answer.result
    : undefined;
  switch (result) {
    case "allow":
      return SUCCESS;
    case "deny":
      return NOT_AUTHORIZED;
    case "ignore":
      return "ignore";
    default:
      throw new Error('The backend answered without a "result" that is known');
  }
}
