/**
 * Subscriptions come and go: in their session, in the route table, and in the shared group that
 * they may belong to.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import type { QoS } from "../codec/protocol.ts";
import { type Session, Subscription } from "../session/session.ts";
import { SharedGroup } from "../session/shared_group.ts";
import type { ParsedFilter } from "../topic/filter.ts";
import type { Connection } from "./connection.ts";
import type { BrokerState } from "./state.ts";

/** What a client asks for with a filter. */
export interface SubscriptionOptions {
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0 when there is none. */
  readonly subscriptionId: number;
}

/** Makes a subscription or replaces its options; `isNew` says which. [MQTT-3.8.4-3] */
export function subscribe(
  state: BrokerState,
  session: Session<Connection>,
  requestedFilter: string,
  parsed: ParsedFilter,
  options: SubscriptionOptions,
): { readonly subscription: Subscription<Connection>; readonly isNew: boolean } {
  let subscription = session.subscriptions.get(requestedFilter);
  const isNew = subscription === undefined;
  if (subscription === undefined) {
    subscription = new Subscription(session, requestedFilter, parsed);
    session.subscriptions.set(requestedFilter, subscription);
    if (parsed.shareName === undefined) {
      subscription.slot = state.routes.add(parsed.filter, subscription);
    } else {
      join(state, subscription, parsed.shareName);
    }
  }
  subscription.qos = options.qos;
  subscription.noLocal = options.noLocal;
  subscription.retainAsPublished = options.retainAsPublished;
  subscription.subscriptionId = options.subscriptionId;
  if (state.records(session)) {
    state.journal.record({
      kind: "subscription-set",
      clientId: session.clientId,
      filter: requestedFilter,
      ...options,
    });
  }
  return { subscription, isNew };
}

/** Removes a subscription; `false` when there is none. [MQTT-3.10.4-1] */
export function unsubscribe(
  state: BrokerState,
  session: Session<Connection>,
  requestedFilter: string,
): boolean {
  const subscription = session.subscriptions.get(requestedFilter);
  if (subscription === undefined) return false;
  // Nothing new; what is in flight or queued goes on [MQTT-3.10.4-2] [MQTT-3.10.4-3].
  session.subscriptions.delete(requestedFilter);
  remove(state, subscription);
  session.owedRetained.delete(subscription);
  if (state.records(session)) {
    state.journal.record({
      kind: "subscription-removed",
      clientId: session.clientId,
      filter: requestedFilter,
    });
  }
  return true;
}

/** Removes all subscriptions of a session that ends. */
export function unsubscribeAll(state: BrokerState, session: Session<Connection>): void {
  for (const subscription of session.subscriptions.values()) remove(state, subscription);
  session.subscriptions.clear();
  session.owedRetained.clear();
}

function remove(state: BrokerState, subscription: Subscription<Connection>): void {
  const { shareName } = subscription;
  if (shareName === undefined) {
    state.routes.remove(subscription.slot);
    return;
  }
  const key = groupKey(shareName, subscription.filter);
  const group = state.groups.get(key);
  assert(group !== undefined, "A shared subscription has lost its group");
  group.leave(subscription);
  if (group.members.length > 0) return;
  state.routes.remove(group.slot);
  state.groups.delete(key);
}

function join(
  state: BrokerState,
  subscription: Subscription<Connection>,
  shareName: string,
): void {
  const key = groupKey(shareName, subscription.filter);
  let group = state.groups.get(key);
  if (group === undefined) {
    group = new SharedGroup(shareName, subscription.filter);
    group.slot = state.routes.add(subscription.filter, group);
    state.groups.set(key, group);
  }
  group.join(subscription);
}

/** A Share Name contains no slash, so the two halves cannot be confused. [MQTT-4.8.2-1] */
function groupKey(shareName: string, filter: string): string {
  return `${shareName}/${filter}`;
}
