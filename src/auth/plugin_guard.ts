/**
 * Stands between the broker and the hooks of a plugin. A hook that throws, rejects, or answers what
 * its contract does not know is told to the operator and counts as a refusal; of a message, that it
 * is dropped. Nothing that a plugin does wrong opens a door or ends the broker.
 *
 * How long an answer may take is the driver's business: it refuses in the plugin's place.
 *
 * @module
 */

import type { Client, ConnectRequest, Publisher } from "../core/broker/question.ts";
import type { QoS } from "../core/codec/protocol.ts";
import { ReasonCode } from "../core/codec/reason_code.ts";
import { isMessageContents } from "../core/session/message_contents.ts";
import type {
  Authenticator,
  Authorizer,
  Eventual,
  ExchangeReply,
  ExchangeStep,
  InboundMessage,
  Observer,
  TopicRules,
  Verdict,
} from "./auth.ts";
import type { Plugin, PluginLogType } from "./plugin.ts";
import { isObject, messageOf } from "./plugin_shape.ts";

/** What guards share. */
export interface GuardOptions {
  /** Refuses clients by whose names patterns could be widened, before the authorizer is asked. */
  readonly denySpecialChars: boolean;
  readonly log: (type: PluginLogType, text: string) => void;
}

/** The parts of a plugin, safe to call. */
export interface GuardedParts {
  readonly authenticator: Authenticator | undefined;
  readonly authorizer: Authorizer | undefined;
  readonly observer: Observer | undefined;
}

/** The highest count of failures that is told by itself; beyond it every so many. */
const FAILURES_TOLD_EACH = 1024;

const REFUSED: ExchangeReply = Object.freeze({ reasonCode: ReasonCode.NOT_AUTHORIZED });

/** Refusals are the reason codes from 0x80 on; below it, codes other than success mean nothing. */
const FIRST_REFUSAL = 0x80;

const REFUSALS: ReadonlySet<unknown> = new Set(
  Object.values(ReasonCode).filter((code) => code >= FIRST_REFUSAL),
);

/** Makes the parts of a plugin safe to call. */
export function guardPlugin(plugin: Plugin, options: GuardOptions): GuardedParts {
  const { name, authenticator, authorizer, observer } = plugin;
  const guard = new Guard(name, options);
  return {
    authenticator: authenticator && guardAuthenticator(authenticator, guard),
    authorizer: authorizer && guardAuthorizer(authorizer, guard),
    observer: observer && guardObserver(observer, guard),
  };
}

class Guard {
  readonly name: string;
  readonly #options: GuardOptions;
  readonly #failures: Map<string, number> = new Map();
  /** Told of once each; they go with their sessions. */
  readonly #dangerous: WeakSet<Publisher> = new WeakSet();

  constructor(name: string, options: GuardOptions) {
    this.name = name;
    this.#options = options;
  }

  /**
   * Tells of a failure: the first, the second, the fourth and so on, because a hook that always
   * fails would fill the disk with it.
   */
  report(event: string, error: unknown): void {
    const count = (this.#failures.get(event) ?? 0) + 1;
    this.#failures.set(event, count);
    const isPowerOfTwo = (count & (count - 1)) === 0;
    if (count > FAILURES_TOLD_EACH ? count % FAILURES_TOLD_EACH !== 0 : !isPowerOfTwo) return;
    const times = count === 1 ? "" : ` (${count} times)`;
    this.#options.log(
      "error",
      `Error: Plugin ${this.name} failed in '${event}'${times}: ${messageOf(error)}`,
    );
  }

  /** The verdict, or a refusal if it is none. */
  check(event: string, verdict: unknown): Verdict {
    if (verdict === ReasonCode.SUCCESS || verdict === "ignore" || verdict === "defer") {
      return verdict;
    }
    if (REFUSALS.has(verdict)) return verdict as ReasonCode;
    return this.fail(event, new TypeError(`Its answer is no verdict: ${typeof verdict}`));
  }

  /** As `check`, now or later. */
  checkEventual(event: string, answer: unknown): Eventual<Verdict> {
    if (!isThenable(answer)) return this.check(event, answer);
    return Promise.resolve(answer).then(
      (verdict) => this.check(event, verdict),
      (error) => this.fail(event, error),
    );
  }

  /** As `check`, for a hook that has to answer at once. */
  checkNow(event: string, answer: unknown): Verdict {
    if (!isThenable(answer)) return this.check(event, answer);
    // Whatever becomes of it, it is too late.
    Promise.resolve(answer).catch(() => {});
    return this.fail(event, new TypeError("Its answer is a promise, and is needed at once"));
  }

  fail(event: string, error: unknown): Verdict {
    this.report(event, error);
    return ReasonCode.NOT_AUTHORIZED;
  }

  /** Whether a name could mean more than itself in a plugin's patterns; says so, once. */
  isDangerous(client: Publisher): boolean {
    if (!this.#options.denySpecialChars) return false;
    const { clientId, username } = client;
    const isUsername = username !== undefined && hasSpecialChars(username);
    if (!isUsername && !hasSpecialChars(clientId)) return false;
    if (!this.#dangerous.has(client)) {
      this.#dangerous.add(client);
      const what = isUsername ? `username "${username}"` : `client id "${clientId}"`;
      this.#options.log("notice", `ACL denying access to client with dangerous ${what}`);
    }
    return true;
  }
}

function guardAuthenticator(part: Authenticator, guard: Guard): Authenticator {
  const guarded: Authenticator = {
    name: guard.name,
    authenticate(request: ConnectRequest): Eventual<Verdict> {
      try {
        return guard.checkEventual("basic-auth", part.authenticate(request));
      } catch (error) {
        return guard.fail("basic-auth", error);
      }
    },
  };
  if (part.methods !== undefined) Object.assign(guarded, { methods: [...part.methods] });
  if (part.credentialOf !== undefined) {
    guarded.credentialOf = (username) => {
      try {
        const credential: unknown = part.credentialOf!(username);
        if (credential === undefined || typeof credential === "string") return credential;
        guard.report("basic-auth", new TypeError("A credential is no text"));
      } catch (error) {
        guard.report("basic-auth", error);
      }
      return undefined;
    };
  }
  if (part.exchange !== undefined) {
    guarded.exchange = async (step: ExchangeStep): Promise<ExchangeReply> => {
      try {
        const reply = await part.exchange!(step);
        if (isExchangeReply(reply)) return reply;
        guard.report("auth-continue", new TypeError("Its answer is no reply"));
      } catch (error) {
        guard.report("auth-continue", error);
      }
      return REFUSED;
    };
  }
  return guarded;
}

function guardAuthorizer(part: Authorizer, guard: Guard): Authorizer {
  const guarded: Authorizer = { name: guard.name };
  const event = "acl-check";
  if (part.publish !== undefined) {
    guarded.publish = (client: Client, topic: string, qos: QoS, retain: boolean) => {
      if (guard.isDangerous(client)) return ReasonCode.NOT_AUTHORIZED;
      try {
        return guard.checkEventual(event, part.publish!(client, topic, qos, retain));
      } catch (error) {
        return guard.fail(event, error);
      }
    };
  }
  if (part.subscribe !== undefined) {
    guarded.subscribe = (client: Client, filter: string, qos: QoS) => {
      if (guard.isDangerous(client)) return ReasonCode.NOT_AUTHORIZED;
      try {
        return guard.checkEventual(event, part.subscribe!(client, filter, qos));
      } catch (error) {
        return guard.fail(event, error);
      }
    };
  }
  if (part.unsubscribe !== undefined) {
    guarded.unsubscribe = (client: Client, filter: string) => {
      if (guard.isDangerous(client)) return ReasonCode.NOT_AUTHORIZED;
      try {
        return guard.checkNow(event, part.unsubscribe!(client, filter));
      } catch (error) {
        return guard.fail(event, error);
      }
    };
  }
  if (part.deliver !== undefined) {
    guarded.deliver = (client: Client, topic: string) => {
      if (guard.isDangerous(client)) return ReasonCode.NOT_AUTHORIZED;
      try {
        return guard.checkNow(event, part.deliver!(client, topic));
      } catch (error) {
        return guard.fail(event, error);
      }
    };
  }
  if (part.rulesFor !== undefined) {
    guarded.rulesFor = (client: Publisher) => guardRules(part, client, guard);
  }
  if (part.hasRetained !== undefined) {
    guarded.hasRetained = (publisher: Publisher, topic: string) => {
      if (guard.isDangerous(publisher)) return ReasonCode.NOT_AUTHORIZED;
      try {
        return guard.checkNow(event, part.hasRetained!(publisher, topic));
      } catch (error) {
        return guard.fail(event, error);
      }
    };
  }
  return guarded;
}

const NO_TOPICS: TopicRules = Object.freeze({
  publish: () => ReasonCode.NOT_AUTHORIZED,
  deliver: () => ReasonCode.NOT_AUTHORIZED,
});

function guardRules(part: Authorizer, client: Publisher, guard: Guard): TopicRules {
  const event = "acl-check";
  if (guard.isDangerous(client)) return NO_TOPICS;
  try {
    const rules = part.rulesFor!(client);
    const ask = (what: "publish" | "deliver", topic: string): Verdict => {
      try {
        return guard.checkNow(event, rules[what](topic));
      } catch (error) {
        return guard.fail(event, error);
      }
    };
    return { publish: (topic) => ask("publish", topic), deliver: (topic) => ask("deliver", topic) };
  } catch (error) {
    guard.report(event, error);
    return NO_TOPICS;
  }
}

function guardObserver(part: Observer, guard: Guard): Observer {
  const guarded: Observer = { name: guard.name };
  if (part.message !== undefined) {
    guarded.message = (client: Client, message: InboundMessage) => {
      try {
        const answer: unknown = part.message!(client, message);
        if (!isThenable(answer)) return checkMessage(guard, answer);
        return Promise.resolve(answer).then(
          (replacement) => checkMessage(guard, replacement),
          (error) => guard.report("message-in", error) as undefined,
        );
      } catch (error) {
        guard.report("message-in", error);
        return undefined;
      }
    };
  }
  if (part.connected !== undefined) {
    guarded.connected = (client: Client) => {
      watch(guard, "connect", () => part.connected!(client));
    };
  }
  if (part.disconnected !== undefined) {
    guarded.disconnected = (client: Client, cause: string) => {
      watch(guard, "disconnect", () => part.disconnected!(client, cause));
    };
  }
  return guarded;
}

/** Runs a hook that answers nothing; one that is asynchronous all the same may fail later. */
function watch(guard: Guard, event: string, run: () => unknown): void {
  try {
    const answer = run();
    if (isThenable(answer)) Promise.resolve(answer).catch((error) => guard.report(event, error));
  } catch (error) {
    guard.report(event, error);
  }
}

function checkMessage(guard: Guard, message: unknown): InboundMessage | undefined {
  if (message === undefined) return undefined;
  try {
    if (isMessage(message)) return message;
    guard.report("message-in", new TypeError("Its answer is no message"));
  } catch (error) {
    guard.report("message-in", error);
  }
  return undefined;
}

function isMessage(message: unknown): message is InboundMessage {
  if (!isObject(message) || typeof message["topic"] !== "string") return false;
  return isMessageContents(message as unknown as InboundMessage);
}

function isExchangeReply(reply: unknown): reply is ExchangeReply {
  if (!isObject(reply)) return false;
  const { reasonCode, data, username, reasonString } = reply;
  return (reasonCode === ReasonCode.SUCCESS || reasonCode === ReasonCode.CONTINUE_AUTHENTICATION ||
    REFUSALS.has(reasonCode)) &&
    (data === undefined || data instanceof Uint8Array) &&
    (username === undefined || typeof username === "string") &&
    (reasonString === undefined || typeof reasonString === "string");
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && typeof value["then"] === "function";
}

function hasSpecialChars(name: string): boolean {
  return /[+#/]/.test(name);
}
