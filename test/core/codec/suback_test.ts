import { testFixtures } from "./fixture.ts";

testFixtures("suback");
