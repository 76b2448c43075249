/**
 * AUTH, as data.
 *
 * @module
 */

import { testFixtures } from "./fixture.ts";

testFixtures("auth");
