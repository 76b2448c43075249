// The object may be put to sleep between any two events, and nobody notices: each scene is played
// awake, then with a sleep after every event, with packets that come in halves, and with one sleep
// at each place where there could be one.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { SCENES } from "./scenes.ts";
import { type Manner, play, type Scene, type Seen } from "./stage.ts";

const ALWAYS = (): boolean => true;

const MANNERS: readonly (readonly [how: string, manner: Manner])[] = [
  ["without a sleep", {}],
  ["with a sleep after every event", { sleepsAfter: ALWAYS }],
  ["in halves, with a sleep between any two", { sleepsAfter: ALWAYS, inHalves: true }],
];

/** What both members of a group got counts as the group's, in the order of the messages. */
function together(seen: Readonly<Record<string, Seen>>, scene: Scene): Record<string, Seen> {
  if (scene.expected["members"] === undefined) return { ...seen };
  const { one, two, ...rest } = seen;
  const members = [...one!, ...two!].filter((line) => line.startsWith("publish"));
  return { ...rest, members: members.map((line) => line.replace(/ qos.*/, "")).sort() };
}

for (const scene of SCENES) {
  test(`BrokerObject: ${scene.name}`, async () => {
    let awake = 0;
    for (const [how, manner] of MANNERS) {
      const { seen, events, births } = await play(scene, manner);
      assertEquals(together(seen, scene), scene.expected, how);
      if (awake === 0) {
        awake = events;
        assertEquals(births, 1);
      } else assertEquals(births, events);
    }
    for (let at = 1; at < awake; at++) {
      const { seen, births } = await play(scene, { sleepsAfter: (event) => event === at });
      assertEquals([together(seen, scene), births], [scene.expected, 2], `a sleep after ${at}`);
    }
  });
}
