/**
 * The Will of a session: a message that waits for its client to go missing.
 *
 * @module
 */

import type { Message } from "./message.ts";

export interface Will {
  /** A kept message; its expiry starts to run at publication. */
  readonly message: Message;
  /** In seconds. */
  readonly messageExpiryInterval: number | undefined;
  /** Will Delay Interval in seconds. */
  readonly delay: number;
}
