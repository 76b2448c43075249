// Where Debian's Mosquitto 2.0.11 shows its clients something else than Midge does, and why. Every
// entry is used by one exchange, which fails as soon as the two brokers agree: then the entry goes.

/** What Mosquitto shows instead, and why Midge does not. */
export interface Difference<T> {
  readonly mosquitto: T;
  readonly because: string;
}

/** Why Mosquitto is not asked where more QoS 2 messages are under way than a client allows. */
export const OVERRUNS_WINDOW = "2.0.11 loses count of its send quota at QoS 2: it now and then " +
  "sends more than the Receive Maximum, or nothing any more";

/** Why the Worker is not asked where eight thousand messages pass: the others show what it shows. */
export const AN_EVENT_EACH = "each packet is an event of its host, with a commit where there is " +
  "something to keep: seventeen thousand of them may take a busy machine longer than clients wait";

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

/** "MQTT.js reads in the CONNACK what the broker allows" */
export const CONNACK_PROPERTIES: Difference<unknown> = {
  mosquitto: {
    reasonCode: 0,
    sessionPresent: false,
    properties: {
      assignedClientIdentifier: "auto-",
      receiveMaximum: 20,
      topicAliasMaximum: 10,
    },
  },
  because: "since 2.1 max_packet_size is 2,000,000 unless set, and clients are told",
};

/** "MQTT.js hears that $share and no local do not go together" */
export const SHARED_NO_LOCAL: Difference<string> = {
  mosquitto: "granted 1",
  because: "the standard calls it a protocol error, and since 2.1 Mosquitto does too",
};

/** "MQTT.js hears why it is sent away: another took its place" */
export const TAKEN_OVER: Difference<unknown> = {
  mosquitto: { "5": [], "3.1.1": [], "3.1": [] },
  because: "2.0.11 just closes, though the standard wants a DISCONNECT with the reason first; " +
    "since 2.1 it is sent",
};

/** "mosquitto_sub 2.0.11 does not know the topic aliases that it allows" */
export const ALIASES_OUT: Difference<unknown> = {
  mosquitto: { code: 0, lines: ["x/a none 1", "x/a none 2"], stderr: "" },
  because: "2.0.11 gives no aliases as a broker, so nobody noticed; since 2.1 it does",
};
