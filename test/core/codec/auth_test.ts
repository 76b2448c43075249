import { testFixtures } from "./fixture.ts";

testFixtures("auth");
