// Where Debian's Mosquitto 2.0.11 shows its clients something else than Midge does, and why. Every
// entry is used by one exchange, which fails as soon as the two brokers agree: then the entry goes.

/** What Mosquitto shows instead, and why Midge does not. */
export interface Difference<T> {
  readonly mosquitto: T;
  readonly because: string;
}

/** "mosquitto_sub gets a copy for each of its overlapping subscriptions" */
export const OVERLAPPING_COPIES: Difference<readonly (readonly string[])[]> = {
  mosquitto: [
    ["lap/a 0 0 x"],
    ["lap/a 0 0 x"],
    ["lap/a 0 0 x", "lap/a 0 0 x", "lap/a 0 0 x"],
  ],
  because: "until 2.1 allow_duplicate_messages was false unless set, which spares clients of " +
    "versions 3.1 and 3.1.1 the copies; since then it is true unless set",
};
