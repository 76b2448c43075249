// What kind of client somebody is: how long its session lasts, what it publishes and subscribes to,
// whether it lags, floods or leaves a Will. Drawn once, before the run.
//
// Topics tell what is promised about them: those below `t` have many writers and ordinary readers,
// `s` is read by shared subscriptions only, each topic below `r` has one writer, who has its messages
// retained, and below `w` there are Wills.

import type { SubscriptionRequest } from "../../src/core/codec/packet.ts";
import type { ProtocolVersion, QoS } from "../../src/core/codec/protocol.ts";
import type { Chance } from "./chance.ts";
import type { SessionKind } from "./model.ts";
import type { Plan } from "./plan.ts";

export interface Character {
  /** Of these it speaks one in each connection. */
  readonly versions: readonly ProtocolVersion[];
  readonly kind: SessionKind;
  /** Of a brief session. */
  readonly expirySeconds: number;
  /** Seconds; 0 is none. */
  readonly keepAlive: number;
  /** 0 for what is usual. */
  readonly receiveMaximum: number;
  readonly acknowledgesLater: boolean;
  readonly lags: boolean;
  readonly floods: boolean;
  /** How many of a thousand of its messages are worth nothing after a while. */
  readonly expiringPerMille: number;
  /** It says who it is step by step, and now and then again. */
  readonly authenticates: boolean;
  readonly topics: readonly string[];
  readonly filters: readonly SubscriptionRequest[];
  readonly keepsSubscriptions: boolean;
  readonly pauseMsMax: number;
  readonly will:
    | { readonly topic: string; readonly qos: QoS; readonly delaySeconds: number }
    | undefined;
}

const TOPICS = ["t/0", "t/1", "t/x/y", "s/0", "s/x"];
const FILTERS = ["t/#", "t/+", "t/0", "t/x/#", "+/1", "r/#"];

/** Draws a client. */
export function drawCharacter(number: number, chance: Chance, { faults }: Plan): Character {
  const version = chance.pick([3, 4, 4, 5, 5, 5, 5] as const);
  const drawn = chance.pick(["fresh", "durable", "durable", "durable", "brief", "mixed"] as const);
  // A session of an older version lasts for ever or not at all.
  const kind = version < 5 && drawn !== "fresh" ? "durable" : drawn;
  const isPolyglot = kind === "durable" && chance.happens(200);
  const filters = new Map<string, SubscriptionRequest>();
  for (let i = chance.below(4); i > 0; i--) {
    const request = drawRequest(chance.pick(FILTERS), chance);
    filters.set(request.filter, request);
  }
  if (chance.happens(500)) {
    const shared = chance.pick(["$share/g0/s/#", "$share/g1/s/+"]);
    filters.set(shared, { ...drawRequest(shared, chance), noLocal: false });
  }
  const topics = [...TOPICS, `r/${number}`].filter(() => chance.happens(600));
  return {
    versions: isPolyglot ? [3, 4, 5] : [version],
    kind,
    expirySeconds: chance.pick([0, 1, 5]),
    keepAlive: chance.pick([0, 2, 10]),
    receiveMaximum: chance.pick([0, 0, 1, 3]),
    acknowledgesLater: faults.includes("lag") && chance.happens(300),
    lags: faults.includes("lag") && chance.happens(500),
    floods: faults.includes("flood") && chance.happens(500),
    expiringPerMille: version === 5 || isPolyglot ? chance.pick([0, 0, 300]) : 0,
    authenticates: version === 5 && !isPolyglot && chance.happens(250),
    topics: topics.length > 0 ? topics : ["t/0"],
    filters: [...filters.values()],
    keepsSubscriptions: chance.happens(600),
    pauseMsMax: chance.pick([100, 400, 1500]),
    will: chance.happens(600)
      ? {
        topic: `w/${number}`,
        qos: chance.below(3) as QoS,
        delaySeconds: chance.pick([0, 0, 1, 4]),
      }
      : undefined,
  };
}

function drawRequest(filter: string, chance: Chance): SubscriptionRequest {
  return {
    filter,
    qos: chance.below(3) as QoS,
    noLocal: chance.happens(150),
    retainAsPublished: chance.happens(200),
    retainHandling: chance.pick([0, 0, 1, 2] as const),
  };
}

/** Sees all Wills, once each, and what is retained in the end. It is as patient as can be. */
export const AUDITOR: Character = Object.freeze<Character>({
  versions: [5],
  kind: "durable",
  expirySeconds: 0,
  keepAlive: 10,
  receiveMaximum: 0,
  acknowledgesLater: false,
  lags: false,
  floods: false,
  expiringPerMille: 0,
  authenticates: false,
  topics: [],
  filters: [
    { filter: "w/#", qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 2 },
  ],
  keepsSubscriptions: true,
  pauseMsMax: 10_000,
  will: undefined,
});
