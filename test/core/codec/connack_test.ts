/**
 * CONNACK, as data: return codes before version 5, reason codes since.
 *
 * @module
 */

import { testFixtures } from "./fixture.ts";

testFixtures("connack");
