/**
 * AUTH: an exchange of as many packets as the authenticator asks for, before a CONNACK or, later,
 * to authenticate again. The authenticator is outside; here is only the order of things.
 *
 * @module
 */

import { ProtocolError } from "../codec/error.ts";
import type { AuthPacket } from "../codec/packet.ts";
import type { Properties } from "../codec/property.ts";
import { ReasonCode } from "../codec/reason_code.ts";
import { requestOf } from "./check_connect.ts";
import type { Connection } from "./connection.ts";
import { acceptConnect, type PendingConnect } from "./handle_connect.ts";
import type { Answer } from "./question.ts";
import { expel, noteLogin, refuseLogin } from "./refuse.ts";
import { sendAuth } from "./send.ts";
import type { BrokerState } from "./state.ts";

/** The client goes on with an exchange, or begins one anew. */
export function handleAuth(state: BrokerState, connection: Connection, packet: AuthPacket): void {
  const { authenticationMethod: method, authenticationData: data } = packet.properties;
  // The method is that of the CONNECT, always [MQTT-4.12.0-5] [MQTT-4.12.1-1].
  if (method === undefined || method !== connection.authenticationMethod) {
    throw new ProtocolError("MQTT-4.12.0-5", "AUTH must name the authentication method of CONNECT");
  }
  if (packet.reasonCode === ReasonCode.RE_AUTHENTICATE && connection.phase === "connected") {
    const { session } = connection;
    if (session === undefined) return;
    connection.reauthentication = requestOf(connection, session);
  } else if (packet.reasonCode !== ReasonCode.CONTINUE_AUTHENTICATION) {
    throw new ProtocolError("3.15.2.1", "AUTH came with a reason code that does not belong here");
  }
  const { pending, reauthentication } = connection;
  const request = pending?.kind === "authenticate" ? pending.request : reauthentication;
  if (request === undefined) {
    throw new ProtocolError("MQTT-4.12.0-2", "AUTH came while nobody was being authenticated");
  }
  state.questions.push({
    kind: "authenticate",
    id: state.ask(connection),
    request,
    method,
    data,
    isReauthentication: request === reauthentication,
  });
}

/** The authenticator has answered. */
export function answerAuthenticate(
  state: BrokerState,
  connection: Connection,
  answer: Extract<Answer, { readonly kind: "authenticate" }>,
  now: number,
): void {
  const { pending, reauthentication } = connection;
  const isConnecting = pending?.kind === "authenticate";
  if (!isConnecting && reauthentication === undefined) return;
  const { reasonCode, data } = answer;
  const properties: Properties = { authenticationMethod: connection.authenticationMethod! };
  if (data !== undefined) properties.authenticationData = data;
  if (reasonCode === ReasonCode.CONTINUE_AUTHENTICATION) {
    // [MQTT-4.12.0-2]
    sendAuth(state, connection, ReasonCode.CONTINUE_AUTHENTICATION, properties);
  } else if (isConnecting) {
    finishConnect(state, connection, pending, answer, now);
  } else if (
    // What its session holds is for who made it, whoever else it turns out to be.
    reasonCode === ReasonCode.SUCCESS &&
    (answer.username ?? reauthentication!.username) === reauthentication!.username
  ) {
    connection.reauthentication = undefined;
    connection.session!.policyNotes = reauthentication!.policyNotes;
    sendAuth(state, connection, ReasonCode.SUCCESS, properties);
  } else {
    // [MQTT-4.12.1-2]
    const refusal = reasonCode === ReasonCode.SUCCESS ? ReasonCode.NOT_AUTHORIZED : reasonCode;
    noteLogin(state, reauthentication!, refusal);
    expel(state, connection, refusal, true, now);
  }
}

function finishConnect(
  state: BrokerState,
  connection: Connection,
  pending: PendingConnect,
  answer: Extract<Answer, { readonly kind: "authenticate" }>,
  now: number,
): void {
  const { reasonCode, reasonString, data, username } = answer;
  if (reasonCode === ReasonCode.SUCCESS) {
    acceptConnect(state, connection, pending.packet, pending.request, {
      username,
      authenticationData: data,
      reasonString,
    }, now);
  } else {
    refuseLogin(state, connection, pending.request, reasonCode, { reasonString }, now);
  }
}
