import assert from "node:assert/strict";
import { test } from "node:test";
import { keyFor, pressKey, readAmount, tipOf } from "../src/rules/amount.ts";
import { decimalText, formatMoney, moneyParts, sum } from "../src/rules/money.ts";

const eur = (minor: bigint) => ({ currency: "EUR", minor });

test("an amount beyond the exact range of numbers is shown to the last unit", () => {
  assert.equal(formatMoney(eur(9_007_199_254_740_993_123n), "en-GB"), "€90,071,992,547,409,931.23");
});

test("the currency decides how many digits stand after the point", () => {
  assert.equal(decimalText({ currency: "JPY", minor: 1250n }), "1250");
  assert.equal(decimalText({ currency: "KWD", minor: 5n }), "0.005");
  assert.equal(decimalText({ currency: "IQD", minor: 1250n }), "1.250");
  assert.equal(decimalText(eur(-5n)), "-0.05");
});

test("a reader of Arabic in Egypt sees Arabic digits", () => {
  assert.match(formatMoney(eur(1250n), "ar-EG"), /١٢٫٥٠/);
});

test("what came in carries its sign, and nothing carries none", () => {
  assert.equal(formatMoney(eur(300n), "en-GB", "plus"), "+€3.00");
  assert.equal(formatMoney(eur(0n), "en-GB", "plus"), "€0.00");
});

test("the parts of an amount put together are the amount", () => {
  for (const locale of ["en-GB", "ar", "ar-EG", "de"]) {
    const parts = moneyParts(eur(123_456n), locale);
    assert.equal(parts.map((part) => part.text).join(""), formatMoney(eur(123_456n), locale));
  }
});

test("amounts of two currencies are not added", () => {
  assert.throws(() => sum("EUR", [eur(1n), { currency: "GBP", minor: 1n }]), RangeError);
  assert.deepEqual(sum("EUR", [eur(1n), eur(2n)]), eur(3n));
});

test("a typed amount is read exactly, with either separator and in either set of digits", () => {
  const rows: readonly (readonly [string, bigint])[] = [
    ["12", 1200n],
    ["12.5", 1250n],
    ["12,50", 1250n],
    [" 0012.05 ", 1205n],
    [".5", 50n],
    ["7.", 700n],
    ["١٢٫٥٠", 1250n],
    ["۱۲٫۵", 1250n],
    ["\u200f12.50\u200e", 1250n],
  ];
  for (const [typed, minor] of rows) {
    assert.deepEqual(readAmount(typed, "EUR"), { ok: true, amount: eur(minor) }, typed);
  }
});

test("what is no amount is refused with its reason, never guessed at", () => {
  const rows = [
    ["", "empty"],
    ["  ", "empty"],
    [".", "not-a-number"],
    ["1,234.50", "not-a-number"],
    ["12e3", "not-a-number"],
    ["-5", "not-a-number"],
    ["1.234", "too-many-decimals"],
    ["0", "zero"],
    ["0.00", "zero"],
    ["99999999999", "too-large"],
  ] as const;
  for (const [typed, fault] of rows) {
    assert.deepEqual(readAmount(typed, "EUR"), { ok: false, fault }, typed);
  }
  assert.deepEqual(readAmount("1.5", "JPY"), { ok: false, fault: "too-many-decimals" });
});

test("the keypad fills from the right and stops before an absurd sum", () => {
  const typed = (["1", "2", "5", "0"] as const).reduce(pressKey, 0n);
  assert.equal(typed, 1250n);
  assert.equal(pressKey(typed, "back"), 125n);
  assert.equal(pressKey(typed, "00"), 125_000n);
  assert.equal(pressKey(typed, "clear"), 0n);
  assert.equal(pressKey(0n, "00"), 0n);
  assert.equal(pressKey(999_999_999n, "9"), 999_999_999n);
  assert.equal(pressKey(99_999_999n, "00"), 99_999_999n);
});

test("the keyboard is a keypad too, in Arabic digits as well", () => {
  assert.equal(keyFor("7"), "7");
  assert.equal(keyFor("٧"), "7");
  assert.equal(keyFor("Backspace"), "back");
  assert.equal(keyFor("Escape"), "clear");
  assert.equal(keyFor("a"), null);
  assert.equal(keyFor("F1"), null);
});

test("a tip in per cent is rounded down to the minor unit", () => {
  assert.deepEqual(tipOf(eur(1250n), "5"), eur(62n));
  assert.deepEqual(tipOf(eur(1250n), "12.5"), eur(156n));
  assert.deepEqual(tipOf(eur(1250n), "0.08"), eur(1n));
  assert.deepEqual(tipOf(eur(1250n), "ten"), eur(0n));
});
