/**
 * The files of one directory over HTTP: what is under its canonical path, regular files only. A
 * link is followed as far as it stays inside. No listings and no ranges.
 *
 * A file is read whole, so both one file and all that are on their way have a bound.
 *
 * @module
 */

import { OperationError } from "../core/base/operation_error.ts";
import type { Files } from "../runtime/files.ts";
import { type HttpHandler, type HttpResponse, textResponse } from "../transport/http.ts";
import { decodePath } from "./url_path.ts";

/** A larger file is not served: this is for pages, not for downloads. */
const FILE_BYTES_MAX = 16 * 1_048_576;

/** What may be in memory for those who are slow to take it. */
const HELD_BYTES_MAX = 64 * 1_048_576;

/** Gives the response to a decoded path; see `decodePath`. */
export type ServeFile = (path: string) => Promise<HttpResponse>;

/** @throws {OperationError} when there is no such directory. */
export async function openStaticFiles(files: Files, directory: string): Promise<ServeFile> {
  const root = await files.realPath(directory);
  if ((await files.info(root))?.kind !== "directory") {
    throw new OperationError("not-found", `Path "${directory}" is not a directory`);
  }
  let heldBytes = 0;
  return async (path) => {
    const found = await find(files, root, path.endsWith("/") ? `${path}index.html` : path);
    if (found === undefined) return notFound();
    const { bytes } = found;
    if (heldBytes + bytes > HELD_BYTES_MAX) {
      return textResponse(503, "Too busy.\n", { "Retry-After": "1" });
    }
    heldBytes += bytes;
    const release = (): void => void (heldBytes -= bytes);
    try {
      const body = await unlessMissing(files.readBytes(found.path));
      // One that has grown in the meantime was not counted as what it is now.
      if (body !== undefined && body.length <= bytes) {
        return fileResponse(found.path, body, release);
      }
    } catch (error) {
      release();
      throw error;
    }
    release();
    return notFound();
  };
}

/** Gives files and nothing else, to everybody. */
export function serveFiles(serveFile: ServeFile): HttpHandler {
  return async ({ method, path }) => {
    if (method !== "GET" && method !== "HEAD") return methodNotAllowed();
    const decoded = decodePath(path);
    return decoded === undefined ? notFound() : await serveFile(decoded);
  };
}

function fileResponse(path: string, body: Uint8Array, release: () => void): HttpResponse {
  const headers = { "Content-Type": contentType(path), "X-Content-Type-Options": "nosniff" };
  return { status: 200, headers, body, release };
}

/** The file that a path means, if it is one of ours and not too large. */
async function find(
  files: Files,
  root: string,
  path: string,
): Promise<{ path: string; bytes: number } | undefined> {
  const real = await unlessMissing(files.realPath(`${root}${path}`));
  if (real === undefined || !real.startsWith(root.endsWith("/") ? root : `${root}/`)) {
    return undefined;
  }
  const info = await unlessMissing(files.info(real));
  if (info?.kind !== "file" || info.bytes > FILE_BYTES_MAX) return undefined;
  return { path: real, bytes: info.bytes };
}

/** A file that is not there, or not for us, is nothing special; other failures are. */
async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    const isExpected = error instanceof OperationError &&
      (error.code === "not-found" || error.code === "permission-denied" ||
        error.code === "file-failed");
    if (isExpected) return undefined;
    throw error;
  }
}

/** What is answered to any method but reading. */
export function methodNotAllowed(): HttpResponse {
  return textResponse(405, "Invalid HTTP Method\n", { Allow: "GET, HEAD" });
}

/** What stands for everything that we do not have. */
export function notFound(): HttpResponse {
  return textResponse(404, "Not found.");
}

const TYPES: Readonly<Record<string, string>> = Object.freeze({
  css: "text/css; charset=utf-8",
  gif: "image/gif",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  map: "application/json",
  md: "text/plain; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  webp: "image/webp",
  woff: "font/woff",
  woff2: "font/woff2",
  xml: "application/xml",
});

function contentType(path: string): string {
  const extension = /\.([a-z\d]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(TYPES, extension) ? TYPES[extension]! : "application/octet-stream";
}
