/**
 * SUBSCRIBE, as data.
 *
 * @module
 */

import { testFixtures } from "./fixture.ts";

testFixtures("subscribe");
