/**
 * A text as a sequence of codes, and back (NUT-16): `ur:bytes`, the text's bytes as one CBOR string.
 *
 * A part is a CBOR array: its number, how many fragments there are, the message's length and
 * checksum, and its bytes.
 */

import { crc32, fromBytewords, toBytewords } from "./bytewords.ts";
import { fragmentsOf } from "./mixing.ts";

/** In a code of this many bytes a module is still large enough for a telephone's camera. */
const FRAGMENT_BYTES = 200;
/** Parts beyond the plain ones: whoever missed one gets on with the next of these. */
const PARTS_A_FRAGMENT = 3;
const OPENING = "ur:bytes/";
const MESSAGE_BYTES_MAX = 65_536;
const FRAGMENTS_MAX = 512;

const [COUNT, BYTES, ARRAY_OF_FIVE] = [0x00, 0x40, 0x85];

export interface Part {
  readonly number: number;
  readonly count: number;
  readonly length: number;
  readonly checksum: number;
  readonly bytes: Uint8Array;
}

/** The codes for a text, to be shown one after the other and over again; in capitals, as QR likes. */
export async function codesFor(text: string, most = FRAGMENT_BYTES): Promise<readonly string[]> {
  const message = cborString(new TextEncoder().encode(text));
  const size = Math.ceil(message.length / Math.ceil(message.length / most));
  const count = Math.ceil(message.length / size);
  if (count === 1) return [(OPENING + toBytewords(message)).toUpperCase()];
  const parts = Array.from({ length: count * PARTS_A_FRAGMENT }, (_, at) =>
    partOf(message, at + 1, count),
  );
  return (await Promise.all(parts)).map((part) => {
    const body = toBytewords(writePart(part));
    return `${OPENING}${part.number}-${count}/${body}`.toUpperCase();
  });
}

/** One part of a message, by its number, which is at least 1. */
export async function partOf(message: Uint8Array, number: number, count: number): Promise<Part> {
  const size = Math.ceil(message.length / count);
  const checksum = crc32(message);
  const bytes = new Uint8Array(size);
  for (const at of await fragmentsOf(number, count, checksum)) {
    lay(bytes, message.subarray(at * size, (at + 1) * size));
  }
  return { number, count, length: message.length, checksum, bytes };
}

/** Lays one over the other: what is laid twice is gone. */
export function lay(under: Uint8Array, over: Uint8Array): void {
  over.forEach((byte, at) => (under[at] = (under[at] ?? 0) ^ byte));
}

export type Read =
  | { readonly kind: "whole"; readonly message: Uint8Array }
  | { readonly kind: "part"; readonly part: Part };

/** What a code is, or null where it is none of these, or damaged. */
export function readCode(code: string): Read | null {
  const text = code.trim().toLowerCase();
  if (!text.startsWith(OPENING)) return null;
  const [first = "", second] = text.slice(OPENING.length).split("/");
  const body = fromBytewords(second ?? first);
  if (body === null) return null;
  if (second === undefined) return { kind: "whole", message: body };
  const part = readPart(body);
  return part === null || first !== `${part.number}-${part.count}` ? null : { kind: "part", part };
}

/** The text in a message; null where the message is no CBOR string of bytes of a text. */
export function textIn(message: Uint8Array): string | null {
  const head = headAt(message, 0);
  if (head?.kind !== BYTES || head.end + head.value !== message.length) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(message.subarray(head.end));
  } catch {
    return null;
  }
}

export function writePart({ number, count, length, checksum, bytes }: Part): Uint8Array {
  const numbers = [number, count, length, checksum].flatMap((one) => headFor(COUNT, one));
  return Uint8Array.from([ARRAY_OF_FIVE, ...numbers, ...cborString(bytes)]);
}

export function readPart(body: Uint8Array): Part | null {
  if (body[0] !== ARRAY_OF_FIVE) return null;
  const found: number[] = [];
  let at = 1;
  for (const kind of [COUNT, COUNT, COUNT, COUNT, BYTES]) {
    const head = headAt(body, at);
    if (head?.kind !== kind) return null;
    found.push(head.value);
    at = head.end;
  }
  const [number = 0, count = 0, length = 0, checksum = 0, size = 0] = found;
  const isGood =
    at + size === body.length &&
    number >= 1 &&
    count >= 1 &&
    count <= FRAGMENTS_MAX &&
    length <= MESSAGE_BYTES_MAX &&
    Math.ceil(length / count) === size;
  return isGood ? { number, count, length, checksum, bytes: body.subarray(at) } : null;
}

function cborString(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([...headFor(BYTES, bytes.length), ...bytes]);
}

/** What stands before each item (RFC 8949, 3): its kind, and a number in as few bytes as can be. */
function headFor(kind: number, value: number): readonly number[] {
  if (value < 24) return [kind | value];
  const [size, mark] = value < 0x100 ? [1, 24] : value < 0x10000 ? [2, 25] : [4, 26];
  const bytes = Array.from({ length: size }, (_, at) => (value >>> (8 * (size - 1 - at))) & 255);
  return [kind | mark, ...bytes];
}

interface Head {
  readonly kind: number;
  readonly value: number;
  readonly end: number;
}

function headAt(bytes: Uint8Array, at: number): Head | null {
  const first = bytes[at];
  if (first === undefined) return null;
  const [kind, low] = [first & 0xe0, first & 0x1f];
  if (low < 24) return { kind, value: low, end: at + 1 };
  const size = low === 24 ? 1 : low === 25 ? 2 : low === 26 ? 4 : 0;
  const end = at + 1 + size;
  if (size === 0 || end > bytes.length) return null;
  const value = bytes.subarray(at + 1, end).reduce((sum, byte) => sum * 256 + byte, 0);
  return { kind, value, end };
}
