/**
 * UNSUBACK, as data.
 *
 * @module
 */

import { testFixtures } from "./fixture.ts";

testFixtures("unsuback");
