import { testFixtures } from "./fixture.ts";

testFixtures("unsubscribe");
