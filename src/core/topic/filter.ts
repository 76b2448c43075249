/**
 * What a Topic Filter may be, how a shared one is taken apart, and the slow and obvious matcher.
 * The two tries and the route table match for the broker; they are tested against the matcher here,
 * which is also the one to use where nothing is hot (access control, tools, clients).
 *
 * @module
 */

/** A filter that may be stored, without the `$share/<name>/` that it may have come with. */
export interface ParsedFilter {
  readonly filter: string;
  readonly shareName: string | undefined;
}

/** Why a filter is refused: a Malformed Packet (0x81) or a Protocol Error (0x82). */
export type FilterFault = "malformed" | "protocol";

const SHARE_PREFIX = "$share/";

/**
 * Parses what a SUBSCRIBE or UNSUBSCRIBE names. The text is a string that MQTT allows, which the
 * codec saw to. A share name may be empty, although the standard wants a character
 * [MQTT-4.8.2-1]: clients in the field subscribe to `$share//filter`.
 */
export function parseFilter(text: string): ParsedFilter | FilterFault {
  if (!isFilter(text)) return "malformed";
  if (!text.startsWith(SHARE_PREFIX)) return { filter: text, shareName: undefined };
  const nameEnd = text.indexOf("/", SHARE_PREFIX.length);
  if (nameEnd < 0 || nameEnd === text.length - 1) return "protocol";
  const shareName = text.slice(SHARE_PREFIX.length, nameEnd);
  // Any other wildcard in a share name is no filter in the first place [MQTT-4.8.2-2].
  if (shareName === "+") return "protocol";
  return { filter: text.slice(nameEnd + 1), shareName };
}

/** Tells whether there is a filter, and whether its wildcards stand where they may. */
export function isFilter(text: string): boolean {
  if (text === "") return false; // [MQTT-4.7.3-1]
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character !== "+" && character !== "#") continue;
    // Both occupy an entire level [MQTT-4.7.1-2], and "#" the last one [MQTT-4.7.1-1].
    if (i > 0 && text[i - 1] !== "/") return false;
    if (character === "+" ? i + 1 < text.length && text[i + 1] !== "/" : i + 1 < text.length) {
      return false;
    }
  }
  return true;
}

/** Counts the levels of a topic or filter, so that whoever has a limit can compare. */
export function countLevels(text: string): number {
  let levels = 1;
  for (let at = text.indexOf("/"); at >= 0; at = text.indexOf("/", at + 1)) levels++;
  return levels;
}

/**
 * Tells whether `filter` (valid, not shared) matches `topic` (valid), in the plainest way; both as
 * they are written [MQTT-4.7.3-4].
 */
export function matches(filter: string, topic: string): boolean {
  // Wildcards at the front do not see what belongs to the server [MQTT-4.7.2-1].
  if (topic.startsWith("$") && (filter.startsWith("+") || filter.startsWith("#"))) return false;
  const filterLevels = filter.split("/");
  const topicLevels = topic.split("/");
  for (let i = 0; i < filterLevels.length; i++) {
    // Reached with the topic used up, too: "#" includes the parent level.
    if (filterLevels[i] === "#") return true;
    if (i >= topicLevels.length) return false;
    if (filterLevels[i] !== "+" && filterLevels[i] !== topicLevels[i]) return false;
  }
  return filterLevels.length === topicLevels.length;
}
