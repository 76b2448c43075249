import { testFixtures } from "./fixture.ts";

testFixtures("disconnect");
