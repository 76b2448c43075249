/**
 * SUBACK, as data.
 *
 * @module
 */

import { testFixtures } from "./fixture.ts";

testFixtures("suback");
