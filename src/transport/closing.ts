/**
 * How long a transport is patient when a connection ends. The waiting itself is done by each
 * adapter with its own timers; only the figures live here, so that all of them agree.
 *
 * @module
 */

/**
 * After `close` the last bytes still leave, and what the peer has under way is read and dropped: a
 * socket closed with unread bytes resets the connection and may destroy the last answer. A peer
 * that has not finished its own side by then is cut off.
 */
export const CLOSE_TIMEOUT_MS = 5000;

/**
 * A peer that shuts down its writing side may still wait for answers to what it sent. They get this
 * long to be written before the transport ends the connection as well.
 */
export const HALF_CLOSE_GRACE_MS = 10;
