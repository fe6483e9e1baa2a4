import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { activeOf, faultOf, listHash, vouchedBy } from "../src/purse/keysets.ts";
import type { ListedKeyset } from "../src/purse/model.ts";

const FILE = new URL("../../src/amana/purse/policy/vectors.json", import.meta.url);
type Row = { why: string; keysets: ListedKeyset[]; tokens: ListedKeyset[]; hash: string };
const vectors = JSON.parse(readFileSync(FILE, "utf8")) as { list_hash: readonly Row[] };

const keyset = (digit: string, more: Partial<ListedKeyset> = {}): ListedKeyset => ({
  id: `01${digit.repeat(64)}`,
  unit: "eur",
  active: false,
  input_fee_ppk: 0,
  final_expiry: 2_000_000_000,
  ...more,
});
const old = keyset("a");
const now = keyset("b", { active: true });

test("a list that only grows is accepted", () => {
  assert.equal(faultOf([], [now], "eur"), null);
  assert.equal(faultOf([{ ...old, active: true }], [old, now], "eur"), null);
});

for (const [name, seen, list, fault] of [
  ["forgets a keyset", [old, now], [now], "forgotten"],
  ["names one twice", [], [now, now], "repeated"],
  ["changes an expiry", [old, now], [{ ...old, final_expiry: 1 }, now], "changed"],
  ["changes a fee", [old, now], [{ ...old, input_fee_ppk: 1 }, now], "changed"],
  ["changes a unit", [old, now], [{ ...old, unit: "usd" }, now], "changed"],
  [
    "wakes an old keyset",
    [old, now],
    [
      { ...old, active: true },
      { ...now, active: false },
    ],
    "woken",
  ],
  ["takes back a revocation", [{ ...old, isRevoked: true }, now], [old, now], "changed"],
  ["has two active ones", [], [now, { ...old, active: true }], "two-active"],
  ["has no active one", [], [old], "none-active"],
  ["has an id of another version", [], [{ ...now, id: `00${"a".repeat(14)}` }], "id-unknown"],
] as const) {
  test(`a list that ${name} is refused`, () => {
    assert.equal(faultOf(seen, list, "eur"), fault);
  });
}

test("a keyset of a later kind or another unit may stand beside", () => {
  const later = { ...now, id: `02${"c".repeat(64)}`, unit: "usd" };
  assert.equal(faultOf([now], [now, later], "eur"), null);
  assert.equal(activeOf([later, now], "eur"), now);
  assert.equal(activeOf([later], "eur"), null);
});

test("the hash of a list is that of its lines in the order of ids", async () => {
  // printf '01aa…:eur:2000000000\n01bb…:eur:\n' | sha256sum, its first 16 bytes.
  const { createHash } = await import("node:crypto");
  const lines = `01${"a".repeat(64)}:eur:2000000000\n01${"b".repeat(64)}:eur:\n`;
  const expected = createHash("sha256").update(lines).digest("hex").slice(0, 32);
  assert.equal(await listHash([{ ...now, final_expiry: null }, old], []), expected);
});

for (const { why, keysets, tokens, hash } of vectors.list_hash) {
  test(`the hash of both lists: ${why}`, async () => {
    assert.equal(await listHash(keysets, tokens), hash);
  });
}

test("a code vouches for the beginnings of both lists that it was made with", async () => {
  const [first, second] = ["c", "d"].map((digit) => keyset(digit, { unit: "auth" }));
  assert.ok(first !== undefined && second !== undefined);
  const foundBy = async (list: ListedKeyset[], tokens: ListedKeyset[]) =>
    vouchedBy(await listHash(list, tokens), [old, now], [first, second]);
  assert.deepEqual(await foundBy([old, now], [first, second]), [
    old.id,
    now.id,
    first.id,
    second.id,
  ]);
  assert.deepEqual(await foundBy([old, now], [first]), [old.id, now.id, first.id]);
  assert.deepEqual(await foundBy([old], [first, second]), [old.id, first.id, second.id]);
  assert.deepEqual(await foundBy([old], [first]), [old.id, first.id]);
  assert.equal(await foundBy([now], [first]), null);
  assert.equal(await foundBy([old, now], [second]), null);
  assert.equal(await foundBy([], [first]), null);
});

test("a code without keysets of tokens vouches where the mint has none, and nowhere else", async () => {
  const hash = await listHash([old], []);
  assert.deepEqual(await vouchedBy(hash, [old, now], []), [old.id]);
  assert.equal(await vouchedBy(hash, [old, now], [keyset("c", { unit: "auth" })]), null);
});
