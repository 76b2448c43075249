/**
 * Base64 as password hashes are written: the standard alphabet, padded or not, and only the one
 * spelling of each value. The platform's own decoder forgives too much to be used alone.
 *
 * @module
 */

/** Decodes padded Base64; `undefined` when it is not what `encodeBase64` would write. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  let decoded: string;
  try {
    decoded = atob(text);
  } catch {
    return undefined;
  }
  const bytes = Uint8Array.from(decoded, (character) => character.charCodeAt(0));
  return encodeBase64(bytes) === text ? bytes : undefined;
}

/** Decodes Base64 without padding. */
export function decodeUnpaddedBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.includes("=")) return undefined;
  return decodeBase64(text + "=".repeat((4 - text.length % 4) % 4));
}

/** Encodes with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Encodes without padding. */
export function encodeUnpaddedBase64(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll("=", "");
}
