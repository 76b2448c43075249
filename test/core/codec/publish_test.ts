/**
 * PUBLISH as an object, as data; `publish_view_test.ts` reads the same data in place.
 *
 * @module
 */

import { testFixtures } from "./fixture.ts";

testFixtures("publish");
