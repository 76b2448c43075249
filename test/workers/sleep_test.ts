// The object may be put to sleep between any two events, and nobody notices: each scene is played
// awake, then with a sleep after every event, with packets that come in halves, and with one sleep
// at each place where there could be one.

import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { type Manner, play } from "./fake_theatre.ts";
import { SCENES } from "./scenes.ts";

const ALWAYS = (): boolean => true;

const ASLEEP: readonly (readonly [how: string, manner: Manner])[] = [
  ["with a sleep after every event", { sleepsAfter: ALWAYS }],
  ["in halves, with a sleep between any two", { sleepsAfter: ALWAYS, inHalves: true }],
];

for (const scene of SCENES) {
  test(`BrokerObject: ${scene.name}`, async () => {
    const awake = await play(scene, {});
    assertEquals([awake.seen, awake.births], [scene.expected, 1], "without a sleep");
    for (const [how, manner] of ASLEEP) {
      const { seen, births, events } = await play(scene, manner);
      assertEquals([seen, births], [scene.expected, events], how);
    }
    for (let at = 1; at < awake.events; at++) {
      const { seen, births } = await play(scene, { sleepsAfter: (event) => event === at });
      assertEquals([seen, births], [scene.expected, 2], `with a sleep after event ${at}`);
    }
  });
}
