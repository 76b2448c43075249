import { testFixtures } from "./fixture.ts";

testFixtures("publish");
