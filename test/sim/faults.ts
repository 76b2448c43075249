// What goes wrong from outside while a world runs: each fault comes again and again, at moments of
// its own chance, until the clients settle. Whom it strikes is drawn among all clients there could
// be, so that leaving one out does not turn it against another.

import { ReasonCode } from "../../src/core/codec/reason_code.ts";
import { Chance } from "./chance.ts";
import { CLIENTS_MAX, type Fault } from "./plan.ts";
import { behaveRudely, lie } from "./rude_client.ts";
import type { World } from "./world.ts";

/** More than a broker that stops waits for its store. */
const STOP_MS = 6000;

/** All the days that they make together are fewer than a session lasts that is to last. */
const WALL_ERRORS_MS = [-20_000_000, -5000, 0, 5000, 20_000_000];

type Blow = (world: World, chance: Chance) => void;

interface FaultKind {
  readonly everyMsMax: number;
  readonly strike: Blow;
}

const FAULT_KINDS: Partial<Record<Fault, FaultKind>> = {
  cut: { everyMsMax: 1500, strike: (world, chance) => cut(world, chance, undefined) },
  "half-open": {
    everyMsMax: 3000,
    strike: (world, chance) => cut(world, chance, chance.pick(["client", "server"])),
  },
  crash: { everyMsMax: 6000, strike: crash },
  jump: { everyMsMax: 8000, strike: jump },
  "set-clock": {
    everyMsMax: 4000,
    strike: ({ scheduler }, chance) => scheduler.wallError = chance.pick(WALL_ERRORS_MS),
  },
  revoke: { everyMsMax: 1500, strike: revoke },
  hibernate: { everyMsMax: 100, strike: (world) => world.broker.sleep() },
  rude: { everyMsMax: 1500, strike: behaveRudely },
  liar: { everyMsMax: 800, strike: lie },
};

/** Begins with those of the plan. */
export function startFaults(world: World): void {
  for (const fault of world.plan.faults) {
    const kind = FAULT_KINDS[fault];
    if (kind !== undefined) again(world, new Chance(world.plan.seed, fault), kind);
  }
}

function again(world: World, chance: Chance, kind: FaultKind): void {
  world.scheduler.after(chance.between(1, kind.everyMsMax), () => {
    if (world.isSettling) return;
    kind.strike(world, chance);
    again(world, chance, kind);
  });
}

function cut(world: World, chance: Chance, deaf: "client" | "server" | undefined): void {
  const number = chance.below(CLIENTS_MAX + 2);
  const victim = number < CLIENTS_MAX
    ? world.clients.find(({ clientId }) => clientId === `c${number}`)?.connection
    : number === CLIENTS_MAX
    ? world.auditor.connection
    : chance.pick([undefined, ...world.rude]);
  victim?.cut(deaf);
}

function crash(world: World, chance: Chance): void {
  const { broker, scheduler } = world;
  if (!broker.isUp) return;
  if (chance.happens(700)) return die(world, chance);
  // Or it is asked to end, and has a while to do so.
  broker.stop();
  scheduler.after(STOP_MS, () => {
    if (!world.isSettling) die(world, chance);
  });
}

function die(world: World, chance: Chance): void {
  const { broker, scheduler, upheavals } = world;
  if (broker.core === undefined) return;
  broker.kill();
  upheavals.push({ kind: "crash", step: scheduler.step, now: scheduler.now });
  for (const connection of world.connections) connection.killServer(chance.happens(900));
  scheduler.after(chance.below(1500), () => {
    if (broker.core === undefined) broker.start();
  });
}

/** Has a broker that is there, once no more faults are to come. */
export function recover(world: World): void {
  const { broker } = world;
  if (broker.isUp) return;
  die(world, new Chance(world.plan.seed, "recover"));
  broker.start();
}

function jump(world: World, chance: Chance): void {
  const { scheduler, upheavals } = world;
  scheduler.jump(chance.pick([1000, 20_000, 100_000]));
  upheavals.push({ kind: "jump", step: scheduler.step, now: scheduler.now });
}

function revoke(world: World, chance: Chance): void {
  const { authority, broker } = world;
  if (chance.happens(300)) return authority.pardon();
  const client = chance.below(CLIENTS_MAX);
  // Or the host has seen enough of somebody, or looks at everybody again.
  if (chance.happens(150)) {
    broker.disconnect(`c${client}`, ReasonCode.ADMINISTRATIVE_ACTION);
  }
  if (chance.happens(150)) {
    broker.reload(({ clientId }) =>
      clientId === `c${client}` ? ReasonCode.NOT_AUTHORIZED : ReasonCode.SUCCESS
    );
  }
  const filter = chance.pick(["t/#", "t/0", "s/#", "r/#", "w/#"]);
  authority.ban(chance.pick(["read", "write"]), `c${client}`, filter);
}
