import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, carryThrough, totalOf, verdictOn, waitBefore } from "../src/rules/intent.ts";
import type { Answer, Problem } from "../src/wire/http.ts";

const eur = (minor: bigint) => ({ currency: "EUR", minor });
type Paid = { readonly status: string };
const paid: Answer<Paid> = { kind: "answered", value: { status: "paid" } };
const lost: Answer<Paid> = { kind: "lost", why: "TimeoutError" };

function refusal(status: number, slug: string, retryWithSameId = false): Answer<Paid> {
  const problem: Problem = {
    slug,
    status,
    title: slug,
    detail: null,
    scheme: null,
    retryWithSameId,
  };
  return { kind: "problem", problem };
}

test("a lost answer is not known, never failed", () => {
  assert.equal(verdictOn(lost).kind, "unknown");
});

test("doubt of the operator or of anything in between is not known either", () => {
  for (const answer of [
    refusal(503, "outcome-unknown", true),
    refusal(503, "storage-unavailable"),
    refusal(502, ""),
    refusal(500, ""),
    refusal(429, ""),
    refusal(408, ""),
    refusal(401, ""),
    refusal(403, ""),
    refusal(404, ""),
    refusal(422, "something-new", true),
  ]) {
    assert.equal(verdictOn(answer).kind, "unknown");
  }
});

test("a payment still pending is not known", () => {
  assert.equal(verdictOn({ kind: "answered", value: { status: "pending" } }).kind, "unknown");
});

test("a refusal is an end, and an ended session is none", () => {
  assert.equal(verdictOn(refusal(422, "insufficient-funds")).kind, "refused");
  assert.equal(verdictOn(refusal(409, "order-already-paid")).kind, "refused");
  assert.equal(verdictOn(refusal(401, "not-signed-in")).kind, "signed-out");
});

test("asking goes on until the answer is known, then stops", async () => {
  const answers = [lost, refusal(503, "outcome-unknown", true), lost, paid, lost];
  const waits: number[] = [];
  const doubts: number[] = [];
  const verdict = await carryThrough<Paid>({
    send: () => Promise.resolve(answers.shift() ?? lost),
    pause: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    chance: () => 0.5,
    doubtful: (attempt) => doubts.push(attempt),
  });
  assert.deepEqual(verdict, { kind: "concluded", value: { status: "paid" } });
  assert.deepEqual(waits, [800, 1_500, 3_000]);
  assert.deepEqual(doubts, [0, 1, 2]);
  assert.equal(answers.length, 1);
});

test("waits grow to a bound and are spread around it", () => {
  assert.equal(waitBefore(0, 0), 600);
  assert.equal(waitBefore(0, 0.999), 1_000);
  assert.equal(waitBefore(500, 0.5), 20_000);
});

test("the body holds money as digits and leaves out what is not there", () => {
  const draft = {
    target: { code: "0002" },
    amount: eur(1250n),
    tip: eur(0n),
    sealedNote: null,
    noteKey: "a-key",
  };
  assert.deepEqual(JSON.parse(bodyOf(draft)), {
    code: "0002",
    amount: { currency: "EUR", minor: "1250" },
    note_key: "a-key",
  });
  assert.deepEqual(JSON.parse(bodyOf({ ...draft, tip: eur(125n) })).tip, {
    currency: "EUR",
    minor: "125",
  });
});

test("the total is the amount with the tip", () => {
  assert.deepEqual(totalOf(eur(1250n), eur(125n)), eur(1375n));
  assert.deepEqual(totalOf(eur(1250n), null), eur(1250n));
});
