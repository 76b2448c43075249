/**
 * The statements by which changes become rows, each compiled once. Which of them a change takes is
 * in `change_writer.ts`.
 *
 * @module
 */

import type { SqlDatabase, SqlStatement } from "./sql_database.ts";

export type Statements = { readonly [Name in keyof typeof SQL]: SqlStatement };

export function prepareAll(database: SqlDatabase): Statements {
  const entries = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]);
  // The same names with what each was compiled to.
  return Object.fromEntries(entries) as Statements;
}

const SQL = {
  setSession: `INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (number) DO UPDATE SET username = excluded.username,
      is_identified = excluded.is_identified, protocol_version = excluded.protocol_version,
      listener = excluded.listener, expiry_interval = excluded.expiry_interval,
      ends_at = excluded.ends_at`,
  setSubscription: `INSERT INTO subscriptions VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)
    ON CONFLICT (session, filter) DO UPDATE SET qos = excluded.qos, no_local = excluded.no_local,
      retain_as_published = excluded.retain_as_published,
      subscription_id = excluded.subscription_id`,
  removeSubscription: "DELETE FROM subscriptions WHERE session = ? AND filter = ?",
  setOwed: `UPDATE subscriptions SET owed_after = ?, owed_up_to = ?
    WHERE session = ? AND filter = ?`,
  addMessage: "INSERT OR REPLACE INTO messages VALUES (?, ?)",
  addHolders: "INSERT OR REPLACE INTO holders VALUES (?, 1, ?)",
  holdBy: "UPDATE holders SET count = count + ? WHERE message = ?",
  removeUnheld: `DELETE FROM messages WHERE id = ?
    AND id IN (SELECT message FROM holders WHERE message = messages.id AND count <= 0)`,
  removeHolders: "DELETE FROM holders WHERE message = ? AND count <= 0",
  queue: "INSERT OR REPLACE INTO queued VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  unqueue: "DELETE FROM queued WHERE session = ? AND sequence = ?",
  send: "INSERT OR REPLACE INTO inflight VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  move: `INSERT OR REPLACE INTO inflight
    SELECT session, ?, ?, sequence, ?, retain, subscription_id, message, body
    FROM queued WHERE session = ? AND sequence = ?`,
  receive: "UPDATE inflight SET message = NULL, body = NULL WHERE session = ? AND packet_id = ?",
  finish: "DELETE FROM inflight WHERE session = ? AND packet_id = ?",
  hold: "INSERT OR IGNORE INTO held_packet_ids VALUES (?, ?)",
  release: "DELETE FROM held_packet_ids WHERE session = ? AND packet_id = ?",
  setWill: "INSERT OR REPLACE INTO wills VALUES (?, ?, ?, ?, ?)",
  removeWill: "DELETE FROM wills WHERE session = ?",
  setUndecidedWill: "INSERT OR REPLACE INTO undecided_wills VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  removeUndecidedWill: "DELETE FROM undecided_wills WHERE number = ?",
  addRetained: "INSERT OR REPLACE INTO retained VALUES (?, ?, ?, ?)",
  removeRetained: "DELETE FROM retained WHERE topic = ?",
} as const;
