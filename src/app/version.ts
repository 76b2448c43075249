/**
 * The name and the version under which the programs introduce themselves; deno.json says the same.
 *
 * @module
 */

export const NAME = "midge";

export const VERSION = "0.1.0";
