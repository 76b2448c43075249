import { testFixtures } from "./fixture.ts";

testFixtures("subscribe");
