/** One bad proof among good ones: the good ones come in, and only the bad one is given up. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Purse } from "../src/purse/purse.ts";
import { readToken, writeToken } from "../src/purse/people-locks.ts";
import type { Passed } from "../src/purse/people-model.ts";
import { leaksIn } from "./purse-recorder.ts";
import { ASKED, HANDLE, NOTE_KEY, Two } from "./purse-two.ts";

const MINT = "http://mint.example";
/** Small coins, so that no output is halved: the arithmetic is not what is tried here. */
const COINS = [1, 1, 1, 1] as const;
const AMOUNT = 4;
const STEPS_MAX = 200;

type Way = "mail" | "link" | "hand";

async function opened(two: Two): Promise<Purse> {
  const purse = await two.payee.open();
  await purse.people.resume();
  return purse;
}

async function fetchMail(two: Two) {
  return (await opened(two)).people.fetchMail(two.payee.mail, NOTE_KEY, ASKED);
}

/** E-cash on its way to a payee who has not taken any of it. */
async function sent(way: Way): Promise<Two> {
  const two = new Two(COINS);
  await fetchMail(two);
  const { people } = await two.payer.open();
  const handle = way === "link" ? null : HANDLE;
  if (handle !== null) await people.look(handle);
  assert.equal((await people.give(handle, AMOUNT, way === "hand")).kind, "given");
  if (way === "hand") {
    two.payee.isOffline = true;
    const kept = await (await two.payee.open()).people.keepToken(textOf(two));
    assert.deepEqual(kept, { kind: "held", amount: AMOUNT });
    two.payee.isOffline = false;
  }
  return two;
}

const textOf = (two: Two): string => two.payer.state.people.handings[0]?.text ?? "";
const proofsOf = (two: Two): readonly Passed[] => two.payer.state.people.handings[0]?.proofs ?? [];

async function take(two: Two, way: Way): Promise<void> {
  if (way === "link") await (await opened(two)).people.takeToken(textOf(two));
  else await fetchMail(two);
}

/** Two of the proofs are worth nothing: the mint refuses one, and somebody has spent another. */
function spoil(two: Two): number {
  const [first, second] = proofsOf(two).toSorted((a, b) => b.amount - a.amount);
  assert.ok(first !== undefined && second !== undefined);
  two.mint.malformed.add(first.secret);
  two.mint.spend(second.secret);
  return first.amount + second.amount;
}

for (const way of ["mail", "link", "hand"] as const) {
  test(`one bad proof does not cost the good ones that came by ${way}`, async () => {
    const two = await sent(way);
    const [worst] = proofsOf(two).toSorted((a, b) => b.amount - a.amount);
    assert.ok(worst !== undefined);
    two.mint.malformed.add(worst.secret);
    await take(two, way);
    assert.equal(two.payee.worth, AMOUNT - worst.amount);
    const { takings, arrivals, held, letters } = two.payee.state.people;
    assert.deepEqual([takings, letters], [[], []]);
    assert.deepEqual(
      arrivals.map(({ amount }) => amount),
      [AMOUNT - worst.amount],
    );
    const given = held?.map(({ stage, amount }) => [stage, amount]);
    assert.deepEqual(given, way === "hand" ? [["lost", worst.amount]] : []);
    assert.equal(two.mint.letters.size, 0);
    // The inputs go again, in parts; with outputs that the mint has not seen.
    const isAnother = (leak: string) => !/\/v1\/swap: .* was sent before$/.test(leak);
    assert.deepEqual(leaksIn(two.mint.sent).filter(isAnother), []);
    const outputs = two.mint.sent.flatMap(({ address, body }) =>
      address.endsWith("/swap") ? (body?.["outputs"] as { B_: string }[]) : [],
    );
    assert.equal(new Set(outputs.map(({ B_ }) => B_)).size, outputs.length);
  });
}

for (const way of ["mail", "hand"] as const) {
  test(`a device that stops while it tries e-cash by ${way} apart loses nothing good`, async () => {
    const start = await sent(way);
    const bad = spoil(start);
    for (let step = 1; step < STEPS_MAX; step += 1) {
      const two = start.copy();
      Object.assign(two.payee, { endsAt: step, hasEffect: step % 2 === 0 });
      const done = await Promise.race([
        take(two, way).then(() => true),
        two.payee.ended.promise.then(() => false),
      ]);
      if (!done) {
        await new Promise(setImmediate);
        two.payee.endsAt = Infinity;
        for (let again = 0; again < 2; again += 1) await take(two, way);
      }
      assert.equal(two.payee.worth, AMOUNT - bad, `step ${step}`);
      assert.deepEqual(two.payee.state.people.takings, []);
      assert.ok(two.payee.state.coins.every(({ secret }) => !two.mint.isSpent(secret)));
      if (done) return;
    }
    assert.fail("it never came to its end");
  });
}

test("e-cash of which nothing is good is given up, once", async () => {
  const two = await sent("hand");
  for (const { secret } of proofsOf(two)) two.mint.malformed.add(secret);
  await take(two, "hand");
  const { held } = two.payee.state.people;
  assert.deepEqual(
    held?.map(({ stage, amount }) => [stage, amount]),
    [["lost", AMOUNT]],
  );
  const swaps = two.mint.sent.length;
  await take(two, "hand");
  assert.ok(two.mint.sent.slice(swaps).every(({ address }) => !address.endsWith("/swap")));
});

test("bad e-cash does not use up the tokens that payments need", async () => {
  const two = await sent("hand");
  const state = two.payee.state;
  const token = { keyset: "00", secret: "token", C: "02" };
  const tokens = Array.from({ length: 22 }, () => token);
  two.payee.kept = JSON.stringify({ ...state, asksTokens: true, tokens });
  const [worst] = proofsOf(two).toSorted((a, b) => b.amount - a.amount);
  assert.ok(worst !== undefined);
  two.mint.malformed.add(worst.secret);
  await take(two, "hand");
  assert.ok(two.payee.state.tokens.length >= 20);
  const held = two.payee.state.people.held ?? [];
  const waits = held.flatMap((one) => (one.stage === "held" ? one.inputs : []));
  assert.equal(held.filter(({ stage }) => stage === "lost").length, 0);
  assert.ok(waits.some(({ secret }) => secret === worst.secret));
  // With more tokens it goes on from there.
  const more = { ...two.payee.state, tokens: [...tokens, ...tokens] };
  two.payee.kept = JSON.stringify(more);
  await take(two, "hand");
  assert.equal(two.payee.worth, AMOUNT - worst.amount);
  assert.equal(two.payee.state.people.arrivals.length, 1);
});

test("a refusal that is for the request leaves the e-cash where it was", async () => {
  const two = await sent("hand");
  const keyset = two.mint.listed[0]?.id ?? "";
  const before = two.payee.state.people.held;
  const { fetch } = two.mint;
  Object.assign(two.mint, {
    fetch: async (address: string, init: RequestInit) =>
      address.endsWith("/swap")
        ? Response.json({ code: 12002, detail: keyset }, { status: 400 })
        : fetch(address, init),
  });
  await take(two, "hand");
  assert.deepEqual(two.payee.state.people.held, before);
  Object.assign(two.mint, { fetch });
  await take(two, "hand");
  assert.equal(two.payee.worth, AMOUNT);
});

test("what the mint could not even read is no e-cash", async () => {
  const two = await sent("link");
  const keysets = two.mint.listed.map(({ id }) => id);
  const [first, ...others] = proofsOf(two);
  assert.ok(first !== undefined);
  const changed: Record<string, Partial<Passed>> = {
    "a point off the curve": { C: `02${"ff".repeat(32)}` },
    "a secret without an end": { secret: "a".repeat(1025) },
  };
  for (const [what, part] of Object.entries(changed)) {
    const text = writeToken(MINT, "eur", [{ ...first, ...part }, ...others]);
    assert.equal(readToken(text, MINT, "eur", keysets).kind, "no-token", what);
  }
  assert.equal(readToken(textOf(two), MINT, "eur", keysets).kind, "token");
});
