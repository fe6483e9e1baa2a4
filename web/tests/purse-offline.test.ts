/** What a payee without a network takes for payment, and what not. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { toHex } from "../src/purse/bytes.ts";
import { newOneTimeKey, newOutput, pubkeyOf, unblind } from "../src/purse/curve.ts";
import {
  blindedAs,
  lockedOutput,
  readToken,
  writeProvenToken,
  writeToken,
} from "../src/purse/people-locks.ts";
import type { Dleq, Passed, SwapOutput } from "../src/purse/people-model.ts";
import { lockedUntil } from "../src/purse/people-offline.ts";
import { heldMax, sureUntil } from "../src/rules/purse/people.ts";
import { DAY, POLICY } from "../src/rules/purse/policy.ts";
import { leaksIn } from "./purse-recorder.ts";
import { ASKED, HANDLE, NOTE_KEY, NOW, Two } from "./purse-two.ts";

const MINT = "http://mint.example";
const AMOUNT = 4;
const attacker = newOneTimeKey();

type Proof = Passed & { readonly dleq: Dleq };

/** A payee who was online once, and whose network is gone. */
async function offline(): Promise<Two> {
  const two = new Two([4, 2, 1]);
  const { people } = await two.payee.open();
  await people.fetchMail(two.payee.mail, NOTE_KEY, ASKED);
  two.payee.isOffline = true;
  return two;
}

async function keep(two: Two, token: string) {
  return (await two.payee.open()).people.keepToken(token);
}

async function count(two: Two) {
  two.payee.isOffline = false;
  return (await two.payee.open()).people.fetchMail(two.payee.mail, NOTE_KEY, ASKED);
}

/** What a payer prepares while there is a network. */
async function prepared(two: Two, amount = AMOUNT): Promise<string> {
  const { people } = await two.payer.open();
  await people.look(HANDLE);
  assert.equal((await people.give(HANDLE, amount, true)).kind, "given");
  return two.payer.state.people.handings.at(-1)?.text ?? "";
}

/** Any output, as the mint signs it without looking at its lock. */
function signed(two: Two, output: SwapOutput): Proof {
  const { amount, keyset: id, B_, r, ephemeral } = output;
  const signature = two.mint.sign({ amount, id, B_ });
  const proof = unblind(output, signature, two.mint.keysOf(id));
  assert.ok(proof !== null && signature.dleq !== null);
  return { ...proof, ephemeral, dleq: { ...signature.dleq, r } };
}

const tokenOf = (...proofs: readonly Proof[]): string => writeProvenToken(MINT, "eur", proofs);
const keysetOf = ({ mint }: Two): string => mint.listed[0]?.id ?? "";
const keyOf = ({ mint }: Two): string => mint.people.get(HANDLE)?.purse_key ?? "";
const later = sureUntil(POLICY, NOW) + DAY;

function locked(two: Two, to = keyOf(two), refundAt = later, refundKey = attacker.secret): Proof {
  return signed(two, lockedOutput(keysetOf(two), AMOUNT, { to, refundKey, refundAt }));
}

test("what was prepared for a payee is kept without a network and counted with one", async () => {
  const two = await offline();
  const token = await prepared(two);
  assert.deepEqual(await keep(two, token), { kind: "held", amount: AMOUNT });
  assert.equal(two.payee.worth, 0);
  assert.equal(await count(two), "arrived");
  assert.equal(two.payee.worth, AMOUNT);
  assert.deepEqual(two.payee.state.people.held, []);
  const [swap] = two.mint.sent.filter(({ address }) => address.endsWith("/swap")).slice(-1);
  assert.deepEqual(leaksIn(two.mint.sent), []);
  assert.ok(!JSON.stringify(swap?.body).includes("dleq"));
});

test("the same token shown twice is one payment, kept or counted", async () => {
  const two = await offline();
  const token = await prepared(two);
  assert.equal((await keep(two, token)).kind, "held");
  assert.equal((await keep(two, token)).kind, "met");
  assert.equal(await count(two), "arrived");
  two.payee.isOffline = true;
  assert.equal((await keep(two, token)).kind, "met");
});

test("what came by another way is known when it is shown without a network", async () => {
  const two = await offline();
  const token = await prepared(two);
  two.payee.isOffline = false;
  assert.equal((await (await two.payee.open()).people.takeToken(token)).kind, "taken");
  two.payee.isOffline = true;
  assert.equal((await keep(two, token)).kind, "met");
});

test("what is locked to the key of a device that was taken over is taken with a network", async () => {
  const two = await offline();
  const token = await prepared(two);
  const { state } = two.payee;
  const key = newOneTimeKey().secret;
  const people = { ...state.people, key };
  two.payee.kept = JSON.stringify({ ...state, people });
  assert.equal((await keep(two, token)).kind, "locked");
  two.payee.kept = JSON.stringify({
    ...state,
    people: { ...people, olderKeys: [state.people.key] },
  });
  // Whoever has the other device could spend it first.
  assert.equal((await keep(two, token)).kind, "unsure");
  two.payee.isOffline = false;
  const taken = await (await two.payee.open()).people.takeToken(token);
  assert.deepEqual(taken, { kind: "taken", amount: AMOUNT });
  assert.deepEqual(leaksIn(two.mint.sent), []);
});

test("a lock that somebody else could open is not relied on", async () => {
  const two = await offline();
  assert.equal((await keep(two, tokenOf(locked(two)))).kind, "held");
  const soon = sureUntil(POLICY, NOW) - 1;
  const refused = {
    soon: locked(two, keyOf(two), soon),
    // The payee's key stands where the refund's belongs.
    swapped: locked(two, attacker.pubkey, later, two.payee.state.people.key ?? ""),
    others: locked(two, attacker.pubkey),
  };
  for (const [what, proof] of Object.entries(refused)) {
    const found = (await keep(two, tokenOf(proof))).kind;
    assert.equal(found, what === "others" ? "locked" : "unsure", what);
  }
});

/** Locks as the mint reads them; the mint's own tests write them. */
const locks = JSON.parse(
  readFileSync(new URL("../../tests/golden/locks.json", import.meta.url), "utf8"),
) as {
  payee_key: string;
  ephemeral: string;
  sure: { secret: string; until: number };
  unsure: { what: string; secret: string; mint: string }[];
};

const blinded = (secret: string): Passed => {
  return { keyset: "", amount: AMOUNT, secret, C: "", ephemeral: locks.ephemeral };
};

test("the one form of a lock that this wallet writes is relied on", () => {
  assert.equal(lockedUntil(blinded(locks.sure.secret), locks.payee_key), locks.sure.until);
  const own = lockedOutput("", AMOUNT, {
    to: toHex(pubkeyOf(locks.payee_key)),
    refundKey: attacker.secret,
    refundAt: later,
  });
  assert.equal(lockedUntil({ ...own, C: "" }, locks.payee_key), later);
  assert.equal(lockedUntil({ ...own, C: "" }, attacker.secret), null);
});

test("a lock that the mint refuses, or that could be read in another way, is not relied on", () => {
  assert.ok(locks.unsure.some(({ mint }) => mint.startsWith("malformed")));
  for (const { what, secret } of locks.unsure) {
    assert.equal(lockedUntil(blinded(secret), locks.payee_key), null, what);
  }
  const unblinded = locks.sure.secret.replace(/"data":"[^"]*"/, `"data":"${attacker.pubkey}"`);
  assert.equal(lockedUntil({ ...blinded(unblinded), ephemeral: null }, attacker.secret), null);
});

test("one proof that the mint would refuse keeps the whole token from being relied on", async () => {
  const two = await offline();
  const good = locked(two);
  const bad = JSON.stringify(["P2PK", { nonce: "", data: keyOf(two), tags: [["locktime", "9"]] }]);
  const token = tokenOf(good, signed(two, blindedAs(keysetOf(two), 1, bad)));
  assert.equal((await keep(two, token)).kind, "unsure");
  assert.deepEqual(two.payee.state.people.held, []);
  assert.equal((await keep(two, tokenOf(good))).kind, "held");
});

test("without the proof of the mint's signature nothing is relied on", async () => {
  const two = await offline();
  const [proof, other] = [locked(two), locked(two)];
  const forged = {
    another: { ...proof, dleq: other.dleq },
    point: { ...proof, C: other.C },
    amount: { ...proof, amount: 8 },
  };
  for (const [what, one] of Object.entries(forged)) {
    assert.equal((await keep(two, tokenOf(one))).kind, "unsure", what);
  }
  assert.equal((await keep(two, writeToken(MINT, "eur", [proof]))).kind, "unsure");
});

test("e-cash that is locked to nobody is not taken without a network", async () => {
  const two = await offline();
  const output = { ...newOutput(keysetOf(two), AMOUNT), ephemeral: null, isPassed: true };
  assert.equal((await keep(two, tokenOf(signed(two, output)))).kind, "lost");
});

test("no more than the operator's limit waits uncounted, and no more is prepared", async () => {
  const two = await offline();
  const most = Number(heldMax(POLICY, 2));
  const { people } = await two.payer.open();
  await people.look(HANDLE);
  assert.equal((await people.give(HANDLE, most + 1, true)).kind, "too-much");
  const large = (amount: number): Proof => {
    const lock = { to: keyOf(two), refundKey: attacker.secret, refundAt: later };
    return signed(two, lockedOutput(keysetOf(two), amount, lock));
  };
  assert.equal((await keep(two, tokenOf(large(4096)))).kind, "held");
  assert.equal((await keep(two, tokenOf(large(1024)))).kind, "too-much");
  assert.equal((await keep(two, tokenOf(large(512)))).kind, "held");
});

test("what was spent before it was counted is said to be lost, and nothing else is", async () => {
  const two = await offline();
  const token = await prepared(two);
  assert.equal((await keep(two, token)).kind, "held");
  const read = readToken(token, MINT, "eur", [keysetOf(two)]);
  assert.ok(read.kind === "token");
  for (const { secret } of read.proofs) two.mint.spend(secret);
  assert.equal(await count(two), "nothing");
  assert.deepEqual(
    two.payee.state.people.held?.map(({ stage }) => stage),
    ["lost"],
  );
  assert.equal(two.payee.worth, 0);
});
