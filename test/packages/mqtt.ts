// deno-lint-ignore-file no-import-prefix -- not in the import map: see packages.ts in tools
/** MQTT.js, a foreign client, in tests only: no first run of the broker fetches it. */
export * from "npm:mqtt@5.16.0";
export { default } from "npm:mqtt@5.16.0";
