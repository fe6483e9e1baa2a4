/**
 * Sealing notes to a device: HPKE base mode, X25519-HKDF-SHA256, AES-128-GCM (RFC 9180).
 *
 * A sealed note is the encapsulated key followed by the ciphertext, in base64url.
 * Private keys cannot be exported from this browser.
 */

import {
  type Note,
  fromBase64Url,
  packNote,
  toBase64Url,
  toHex,
  unpackNote,
} from "../rules/note.ts";

const INFO = new TextEncoder().encode("amana/sealed-note/1");
const ENCAPSULATED_BYTES = 32;
const SALT_BYTES = 16;

export interface NoteKey {
  readonly publicKey: string;
  readonly privateKey: CryptoKey;
}

// Loaded when first needed: most page loads seal nothing.
async function suite() {
  const hpke = await import("hpke");
  return new hpke.CipherSuite<CryptoKey>(
    hpke.KEM_DHKEM_X25519_HKDF_SHA256,
    hpke.KDF_HKDF_SHA256,
    hpke.AEAD_AES_128_GCM,
  );
}

export async function newNoteKey(): Promise<NoteKey> {
  const pair = (await crypto.subtle.generateKey({ name: "X25519" }, false, [
    "deriveBits",
  ])) as CryptoKeyPair;
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { publicKey: toBase64Url(raw), privateKey: pair.privateKey };
}

export async function sealNote(publicKey: string, note: Note): Promise<string | null> {
  const raw = fromBase64Url(publicKey);
  if (raw?.length !== ENCAPSULATED_BYTES) return null;
  const key = await crypto.subtle.importKey("raw", raw, { name: "X25519" }, true, []);
  const sealed = await (await suite()).Seal(key, packNote(note), { info: INFO });
  const whole = new Uint8Array(sealed.encapsulatedSecret.length + sealed.ciphertext.length);
  whole.set(sealed.encapsulatedSecret);
  whole.set(sealed.ciphertext, sealed.encapsulatedSecret.length);
  return toBase64Url(whole);
}

/** Null when the note was not sealed to this key, or was changed on its way. */
export async function openNote(key: NoteKey, sealed: string): Promise<Note | null> {
  const whole = fromBase64Url(sealed);
  const raw = fromBase64Url(key.publicKey);
  if (raw === null || whole === null || whole.length <= ENCAPSULATED_BYTES) return null;
  try {
    const publicKey = await crypto.subtle.importKey("raw", raw, { name: "X25519" }, true, []);
    const opened = await (
      await suite()
    ).Open(
      { publicKey, privateKey: key.privateKey },
      whole.slice(0, ENCAPSULATED_BYTES),
      whole.slice(ENCAPSULATED_BYTES),
      { info: INFO },
    );
    return unpackNote(opened);
  } catch {
    return null;
  }
}

/** The note with a fresh salt, and the hash that goes with the order in the open. */
export async function saltedNote(text: string): Promise<{ note: Note; hash: string }> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const words = new TextEncoder().encode(text);
  const salted = new Uint8Array(SALT_BYTES + words.length);
  salted.set(salt);
  salted.set(words, SALT_BYTES);
  const digest = await crypto.subtle.digest("SHA-256", salted);
  return { note: { text, salt: toBase64Url(salt) }, hash: toHex(new Uint8Array(digest)) };
}
