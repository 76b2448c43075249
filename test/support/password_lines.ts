// Lines of password files: as Debian's mosquitto_passwd writes them, and made here.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { ForeignProcess } from "./foreign_process.ts";

/** A line by PBKDF2; few iterations, because most tests are not about them. */
export function passwordLine(
  username: string,
  password: string,
  { iterations = 10, saltBytes = 64 } = {},
): string {
  const salt = randomBytes(saltBytes);
  const hash = pbkdf2Sync(password, salt, iterations, 64, "sha512");
  return `${username}:$7$${iterations}$${salt.toString("base64")}$${hash.toString("base64")}`;
}

/** A whole file: each user's password. */
export function passwordFile(passwords: Readonly<Record<string, string>>): string {
  return Object.entries(passwords).map(([name, word]) => `${passwordLine(name, word)}\n`).join("");
}

/** The file that mosquitto_passwd makes of one user. */
export async function foreignPasswordFile(
  options: readonly string[],
  username: string,
  password: string,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "midge-passwd-"));
  try {
    const path = join(folder, "passwd");
    const words = [...options, "-c", "-b", path, username, password];
    const { code, stderr } = await new ForeignProcess("mosquitto_passwd", words).ended;
    if (code !== 0) throw new Error(`mosquitto_passwd ended with ${code}: ${stderr}`);
    return await readFile(path, "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}
