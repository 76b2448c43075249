import { testFixtures } from "./fixture.ts";

testFixtures("connect");
