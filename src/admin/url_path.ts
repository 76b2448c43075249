/**
 * The path of a request, decoded once and for all: what is checked against the access rules is to
 * the letter what is then looked up. A path that could be read in two ways is refused instead of
 * being repaired.
 *
 * @module
 */

/** The decoded path, `undefined` if there is more than one way to read it. */
export function decodePath(path: string): string | undefined {
  // A slash or backslash that hides from whoever splits first is the oldest trick of all.
  if (!path.startsWith("/") || /%(?:2f|5c)/i.test(path)) return undefined;
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  // deno-lint-ignore no-control-regex -- these are what is looked for
  if (/[\u0000-\u001f\u007f\\]/.test(decoded)) return undefined;
  const segments = decoded.split("/").slice(1);
  const isPlain = segments.every((segment, index) =>
    segment !== "." && segment !== ".." && (segment !== "" || index === segments.length - 1)
  );
  return isPlain ? decoded : undefined;
}
