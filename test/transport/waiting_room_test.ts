// The room of those who have not said anything yet: full means that the oldest goes.

import { assertEquals } from "@std/assert";
import { WaitingRoom } from "../../src/transport/waiting_room.ts";
import { test } from "../harness.ts";
import { ScriptedTransport } from "../support/scripted_transport.ts";

test("WaitingRoom sends away who has waited longest when it is full, and nobody who left", () => {
  const [first, second, third, fourth] = [1, 2, 3, 4].map(() => new ScriptedTransport());
  const room = new WaitingRoom(2);
  room.enter(first!);
  room.enter(second!);
  room.leave(first!);
  room.enter(third!);
  room.enter(fourth!);
  room.leave(second!);
  assertEquals(
    { size: room.size, calls: [first, second, third, fourth].map((one) => one!.calls) },
    { size: 2, calls: [[], ["abort"], [], []] },
  );
});
