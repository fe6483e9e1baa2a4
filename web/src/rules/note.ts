/** What is sealed from one device to another, before sealing and after opening. */

import { type Check, object, optional, reading, text } from "../wire/check.ts";

export interface Note {
  readonly text: string;
  /** Blinds the order's hash, so that a short list of goods cannot be found by trying. */
  readonly salt: string | null;
}

export const NOTE_LENGTH_MAX = 400;

/** Notes are filled up with blanks to whole blocks, so that their length tells little. */
const BLOCK = 256;

const noteShape: Check<Note> = object({ text, salt: optional(text) });

export function packNote(note: Note): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(JSON.stringify(note));
  const packed = new Uint8Array(Math.ceil(bytes.length / BLOCK) * BLOCK).fill(0x20);
  packed.set(bytes);
  return packed;
}

export function unpackNote(bytes: Uint8Array): Note | null {
  try {
    const decoded = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const read = reading(noteShape, JSON.parse(decoded));
    return read.ok ? read.value : null;
  } catch {
    return null;
  }
}

export function toBase64Url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function fromBase64Url(encoded: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9_-]*$/.test(encoded) || encoded.length % 4 === 1) return null;
  const binary = atob(encoded.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
