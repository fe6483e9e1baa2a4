/**
 * Reading a payment code on the device itself, so that nobody is told which order is looked at.
 *
 * Only as much of the EMVCo format as a payment from the purse needs; every other code goes to the
 * operator's reader, which knows the schemes of others.
 */

import { fromBase64Url, toHex } from "./note.ts";

/** One of our own codes: whom it names, and the order if it is for one. */
export interface OwnCode {
  readonly payee: string;
  /** The order's id as text; null in a code that is printed once and paid often. */
  readonly order: string | null;
  /** The hash of the mint's list of keysets that the code was made with, in hexadecimal. */
  readonly listHash: string | null;
}

const OURS = "org.amana";
const LISTS = "org.amana.keys";
const CODE_LENGTH_MAX = 512;
const TEMPLATE_TAG_MIN = 26;
const TEMPLATE_TAG_MAX = 99;
const CHECKSUM_OPENING = "6304";

/** The code's own part for this operator, or null where it is damaged, foreign, or not for here. */
export function ownCodeFrom(text: string, operator: string): OwnCode | null {
  const code = text.trim();
  if (code.length > CODE_LENGTH_MAX || !hasItsChecksum(code)) return null;
  const objects = objectsIn(code);
  if (objects === null) return null;
  const templates = [...objects]
    .filter(([tag]) => Number(tag) >= TEMPLATE_TAG_MIN && Number(tag) <= TEMPLATE_TAG_MAX)
    .map(([, value]) => objectsIn(value) ?? new Map<string, string>());
  const ours = templates.find((one) => one.get("00") === OURS && one.get("01") === operator);
  const payee = ours?.get("02");
  if (ours === undefined || payee === undefined) return null;
  const order = ours.get("03");
  return {
    payee,
    order: order === undefined ? null : `ord_${order}`,
    listHash: hashFrom(templates.find((one) => one.get("00") === LISTS)?.get("01")),
  };
}

/** In hexadecimal; one that cannot be read agrees with no list. */
function hashFrom(text: string | undefined): string | null {
  return text === undefined ? null : toHex(fromBase64Url(text) ?? new Uint8Array());
}

/** Tags and values; a length counts characters, not halves of them. Null where it does not fit. */
function objectsIn(text: string): Map<string, string> | null {
  const characters = [...text];
  const objects = new Map<string, string>();
  let place = 0;
  while (place < characters.length) {
    const head = characters.slice(place, place + 4).join("");
    if (!/^\d{4}$/.test(head)) return null;
    const [tag, end] = [head.slice(0, 2), place + 4 + Number(head.slice(2))];
    if (end > characters.length || objects.has(tag)) return null;
    objects.set(tag, characters.slice(place + 4, end).join(""));
    place = end;
  }
  return objects;
}

/** CRC-16 with polynomial 1021 and initial value FFFF, over everything before its own digits. */
function hasItsChecksum(code: string): boolean {
  const [body, stated] = [code.slice(0, -4), code.slice(-4)];
  if (!body.endsWith(CHECKSUM_OPENING) || !/^[0-9A-Fa-f]{4}$/.test(stated)) return false;
  let crc = 0xffff;
  for (const byte of new TextEncoder().encode(body)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    }
    crc &= 0xffff;
  }
  return crc === Number.parseInt(stated, 16);
}
