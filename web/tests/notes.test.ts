import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { newNoteKey, openNote, saltedNote, sealNote } from "../src/device/seal.ts";
import {
  NOTE_LENGTH_MAX,
  fromBase64Url,
  packNote,
  toBase64Url,
  unpackNote,
} from "../src/rules/note.ts";

test("a sealed note opens on the device it was sealed to", async () => {
  const key = await newNoteKey();
  const sealed = await sealNote(key.publicKey, { text: "قهوة · 2 flat whites ☕", salt: "abc" });
  assert.ok(sealed !== null);
  assert.deepEqual(await openNote(key, sealed), { text: "قهوة · 2 flat whites ☕", salt: "abc" });
});

test("another device, or a changed note, opens nothing", async () => {
  const [key, other] = [await newNoteKey(), await newNoteKey()];
  const sealed = await sealNote(key.publicKey, { text: "cake", salt: null });
  assert.ok(sealed !== null);
  assert.equal(await openNote(other, sealed), null);
  const changed = `${sealed.slice(0, -4)}${sealed.endsWith("AAAA") ? "BBBB" : "AAAA"}`;
  assert.equal(await openNote(key, changed), null);
  assert.equal(await openNote(key, "not base64url!"), null);
});

test("the private half cannot leave the device", async () => {
  const key = await newNoteKey();
  await assert.rejects(crypto.subtle.exportKey("pkcs8", key.privateKey));
});

test("a key that is none seals nothing", async () => {
  assert.equal(await sealNote("c2hvcnQ", { text: "x", salt: null }), null);
});

test("the longest note fits what the operator relays, and short notes look alike", async () => {
  const key = await newNoteKey();
  const seal = async (text: string) =>
    (await sealNote(key.publicKey, { text, salt: null }))?.length;
  assert.ok(((await seal("\u0001".repeat(NOTE_LENGTH_MAX))) ?? Infinity) <= 4096);
  assert.equal(await seal("tea"), await seal("two teas and a slice of date cake"));
});

test("the hash of an order is of salt and text, and shows the text to nobody without the salt", async () => {
  const { note, hash } = await saltedNote("cake");
  const salt = fromBase64Url(note.salt ?? "");
  assert.ok(salt !== null);
  assert.equal(hash, createHash("sha256").update(salt).update("cake").digest("hex"));
  assert.notEqual((await saltedNote("cake")).hash, hash);
});

test("a note survives packing, and garbage unpacks to nothing", () => {
  assert.deepEqual(unpackNote(packNote({ text: "x", salt: null })), { text: "x", salt: null });
  assert.equal(unpackNote(new Uint8Array([0xff, 0xfe])), null);
  assert.equal(unpackNote(new TextEncoder().encode('{"text":5}')), null);
});

test("base64url has one reading", () => {
  for (let length = 0; length < 70; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 37 + length) % 256);
    assert.deepEqual(fromBase64Url(toBase64Url(bytes)), bytes);
  }
  assert.equal(fromBase64Url("a"), null);
  assert.equal(fromBase64Url("a+b="), null);
});
