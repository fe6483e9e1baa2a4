import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mayFetchLetters } from "../src/rules/purse/people.ts";
import { POLICY, drawn, scaled } from "../src/rules/purse/policy.ts";
import {
  backupDue,
  chooseTier,
  depositDelayMinutes,
  depositTier,
  dueBy,
  exchangeAt,
  isShortOfTokens,
  isForPaying,
  maySpeakNamed,
  needsRefill,
  refillOutputs,
  refreshAt,
  refundAskAt,
  signingDelayMinutes,
  tokensDue,
} from "../src/rules/purse/refill.ts";
import {
  type Coin,
  blankOutputs,
  changeAvailableAt,
  changeOf,
  chooseCoins,
} from "../src/rules/purse/spend.ts";

const FILE = new URL("../../src/amana/purse/policy/vectors.json", import.meta.url);
// The vectors are data of this repository; each test names the fields it reads.
const vectors = JSON.parse(readFileSync(FILE, "utf8")) as Record<string, any[]>;
const rows = (name: string) => {
  const found = vectors[name] ?? [];
  assert.ok(found.length > 0, `there are vectors for ${name}`);
  return found;
};
const draw = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
const spent = (pairs: [number, number][]) =>
  pairs.map(([at, amount]) => ({ at, amount: BigInt(amount) }));

test("the vectors are of this version of the policy", () => {
  assert.equal(vectors["version"] as unknown as number, POLICY.version);
});

test("tiers follow the currency's digits", () => {
  for (const { exponent, refill, deposit } of rows("tiers")) {
    const inMinor = (tiers: readonly number[]) =>
      tiers.map((tier) => Number(scaled(POLICY, tier, exponent)));
    assert.deepEqual(inMinor(POLICY.refill.tiers), refill);
    assert.deepEqual(inMinor(POLICY.deposit.tiers), deposit);
  }
  assert.throws(() => scaled(POLICY, 1, 7), RangeError);
});

test("everybody who asks for a tier asks for the same outputs, and each tier for as many", () => {
  for (const { amount, outputs } of rows("outputs")) {
    assert.deepEqual(refillOutputs(POLICY, BigInt(amount)).map(Number), outputs);
    assert.equal(outputs.length, POLICY.refill.outputs);
  }
  assert.throws(() => refillOutputs(POLICY, 1_022n), RangeError);
});

test("delays come from eight random bytes alone", () => {
  for (const { draw: bytes, signing_minutes, deposit_minutes } of rows("delays")) {
    assert.equal(signingDelayMinutes(POLICY, draw(bytes)), signing_minutes);
    assert.equal(depositDelayMinutes(POLICY, draw(bytes)), deposit_minutes);
    assert.equal(signingDelayMinutes(POLICY, draw(bytes), true), 0);
  }
  assert.throws(() => drawn({ from: 0, to: 1 }, new Uint8Array(7)), RangeError);
});

test("the tier follows the purse's own pace", () => {
  for (const { why, spendings, now, tier } of rows("tier")) {
    assert.equal(chooseTier(POLICY, 2, spent(spendings), now ?? 0), BigInt(tier), why);
  }
});

test("a refill is left ahead of need", () => {
  for (const { why, held, waiting, idle, spendings, now, needs } of rows("needs")) {
    const purse = { held: BigInt(held), isWaiting: waiting, spendings: spent(spendings) };
    assert.equal(needsRefill(POLICY, 2, purse, { now, isIdle: idle }), needs, why);
  }
});

test("the wallet does not speak to the named side around a payment", () => {
  for (const { why, now, open_since, paying, last_spent_at, urgent, may } of rows("speak")) {
    const moment = { now, openSince: open_since, paying, lastSpentAt: last_spent_at, urgent };
    assert.equal(maySpeakNamed(POLICY, moment), may, why);
  }
});

test("an opening in which a payment was looked at is for paying as long as one that paid", () => {
  const quiet = POLICY.refill.quiet_minutes * 60;
  assert.equal(isForPaying(POLICY, null, 0), false);
  assert.equal(isForPaying(POLICY, 1_000, 1_000), true);
  assert.equal(isForPaying(POLICY, 1_000, 1_000 + quiet - 1), true);
  assert.equal(isForPaying(POLICY, 1_000, 1_000 + quiet), false);
});

test("a refill that waits is signed within the longest delay, and nothing is promised after it", () => {
  const { to } = POLICY.refill.signing_delay_hours;
  assert.equal(dueBy(POLICY, 1_000, 2_000), 1_000 + to * 3_600);
  assert.equal(dueBy(POLICY, 1_000, 1_000 + to * 3_600), null);
  assert.equal(dueBy(POLICY, null, 2_000), null);
});

test("letters are fetched in an idle opening alone, even by an empty purse", () => {
  for (const { why, now, open_since, paying, last_spent_at, may } of rows("letters")) {
    const moment = { now, openSince: open_since, paying, lastSpentAt: last_spent_at };
    assert.equal(mayFetchLetters(POLICY, moment), may, why);
  }
});

test("blind tokens follow refills, not use, and come long before the last one is used", () => {
  for (const { why, held, leaves_refill, due, urgent } of rows("tokens")) {
    assert.equal(tokensDue(POLICY, held, leaves_refill), due, why);
    assert.equal(isShortOfTokens(POLICY, held), urgent, why);
  }
});

test("what came with a backup is exchanged within minutes", () => {
  for (const row of rows("exchange")) {
    assert.equal(exchangeAt(POLICY, row.restored_at, draw(row.draw)), row.at);
  }
});

test("proofs are chosen so that they say no more than the amount", () => {
  for (const { why, coins, amount, now, inputs, lineages, change } of rows("choose")) {
    const purse: Coin[] = coins.map(
      ([value, lineage, availableAt, expiresAt]: [number, string, number?, number?]) => ({
        amount: BigInt(value),
        keyset: "00",
        lineage,
        availableAt: availableAt ?? 0,
        expiresAt: expiresAt ?? null,
      }),
    );
    const choice = chooseCoins(POLICY, purse, BigInt(amount), now ?? 0);
    assert.deepEqual(choice?.coins.map((coin) => Number(coin.amount)) ?? null, inputs, why);
    if (choice === null) continue;
    assert.deepEqual(changeOf(choice.overpaid).map(Number), change, why);
    if (lineages)
      assert.deepEqual(
        choice.coins.map(({ lineage }) => lineage),
        lineages,
        why,
      );
  }
});

test("nothing is paid with nothing, and no payment takes more proofs than are allowed", () => {
  const small = (count: number): Coin[] =>
    Array.from({ length: count }, () => {
      return { amount: 1n, keyset: "00", lineage: "a", availableAt: 0, expiresAt: null };
    });
  assert.throws(() => chooseCoins(POLICY, small(1), 0n, 0), RangeError);
  const most = POLICY.spend.proofs_max;
  assert.equal(chooseCoins(POLICY, small(most), BigInt(most), 0)?.coins.length, most);
  assert.equal(chooseCoins(POLICY, small(most + 1), BigInt(most + 1), 0), null);
});

test("the blank outputs always suffice for the change", () => {
  const largest = 1n << BigInt(POLICY.denomination_exponent_max);
  assert.ok(changeOf(largest - 1n).length <= blankOutputs(POLICY));
});

test("change rests, keysets are refreshed and refunds asked for at a drawn time", () => {
  for (const { draw: bytes, paid_at, available_at } of rows("change_rest")) {
    assert.equal(changeAvailableAt(POLICY, paid_at, draw(bytes)), available_at);
  }
  for (const { draw: bytes, final_expiry, at } of rows("refresh")) {
    assert.equal(refreshAt(POLICY, final_expiry, draw(bytes)), at);
  }
  for (const { draw: bytes, paid_at, at } of rows("refund_ask")) {
    assert.equal(refundAskAt(POLICY, paid_at, draw(bytes)), at);
  }
});

test("a deposit is a tier", () => {
  for (const { amount, tier } of rows("deposit")) {
    const chosen = depositTier(POLICY, 2, BigInt(amount));
    assert.equal(chosen === null ? null : Number(chosen), tier);
  }
});

test("no payment causes a backup", () => {
  for (const { why, last_at, now, leaves_refill, idle, exchanges, due } of rows("backup")) {
    const cause = { leavesRefill: leaves_refill, isIdle: idle, exchanges: exchanges ?? [] };
    assert.equal(backupDue(POLICY, last_at, now, cause), due, why);
  }
});
