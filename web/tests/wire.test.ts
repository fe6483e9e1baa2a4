import assert from "node:assert/strict";
import { test } from "node:test";
import { purseFacts } from "../src/purse/wire.ts";
import { minorUnits, object, optional, reading, text } from "../src/wire/check.ts";
import { isSignedOut, isUnanswered, problemFrom } from "../src/wire/http.ts";
import { account, concluded, order, payment } from "../src/wire/shapes.ts";
import { FrameReader } from "../src/wire/sse.ts";

const eur = (minor: string) => ({ currency: "EUR", minor });
const id = (kind: string) => `${kind}_01JD0000000000000000000000`;

const aPayment = {
  id: id("pay"),
  kind: "purchase",
  status: "paid",
  amount: eur("1250"),
  tip: null,
  fee: eur("2"),
  fee_paid_by: "payee",
  payee: { handle: "cafe-noor", kind: "merchant", name: "Café Noor", names: { ar: "مقهى نور" } },
  order_id: null,
  privacy: "named",
  created_at: "2026-11-22T19:46:30.123Z",
  concluded_at: "2026-11-22T19:46:30.456Z",
};

test("money comes as a string of digits or not at all", () => {
  assert.deepEqual(reading(minorUnits, "9223372036854775807"), {
    ok: true,
    value: 9_223_372_036_854_775_807n,
  });
  for (const wrong of [1250, 12.5, "12.50", "", "1e3", " 1", "007", "-", null, undefined, {}]) {
    assert.equal(reading(minorUnits, wrong).ok, false, String(wrong));
  }
});

test("the mint's address has no room for a person's name", () => {
  const facts = { unit: "eur", refill: null };
  for (const mint of ["http://mint.localhost:8401", "https://MINT.example:443/"]) {
    const read = reading(purseFacts, { ...facts, mint });
    assert.equal(read.ok && read.value.mint, new URL(mint).origin);
  }
  const marked = ["/c/4711", "/?c=4711", "/#c4711", "//", "/./"].map((end) => `https://mint${end}`);
  for (const mint of [
    ...marked,
    "https://4711@mint",
    "https://:4711@mint",
    "data:,4711",
    "mint",
    "",
  ])
    assert.equal(reading(purseFacts, { ...facts, mint }).ok, mint === "https://mint/./", mint);
});

test("a fault names the place it stands at", () => {
  const read = reading(concluded, { ...aPayment, fee: { currency: "EUR", minor: 2 } });
  assert.deepEqual(read, { ok: false, fault: "fee.minor is not text" });
});

test("a field nobody knows is passed over, a field that is needed is not", () => {
  assert.equal(reading(concluded, { ...aPayment, invented_later: [1, 2] }).ok, true);
  const { status: _status, ...rest } = aPayment;
  assert.equal(reading(concluded, rest).ok, false);
  assert.equal(reading(concluded, { ...aPayment, status: "perhaps" }).ok, false);
});

test("null and absent are the same for what may be missing", () => {
  const shape = object({ name: optional(text) });
  assert.deepEqual(reading(shape, {}), reading(shape, { name: null }));
});

test("a payment, an order and an account are read whole", () => {
  const read = reading(payment, { ...aPayment, direction: "out", payer: null, refunded: eur("0") });
  assert.ok(read.ok);
  assert.equal(read.value.amount.minor, 1250n);
  assert.equal(read.value.created_at.toISOString(), "2026-11-22T19:46:30.123Z");
  const anOrder = {
    id: id("ord"),
    status: "open",
    amount: eur("1250"),
    code: "0002",
    created_at: aPayment.created_at,
    expires_at: aPayment.created_at,
  };
  assert.ok(reading(order, anOrder).ok);
  const limits = { payment: eur("1"), day: eur("1"), day_left: eur("1"), holding: eur("1") };
  const money = { balance: eur("1"), available: eur("1"), held: eur("0") };
  const who = { id: id("cus"), handle: "lina", display_name: "Lina", language: "ar" };
  assert.ok(reading(account, { ...who, ...money, limits, note_key: null }).ok);
});

test("garbage of any kind is a fault and not an exception", () => {
  for (const garbage of [null, 1, "x", [], [[]], { amount: [] }, true, undefined]) {
    assert.equal(reading(payment, garbage).ok, false);
  }
});

test("a problem is known by the last piece of its type", () => {
  const body = { type: "https://a.example/docs/problems/insufficient-funds", title: "Too small" };
  const read = problemFrom(422, body);
  assert.equal(read.slug, "insufficient-funds");
  assert.equal(read.retryWithSameId, false);
});

test("an error page from something in between is in doubt when its status is", () => {
  assert.equal(problemFrom(502, undefined).retryWithSameId, true);
  assert.equal(problemFrom(404, "<html>").retryWithSameId, false);
});

test("what a proxy says in the operator's place is no word of the operator", () => {
  const own = { type: "https://pay.example/docs/problems/not-signed-in", title: "-", status: 401 };
  const ended = problemFrom(401, own);
  assert.ok(isSignedOut(ended) && !isUnanswered({ kind: "problem", problem: ended }));
  for (const status of [401, 403, 407, 502]) {
    const problem = problemFrom(status, "<html>");
    assert.ok(!isSignedOut(problem) && isUnanswered({ kind: "problem", problem }), `${status}`);
  }
  const fault = problemFrom(503, { ...own, type: "/docs/problems/outcome-unknown", status: 503 });
  assert.ok(isUnanswered({ kind: "problem", problem: fault }));
  assert.ok(isUnanswered({ kind: "lost", why: "TimeoutError" }));
});

test("events arrive whole however the stream is cut", () => {
  const stream =
    ': hello\n\nid: 12\nevent: payment.paid\ndata: {"number":12}\n\nid: 13\r\nevent: payment.received\r\ndata: a\r\ndata: b\r\n\r\n';
  for (let size = 1; size <= stream.length; size += 1) {
    const reader = new FrameReader();
    const frames = [];
    for (let at = 0; at < stream.length; at += size)
      frames.push(...reader.feed(stream.slice(at, at + size)));
    assert.deepEqual(
      frames,
      [
        { id: "12", event: "payment.paid", data: '{"number":12}' },
        { id: "13", event: "payment.received", data: "a\nb" },
      ],
      `in pieces of ${size}`,
    );
  }
});
