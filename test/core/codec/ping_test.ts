import { testFixtures } from "./fixture.ts";

testFixtures("ping");
