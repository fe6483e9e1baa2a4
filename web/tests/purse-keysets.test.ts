import assert from "node:assert/strict";
import { test } from "node:test";
import { activeOf, faultOf, listHash } from "../src/purse/keysets.ts";
import type { ListedKeyset } from "../src/purse/model.ts";

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
  assert.equal(await listHash([{ ...now, final_expiry: null }, old]), expected);
});
