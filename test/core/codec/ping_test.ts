/**
 * PINGREQ and PINGRESP, as data.
 *
 * @module
 */

import { testFixtures } from "./fixture.ts";

testFixtures("ping");
