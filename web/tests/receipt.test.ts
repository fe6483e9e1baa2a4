import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Receipt } from "../src/purse/model.ts";
import { orderOf, receiptFile, tipOf } from "../src/purse/receipt-file.ts";
import { verdictOf } from "../src/purse/verifying.ts";
import { POLICY } from "../src/rules/purse/policy.ts";
import { isSigned, receiptFrom } from "../src/rules/receipt.ts";
import { Device } from "./purse-device.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../tests/golden/receipt.json", import.meta.url), "utf8"),
) as { public_key: string; receipt: object; false_receipts: object[] };

async function isTrue(receipt: object, key = golden.public_key): Promise<boolean> {
  const members = receiptFrom(JSON.stringify(receipt));
  return members !== null && isSigned(members, key);
}

test("the published receipt is what its merchant's key has signed", async () => {
  assert.equal(await isTrue(golden.receipt), true);
});

test("the order in which a receipt's members come does not matter", async () => {
  const turned = Object.fromEntries(Object.entries(golden.receipt).toReversed());
  assert.equal(await isTrue(turned), true);
});

test("every published false receipt is found to be false", async () => {
  assert.ok(golden.false_receipts.length > 0);
  for (const receipt of golden.false_receipts) {
    assert.equal(await isTrue(receipt), false, JSON.stringify(receipt));
  }
});

test("another key proves nothing, nor does one that is none", async () => {
  for (const key of ["A".repeat(43), "", "3S0K", "!"]) {
    assert.equal(await isTrue(golden.receipt, key), false, key);
  }
});

test("what is no receipt is none", () => {
  for (const text of ["", "[]", "null", "7", '{"type":"amana-receipt-v1"}']) {
    assert.equal(receiptFrom(text), null, text);
  }
});

const PAID: Receipt = {
  id: "1",
  method: "amana-merchant",
  quote: "q",
  request: "r",
  amount: 1_300,
  unit: "eur",
  payee: null,
  paidAt: 1_900_000_000,
  refundKey: null,
  signed: JSON.stringify(golden.receipt),
  missing: 0,
};

test("a receipt of another payment is false here, whoever signed it", async () => {
  const keys = { "rose-bakery": golden.public_key };
  assert.equal(await verdictOf(PAID, keys), "false");
  assert.equal(await verdictOf(PAID, {}), "unknown");
  assert.equal(await verdictOf({ ...PAID, signed: null }, keys), "none");
  assert.equal(await verdictOf({ ...PAID, signed: "{}" }, keys), "false");
});

test("what of a payment was a tip is read from its receipt", () => {
  const withTip = (tip: string) => ({
    ...PAID,
    signed: JSON.stringify({ ...golden.receipt, tip }),
  });
  assert.deepEqual(["125", "0", "", "-1", "much"].map(withTip).map(tipOf), [125, 0, 0, 0, 0]);
  assert.equal(tipOf({ ...PAID, signed: null }), 0);
});

test("merchants' keys are asked for in an idle opening, once, and for all that were met", async () => {
  const device = new Device();
  const asked: string[] = [];
  device.askReceiptKey = async (handle) => {
    asked.push(handle);
    return golden.public_key;
  };
  const purse = await device.filled();
  await device.vault.save(await device.state(), PAID);
  const other = { ...golden.receipt, merchant: "souk" };
  await device.vault.save(await device.state(), {
    ...PAID,
    id: "2",
    signed: JSON.stringify(other),
  });
  const idle = {
    openSince: device.now - POLICY.refill.idle_seconds,
    paying: false,
    isAsked: false,
  };
  await purse.tend({ ...idle, openSince: device.now });
  await purse.tend({ ...idle, paying: true });
  assert.deepEqual(asked, []);
  await purse.tend(idle);
  await purse.tend(idle);
  assert.deepEqual(asked, ["rose-bakery", "souk"]);
  assert.deepEqual(await purse.verdicts(), { "1": "false", "2": "false" });
});

test("a saved receipt is proven by whoever reads it, and holds the key only where it is asked for", async () => {
  const paid = {
    ...PAID,
    payee: { name: "Rose", names: { ar: "وردة" } },
    refundKey: "5c".repeat(32),
  };
  const { name, text } = receiptFile(paid, false);
  const read = JSON.parse(text) as Readonly<Record<string, unknown>>;
  assert.equal(name, "receipt-ord_00000000000000000000000c00.json");
  assert.equal(await isTrue(read["receipt"] as object), true);
  assert.deepEqual(
    [read["payee"], read["amount"], read["currency"], read["paid_at"], read["reference"]],
    ["Rose", "1300", "EUR", "2030-03-17T17:46:40.000Z", "R-1"],
  );
  assert.equal(text.includes(paid.refundKey), false);
  assert.equal(receiptFile(paid, true).text.includes(paid.refundKey), true);
});

test("a payment whose receipt did not come is saved without one, by what was asked for", () => {
  const paid = { ...PAID, request: "@rose-bakery", signed: null };
  const { name, text } = receiptFile(paid, true);
  const read = JSON.parse(text) as Readonly<Record<string, unknown>>;
  assert.equal(name, "receipt-rose-bakery.json");
  assert.deepEqual(
    [read["receipt"], read["reference"], read["order"]],
    [null, null, orderOf(paid)],
  );
  assert.equal("one_time_key" in read, false);
});
