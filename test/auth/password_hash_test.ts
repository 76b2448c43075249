// Hashes of passwords: those of other programs verified, our own read back, everything else refused.

import { assertEquals, assertNotEquals } from "@std/assert";
import { test } from "../harness.ts";
import { encodeBase64 } from "../../src/auth/base64.ts";
import { type Argon2id, NEW_HASHES, PasswordHash } from "../../src/auth/password_hash.ts";
import { runtime } from "../support/current_runtime.ts";
import { ARGON2ID_OF_PASSWORD, PBKDF2_OF_SECRET, SHA512_OF_SECRET } from "./hashes.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Stands in for Argon2id where only its place in the machinery matters. */
const toyArgon2id: Argon2id = (password, { salt, length }) =>
  Promise.resolve(Uint8Array.from({ length }, (_, i) => salt[i % salt.length]! + password[0]!));

function verify(text: string, password: string): Promise<boolean> | undefined {
  return PasswordHash.parse(text)?.verify(bytes(password), toyArgon2id);
}

test("PasswordHash.verify() knows passwords by $6$ and $7$ hashes with old and new salts", async () => {
  for (const text of [SHA512_OF_SECRET, ...PBKDF2_OF_SECRET]) {
    assertEquals(await verify(text, "secret"), true);
    assertEquals(await verify(text, "secret "), false);
    assertEquals(await verify(text, "Secret"), false);
  }
});

test("PasswordHash.verify() knows a password by an Argon2id line of another program", async () => {
  const { argon2id } = await runtime.host();
  const hash = PasswordHash.parse(ARGON2ID_OF_PASSWORD)!;
  assertEquals(await hash.verify(bytes("password"), argon2id), true);
  assertEquals(await hash.verify(bytes("Password"), argon2id), false);
});

test("PasswordHash.verify() takes a password to end at its first zero", async () => {
  assertEquals(await verify(PBKDF2_OF_SECRET[0]!, "secret\0and more"), true);
  assertEquals(await verify(PBKDF2_OF_SECRET[0]!, "\0secret"), false);
});

test("PasswordHash.parse() reads what format() writes, for every kind", async () => {
  for (const parameters of Object.values(NEW_HASHES)) {
    const made = await PasswordHash.make(bytes("p"), parameters, toyArgon2id);
    const text = made.format();
    const read = PasswordHash.parse(text)!;
    assertEquals(read.format(), text);
    assertEquals(read.parameters, parameters);
    assertEquals(await read.verify(bytes("p"), toyArgon2id), true);
    assertEquals(await read.verify(bytes("q"), toyArgon2id), false);
  }
});

test("PasswordHash.make() has a new salt of 64 bytes each time", async () => {
  const parameters = NEW_HASHES["sha512-pbkdf2"];
  const make = async (): Promise<string[]> =>
    (await PasswordHash.make(bytes("p"), parameters, toyArgon2id)).format().split("$");
  const [one, two] = [await make(), await make()];
  assertNotEquals(one[3], two[3]);
  assertEquals([one[1], one[2], atob(one[3]!).length, atob(one[4]!).length], ["7", "1000", 64, 64]);
});

test("PasswordHash.unmatchable() is no password's hash, and of the kind that was asked for", async () => {
  const hash = PasswordHash.unmatchable(NEW_HASHES["sha512"]);
  assertEquals(await hash.verify(bytes("p"), toyArgon2id), false);
  assertEquals(hash.parameters, { algorithm: "sha512" });
});

test("PasswordHash.parse() refuses everything that is not exactly a hash [B-51]", () => {
  const ofBytes = (count: number): string => encodeBase64(new Uint8Array(count));
  const [salt, hash] = [ofBytes(12), ofBytes(64)];
  const argon = (costs: string, ends = "AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA"): string =>
    `$argon2id$v=19$${costs}$${ends}`;
  const texts = [
    "",
    "secret",
    "$",
    "$6$",
    `$5$${salt}$${hash}`,
    `$8$${salt}$${hash}`,
    `6$${salt}$${hash}`,
    `x$6$${salt}$${hash}`,
    `$6$${salt}$${hash}$`,
    `$6$${salt}`,
    `$6$$${hash}`,
    `$6$${salt}$`,
    `$6$${ofBytes(13)}$${hash}`,
    `$6$${salt}$${ofBytes(63)}`,
    `$6$${salt}$${ofBytes(65)}`,
    `$6$${salt}$${hash.slice(0, -2)}`,
    `$6$${salt}$ ${hash}`,
    `$7$${salt}$${hash}`,
    `$7$0$${salt}$${hash}`,
    `$7$-1$${salt}$${hash}`,
    `$7$1e3$${salt}$${hash}`,
    `$7$0x10$${salt}$${hash}`,
    `$7$4294967296$${salt}$${hash}`,
    `$7$99999999999999999999$${salt}$${hash}`,
    `$2b$12$${salt}$${hash}`,
    argon("m=64,t=1,p=0"),
    argon("m=64,t=0,p=1"),
    argon("m=7,t=1,p=1"),
    argon("m=1048577,t=1,p=1"),
    argon("t=1,m=64,p=1"),
    argon("m=64,t=1,p=1,keyid=1"),
    argon("m=64,t=1,p=1", "AAAA$AAAAAAAAAAAAAAAAAAAAAAAA"),
    argon("m=64,t=1,p=1", "AAAAAAAAAAAAAAAA$AAAA"),
    argon("m=64,t=1,p=1").replace("v=19", "v=16"),
    argon("m=64,t=1,p=1").replace("argon2id", "argon2i"),
  ];
  const accepted = texts.filter((text) => PasswordHash.parse(text) !== undefined);
  assertEquals(accepted, []);
  assertEquals(PasswordHash.parse(argon("m=64,t=1,p=1"))?.parameters, {
    algorithm: "argon2id",
    passes: 1,
    memoryKib: 64,
    lanes: 1,
  });
});

test("PasswordHash shows neither salt nor result when it is printed or serialised [B-59]", () => {
  const hash = PasswordHash.parse(SHA512_OF_SECRET)!;
  assertEquals(JSON.stringify({ hash }), '{"hash":{"parameters":{"algorithm":"sha512"}}}');
  assertEquals(`${hash}`, "[object Object]");
  assertEquals(Object.keys(hash), ["parameters"]);
});
