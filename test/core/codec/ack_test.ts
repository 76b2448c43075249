import { testFixtures } from "./fixture.ts";

testFixtures("ack");
