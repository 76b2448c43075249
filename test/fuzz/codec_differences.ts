/**
 * Where our codec and mqtt-packet differ, and why ours is as it is. Each entry has the bytes of a
 * packet on which they do: one that does not hold any more has to go, and what is not here is a
 * finding.
 *
 * @module
 */

import type { ProtocolVersion } from "../../src/core/codec/protocol.ts";

interface CodecDifference {
  /** As `differenceOn` names it. */
  readonly difference: string;
  readonly version: ProtocolVersion;
  readonly hex: string;
  readonly why: string;
}

export const CODEC_DIFFERENCES: readonly CodecDifference[] = [
  {
    difference: "cannot write: Invalid qos vector",
    version: 3,
    hex: "90 02 01 02",
    why: "It writes no SUBACK without a code, which 3.1 does not forbid and nobody sends",
  },
  {
    difference: "cannot write: Invalid subscriptions",
    version: 3,
    hex: "82 02 8b 0a",
    why: "It writes no SUBSCRIBE without a filter, which 3.1 does not forbid",
  },
  {
    difference: "cannot write: Invalid unsubscriptions",
    version: 3,
    hex: "a2 02 67 10",
    why: "It writes no UNSUBSCRIBE without a filter, which 3.1 does not forbid",
  },
  {
    difference: "cannot write: Username is required to use password",
    version: 5,
    hex: "10 10 00 04 4d 51 54 54 05 42 00 3c 00 00 00 00 01 70",
    why: "Since version 5 a password needs no user name",
  },
  {
    difference: "cannot write: clientId must be given if cleanSession set to 0",
    version: 4,
    hex: "10 0c 00 04 4d 51 54 54 04 00 00 00 00 00",
    why: "The broker refuses it with a CONNACK, so it has to be read first",
  },
  {
    difference: "cannot write: clientId must be supplied before 3.1.1",
    version: 3,
    hex: "10 0e 00 06 4d 51 49 73 64 70 03 02 00 00 00 00",
    why: "The broker refuses it with a CONNACK, so it has to be read first",
  },
  {
    difference: "only ours: Cannot parse password",
    version: 3,
    hex: "10 12 00 06 4d 51 49 73 64 70 03 c2 00 3c 00 01 61 00 01 75",
    why: "Clients of 3.1 announce a password and leave it out",
  },
  {
    difference: "only ours: Cannot parse username",
    version: 3,
    hex: "10 0f 00 06 4d 51 49 73 64 70 03 c2 00 3c 00 01 61",
    why: "Clients of 3.1 announce a user name and leave it out",
  },
  {
    difference: "only ours: Connect flag bit 0 must be 0, but got 1",
    version: 3,
    hex: "10 0f 00 06 4d 51 49 73 64 70 03 03 00 0d 00 01 61",
    why: "3.1 does not say what the reserved flag must be",
  },
  {
    difference: "only ours: Invalid auth reason code",
    version: 5,
    hex: "f0 00",
    why: "An AUTH may be empty and means success then (3.15.2.1)",
  },
  {
    difference: "only ours: Invalid connack flags, bits 7-1 must be set to 0",
    version: 3,
    hex: "20 02 7f 00",
    why: "3.1 does not say what the reserved byte must be",
  },
  {
    difference: "only ours: Invalid disconnect reason code",
    version: 5,
    hex: "e0 02 8c 00",
    why: "Table 2-6 of the standard lets DISCONNECT say that the method of authentication is bad",
  },
  {
    difference: "only ours: Invalid header flag bits, must be 0x0 for connect packet",
    version: 3,
    hex: "1f 0f 00 06 4d 51 49 73 64 70 03 02 00 3d 00 01 61",
    why: "3.1 has flags in every fixed header, which mean nothing here",
  },
  {
    difference: "only ours: Invalid header flag bits, must be 0x2 for pubrel packet",
    version: 3,
    hex: "6a 02 03 02",
    why: "3.1 has a DUP flag in PUBREL",
  },
  {
    difference: "only ours: Will QoS must be set to zero when Will Flag is set to 0",
    version: 3,
    hex: "10 0f 00 06 4d 51 49 73 64 70 03 12 00 3c 00 01 62",
    why: "3.1 does not say so",
  },
  {
    difference: "only ours: Will Retain Flag must be set to zero when Will Flag is set to 0",
    version: 3,
    hex: "10 0f 00 06 4d 51 49 73 64 70 03 22 00 3c 00 01 61",
    why: "3.1 does not say so",
  },
  {
    difference: "only theirs: 1.2",
    version: 5,
    hex: "40 00",
    why: "It reads what is missing as nothing, or as -1",
  },
  {
    difference: "only theirs: 2.1.4",
    version: 4,
    hex: "d0 01 00",
    why: "It passes over what follows the last field",
  },
  {
    difference: "only theirs: 2.2.2.2",
    version: 5,
    hex: "e0 04 00 02 01 00",
    why: "It takes properties of other packets, twice, and with values that they cannot have",
  },
  {
    difference: "only theirs: 3.1.2.11.10",
    version: 5,
    hex: "10 11 00 04 4d 51 54 54 05 02 00 3c 04 16 00 01 02 00 00",
    why: "It takes authentication data without a method",
  },
  {
    difference: "only theirs: 3.15.2.2.2",
    version: 5,
    hex: "f0 06 18 04 16 00 01 64",
    why: "It takes authentication data without a method",
  },
  {
    difference: "only theirs: 3.8.2.1.2",
    version: 5,
    hex: "82 09 00 0a 02 0b 00 00 01 61 00",
    why: "It takes a subscription identifier of 0",
  },
  {
    difference: "only theirs: MQTT-1.5.4-1",
    version: 4,
    hex: "30 03 00 01 02",
    why: "It replaces what is no UTF-8, and takes control characters",
  },
  {
    difference: "only theirs: MQTT-1.5.5-1",
    version: 5,
    hex: "e0 04 98 80 00 00",
    why: "It takes lengths of more bytes than they need",
  },
  {
    difference: "only theirs: MQTT-2.2.1-3",
    version: 4,
    hex: "40 02 00 00",
    why: "It takes a packet identifier of 0",
  },
  {
    difference: "only theirs: MQTT-3.1.1-3.1.2-22",
    version: 4,
    hex: "10 10 00 04 4d 51 54 54 04 42 00 3c 00 01 61 00 01 70",
    why: "It takes a password without a user name",
  },
  {
    difference: "only theirs: MQTT-3.1.1-3.2.2-6",
    version: 4,
    hex: "20 02 00 8e",
    why: "It takes return codes that there are not",
  },
  {
    difference: "only theirs: MQTT-3.1.2-12",
    version: 4,
    hex: "10 12 00 04 4d 51 54 54 04 1e 00 2c 00 01 61 00 01 77 00 00",
    why: "It takes a Will of QoS 3",
  },
  {
    difference: "only theirs: MQTT-3.1.2-2",
    version: 4,
    hex: "10 0d 00 04 4d 51 54 54 03 02 00 3c 00 01 61",
    why: "It takes the name of one version with the level of another",
  },
  {
    difference: "only theirs: MQTT-3.1.3-4",
    version: 4,
    hex: "10 0d 00 04 4d 51 54 54 04 02 00 2b 00 01 ff",
    why: "It replaces what is no UTF-8",
  },
  {
    difference: "only theirs: MQTT-3.10.3-2",
    version: 4,
    hex: "a2 02 00 0a",
    why: "It takes an UNSUBSCRIBE without a filter",
  },
  {
    difference: "only theirs: MQTT-3.2.2-6",
    version: 4,
    hex: "20 02 01 02",
    why: "It takes a refusal that tells of a session",
  },
  {
    difference: "only theirs: MQTT-3.2.2-8",
    version: 5,
    hex: "20 03 00 05 00",
    why: "It takes any reason code in CONNACK",
  },
  {
    difference: "only theirs: MQTT-3.3.1-2",
    version: 4,
    hex: "38 03 00 01 61",
    why: "It takes DUP with QoS 0",
  },
  {
    difference: "only theirs: MQTT-3.3.2-14",
    version: 5,
    hex: "30 09 00 03 61 2f 62 03 08 00 00",
    why: "It takes a response topic that is none",
  },
  {
    difference: "only theirs: MQTT-3.3.2-2",
    version: 4,
    hex: "30 03 00 01 2b",
    why: "It takes wildcards in the topic of a PUBLISH",
  },
  {
    difference: "only theirs: MQTT-3.8.3-2",
    version: 4,
    hex: "82 02 01 00",
    why: "It takes a SUBSCRIBE without a filter",
  },
  {
    difference: "only theirs: MQTT-3.8.3-4",
    version: 5,
    hex: "82 10 00 0a 00 00 0a 24 73 68 61 72 65 2f 67 2f 61 04",
    why: "It takes No Local for a shared subscription",
  },
  {
    difference: "only theirs: MQTT-4.7.3-1",
    version: 4,
    hex: "30 02 00 00",
    why: "It takes topics and filters of no characters",
  },
  {
    difference: "other: properties.userProperties",
    version: 5,
    hex: "40 16 00 01 10 12 26 00 01 61 00 00 26 00 01 62 00 00 26 00 01 61 00 00",
    why: "It gathers user properties by their names, so their order is lost",
  },
  {
    difference: "other: will.properties.userProperties",
    version: 5,
    hex:
      "10 25 00 04 4d 51 54 54 05 06 00 00 00 00 00 12 26 00 01 61 00 00 26 00 01 62 00 00 26 00 01 61 00 00 00 01 77 00 00",
    why: "It gathers user properties by their names, so their order is lost",
  },
];
