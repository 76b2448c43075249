/**
 * The members of one shared subscription: same Share Name, same filter. The route table holds the
 * group, and each message goes to one member, in turn, in the order in which they joined.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import type { Subscription } from "./session.ts";

export class SharedGroup<C> {
  readonly kind = "group";
  readonly shareName: string;
  readonly filter: string;
  readonly members: Subscription<C>[] = [];
  /** Its place in the route table. */
  slot = -1;
  #next = 0;

  constructor(shareName: string, filter: string) {
    this.shareName = shareName;
    this.filter = filter;
  }

  /** Whose turn it is; the turn passes on. */
  takeTurn(): Subscription<C> {
    const member = this.members[this.#next];
    assert(member !== undefined, "A shared group without members was routed to");
    this.#next = this.#next + 1 === this.members.length ? 0 : this.#next + 1;
    return member;
  }

  /** Lets it be the turn of a member, by its place. */
  beginAt(place: number): void {
    this.#next = place % this.members.length;
  }

  join(member: Subscription<C>): void {
    this.members.push(member);
  }

  /** Removes a member; whose turn it is does not change for the others. */
  leave(member: Subscription<C>): void {
    const index = this.members.indexOf(member);
    assert(index !== -1, "A shared group was left by somebody who is not in it");
    this.members.splice(index, 1);
    if (index < this.#next) this.#next--;
    if (this.#next >= this.members.length) this.#next = 0;
  }
}
