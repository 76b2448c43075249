import { testFixtures } from "./fixture.ts";

testFixtures("unsuback");
