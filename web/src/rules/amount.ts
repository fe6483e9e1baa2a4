/** What a person types as an amount, and what a till's keypad builds. */

import { type Money, exponentOf } from "./money.ts";

export type AmountFault = "empty" | "not-a-number" | "too-many-decimals" | "too-large" | "zero";

export type AmountReading =
  | { readonly ok: true; readonly amount: Money }
  | { readonly ok: false; readonly fault: AmountFault };

/** Larger than any limit and far below the books' 2^63. */
const DIGITS_MAX = 12;

const ARABIC_INDIC = /[\u0660-\u0669]/g;
const PERSIAN = /[\u06f0-\u06f9]/g;
// Marks of direction that a phone's Arabic keyboard puts around numbers, and blanks.
const INVISIBLE = /[\s\u00a0\u200e\u200f\u061c\u2066-\u2069]/g;

function westernDigits(text: string): string {
  return text
    .replace(ARABIC_INDIC, (digit) => String(digit.charCodeAt(0) - 0x0660))
    .replace(PERSIAN, (digit) => String(digit.charCodeAt(0) - 0x06f0));
}

/**
 * Reads "12", "12.5", "12,50", "١٢٫٥٠". One separator at most and it is the decimal one:
 * "1,234.50" is refused rather than guessed at.
 */
export function readAmount(typed: string, currency: string): AmountReading {
  const plain = westernDigits(typed)
    .replace(INVISIBLE, "")
    .replace(/[,\u066b]/g, ".");
  if (plain === "") return { ok: false, fault: "empty" };
  const match = /^(\d*)(?:\.(\d*))?$/.exec(plain);
  if (match === null || plain === ".") return { ok: false, fault: "not-a-number" };
  const exponent = exponentOf(currency);
  const whole = (match[1] ?? "").replace(/^0+(?=\d)/, "");
  const part = match[2] ?? "";
  if (part.length > exponent) return { ok: false, fault: "too-many-decimals" };
  if (whole.length + exponent > DIGITS_MAX) return { ok: false, fault: "too-large" };
  const minor = BigInt(`${whole}${part.padEnd(exponent, "0")}` || "0");
  return minor === 0n ? { ok: false, fault: "zero" } : { ok: true, amount: { currency, minor } };
}

export type Key =
  "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "00" | "back" | "clear";

const KEYPAD_DIGITS_MAX = 9;

/** A till's keypad fills from the right, as merchants know it: 1, 2, 5, 0 is 12.50. */
export function pressKey(minor: bigint, key: Key): bigint {
  if (key === "clear") return 0n;
  if (key === "back") return minor / 10n;
  const next = BigInt(`${minor}${key}`);
  return next.toString().length > KEYPAD_DIGITS_MAX ? minor : next;
}

/** The keypad's key for a key of the keyboard; null for those that mean nothing to it. */
export function keyFor(pressed: string): Key | null {
  const digit = westernDigits(pressed);
  if (/^\d$/.test(digit)) return digit as Key;
  if (pressed === "Backspace") return "back";
  if (pressed === "Delete" || pressed === "Escape") return "clear";
  return null;
}

/**
 * A tip of so many tenths of a per cent, rounded down to the minor unit.
 *
 * The percentage comes as decimal text ("12.5") so that it stays exact.
 */
export function tipOf(amount: Money, percent: string): Money {
  const match = /^(\d{1,3})(?:\.(\d{1,2}))?$/.exec(percent);
  if (match === null) return { currency: amount.currency, minor: 0n };
  const hundredths = BigInt(`${match[1] ?? "0"}${(match[2] ?? "").padEnd(2, "0")}`);
  return { currency: amount.currency, minor: (amount.minor * hundredths) / 10_000n };
}
