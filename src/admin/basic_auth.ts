/**
 * Credentials in an HTTP request, by the Basic scheme. Whether they are good is not known here.
 *
 * @module
 */

/** Who says that they ask; nobody may log the password. */
export interface Credentials {
  readonly username: string;
  readonly password: Uint8Array;
}

/**
 * The credentials in an Authorization header. `undefined` without such a header: nobody in
 * particular. `"malformed"` for one that makes no sense, which must never pass as nobody.
 */
export function parseBasicAuth(header: string | undefined): Credentials | undefined | "malformed" {
  if (header === undefined) return undefined;
  const match = /^basic +([A-Za-z\d+/]+={0,2})$/i.exec(header);
  const bytes = match === null ? undefined : decodeBase64(match[1]!);
  const colon = bytes?.indexOf(0x3a) ?? -1;
  if (bytes === undefined || colon < 0) return "malformed";
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const username = decoder.decode(bytes.subarray(0, colon));
    return username.includes("\0") ? "malformed" : { username, password: bytes.slice(colon + 1) };
  } catch {
    return "malformed";
  }
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}
