import { testFixtures } from "./fixture.ts";

testFixtures("connack");
