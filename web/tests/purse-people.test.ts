import assert from "node:assert/strict";
import { test } from "node:test";
import { newOneTimeKey } from "../src/purse/curve.ts";
import {
  isPlain,
  lockedOutput,
  plainOutput,
  readToken,
  witnessFor,
  writeToken,
} from "../src/purse/people-locks.ts";
import type { Passed, SwapOutput } from "../src/purse/people-model.ts";
import { ecashFrom, ecashIn, secretFrom } from "../src/rules/link.ts";
import { division, inputFee, lockEnd, passedMax } from "../src/rules/purse/people.ts";
import { POLICY } from "../src/rules/purse/policy.ts";

const MINT = "http://mint.example";
const KEYSET = `01${"ab".repeat(32)}`;
const DAY = 86_400;
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, one) => all + one, 0n);

/** As if it were signed: what the mint makes of an output does not matter to its lock. */
const passed = ({ amount, secret, B_, ephemeral }: SwapOutput): Passed => ({
  keyset: KEYSET,
  amount,
  secret,
  C: B_,
  ephemeral,
});

const payee = newOneTimeKey();
const payer = newOneTimeKey();
const locked = (amount: number): SwapOutput =>
  lockedOutput(KEYSET, amount, { to: payee.pubkey, refundKey: payer.secret, refundAt: 1_900_000 });

test("a swap has sixteen outputs, or thirty-two, wherever its sum allows it", () => {
  for (const [going, staying] of [
    [1250n, 0n],
    [300n, 50n],
    [8191n, 8191n],
    [20_000n, 4096n],
    [0n, 777n],
  ] as const) {
    const parts = division(POLICY, going, staying);
    assert.equal(sum(parts.passed), going);
    assert.equal(sum(parts.kept), staying);
    assert.ok([16, 32].includes(parts.passed.length + parts.kept.length));
    assert.ok(parts.passed.length <= 16);
  }
  assert.deepEqual(division(POLICY, 3n, 0n).passed, [1n, 1n, 1n]);
});

test("a lock ends on a whole day, at least thirty days on", () => {
  for (const now of [1_900_000_000, 1_900_000_000 - (1_900_000_000 % DAY)]) {
    assert.equal(lockEnd(now) % DAY, 0);
    assert.ok(lockEnd(now) >= now + 30 * DAY);
  }
});

test("no more than the largest refill goes to a person at once", () => {
  assert.equal(passedMax(POLICY, 2), 20_000n);
});

test("the fee of several inputs is rounded up once", () => {
  assert.equal(inputFee([]), 0);
  assert.equal(inputFee([100, 100, 100]), 1);
  assert.equal(inputFee([1000, 1]), 2);
});

test("each output for a person has keys of its own, and neither is the person's", () => {
  const [one, other] = [locked(4), locked(4)];
  assert.notEqual(one.ephemeral, other.ephemeral);
  const texts = [one.secret, other.secret];
  for (const key of [payee.pubkey, payer.pubkey]) {
    assert.ok(texts.every((text) => !text.includes(key.slice(2))));
  }
  const [, { data }] = JSON.parse(one.secret) as [string, { data: string }];
  assert.ok(!other.secret.includes(data));
});

test("a lock is opened by the payee's key and by the payer's, and by no other", () => {
  const proof = passed(locked(8));
  assert.ok(!isPlain(proof));
  assert.match(witnessFor(proof, payee.secret) ?? "", /^{"signatures":\["[0-9a-f]{128}"\]}$/);
  assert.notEqual(witnessFor(proof, payer.secret), null);
  assert.equal(witnessFor(proof, newOneTimeKey().secret), null);
  assert.equal(witnessFor({ ...proof, secret: "[no lock" }, payee.secret), null);
});

test("a token comes out as it went in, with nothing that unblinds it", () => {
  const proofs = [locked(2), locked(4), plainOutput(KEYSET, 8, true)].map(passed);
  const text = writeToken(MINT, "eur", proofs);
  assert.match(text, /^cashuB/);
  const read = readToken(text, `${MINT}/`, "eur", [KEYSET]);
  assert.deepEqual(read, { kind: "token", proofs, dleqs: [null, null, null], amount: 14 });
  assert.ok(!Buffer.from(text.slice(6), "base64url").includes("dleq"));
});

test("a token of another mint, unit or keyset, or one that repeats a proof, is not taken", () => {
  const proof = passed(plainOutput(KEYSET, 8, true));
  const text = writeToken(MINT, "eur", [proof]);
  assert.equal(readToken(text, "http://other.example", "eur", [KEYSET]).kind, "other-mint");
  assert.equal(readToken(text, MINT, "usd", [KEYSET]).kind, "other-mint");
  assert.equal(readToken(text, MINT, "eur", []).kind, "no-token");
  const twice = writeToken(MINT, "eur", [proof, proof]);
  assert.equal(readToken(twice, MINT, "eur", [KEYSET]).kind, "no-token");
  assert.equal(readToken("cashuBnonsense", MINT, "eur", [KEYSET]).kind, "no-token");
});

test("e-cash after a link's # is told from a session's token", () => {
  const text = writeToken(MINT, "eur", [passed(plainOutput(KEYSET, 8, true))]);
  assert.equal(ecashFrom(`#token=${text}`), text);
  assert.equal(ecashIn(` http://pay.example/wallet#token=${text} `), text);
  assert.equal(ecashIn(text), text);
  assert.equal(ecashFrom("#token=am_live_secret"), null);
  assert.equal(secretFrom("#token=am_live_secret", "token"), "am_live_secret");
  assert.equal(ecashIn("@salma"), null);
});
