/**
 * CONNECT, as data: what the codec decides of each version, and what a refused client is told.
 *
 * @module
 */

import { testFixtures } from "./fixture.ts";

testFixtures("connect");
