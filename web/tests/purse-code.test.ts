import assert from "node:assert/strict";
import { test } from "node:test";
import { ownCodeFrom } from "../src/rules/code.ts";

const tlv = (tag: string, value: string): string =>
  `${tag}${[...value].length.toString().padStart(2, "0")}${value}`;

/** CRC-16/CCITT-FALSE by a table of nothing: bit by bit over each byte, as the format has it. */
function closed(body: string): string {
  const opened = `${body}6304`;
  let crc = 0xffff;
  for (const byte of Buffer.from(opened)) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      const carry = ((crc >> 15) ^ (byte >> bit)) & 1;
      crc = ((crc << 1) & 0xffff) ^ (carry * 0x1021);
    }
  }
  return opened + crc.toString(16).toUpperCase().padStart(4, "0");
}

const ours = (more: string, operator = "pay.example"): string =>
  tlv("00", "org.amana") + tlv("01", operator) + tlv("02", "corner-bakery") + more;
const code = (templates: string): string =>
  closed(
    tlv("00", "01") +
      templates +
      tlv("52", "0000") +
      tlv("53", "978") +
      tlv("58", "DE") +
      tlv("59", "مخبز الزاوية") +
      tlv("60", "Berlin"),
  );
const BARE = "01m82v77cztpca7q1bg94hn580";

test("a published code is known by its checksum, and is not ours", () => {
  const published =
    "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***63041D3D";
  assert.equal(closed(published.slice(0, -8)), published);
  assert.equal(ownCodeFrom(published, "pay.example"), null);
});

test("an order of this operator is read on the device", () => {
  const found = ownCodeFrom(code(tlv("26", ours(tlv("03", BARE)))), "pay.example");
  assert.deepEqual(found, { payee: "corner-bakery", order: `ord_${BARE}`, listHash: null });
});

test("a code that is printed once names no order", () => {
  assert.equal(ownCodeFrom(code(tlv("26", ours(""))), "pay.example")?.order, null);
});

test("the hash of the mint's list is read beside it", () => {
  const hash = "ab".repeat(16);
  const written = Buffer.from(hash, "hex").toString("base64url");
  const lists = tlv("99", tlv("00", "org.amana.keys") + tlv("01", written));
  const found = ownCodeFrom(code(tlv("26", ours(tlv("03", BARE))) + lists), "pay.example");
  assert.equal(found?.listHash, hash);
  const torn = tlv("99", tlv("00", "org.amana.keys") + tlv("01", "???"));
  const read = ownCodeFrom(code(tlv("26", ours(tlv("03", BARE))) + torn), "pay.example");
  assert.equal(read?.listHash, "");
});

test("another operator's order, a damaged code and any other text are left to others", () => {
  const good = code(tlv("26", ours(tlv("03", BARE))));
  assert.equal(ownCodeFrom(good, "other.example"), null);
  assert.equal(ownCodeFrom(good.replace("Berlin", "Berlim"), "pay.example"), null);
  for (const text of ["", "lina", "000201", "x".repeat(600), `${good}x`]) {
    assert.equal(ownCodeFrom(text, "pay.example"), null, text);
  }
});
