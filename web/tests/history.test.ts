import assert from "node:assert/strict";
import { test } from "node:test";
import { timeLeft } from "../src/rules/countdown.ts";
import { byDay, entriesOf, isDebited, mergePages } from "../src/rules/history.ts";
import { secretFrom, targetFrom } from "../src/rules/link.ts";
import { nameFor } from "../src/rules/names.ts";
import { leftToRefund, standing, taken } from "../src/rules/orders.ts";
import { pathOf } from "../src/rules/qr.ts";
import { reading } from "../src/wire/check.ts";
import { type Order, type Payment, order, payment } from "../src/wire/shapes.ts";

const eur = (minor: string) => ({ currency: "EUR", minor });

function aPayment(id: string, at: string, refundOf: string | null = null): Payment {
  const read = reading(payment, {
    id,
    kind: refundOf === null ? "purchase" : "refund",
    status: "paid",
    direction: "out",
    amount: eur("100"),
    fee: eur("0"),
    payee: { handle: "cafe", kind: "merchant" },
    created_at: at,
    refund_of: refundOf,
  });
  assert.ok(read.ok);
  return read.value;
}

function anOrder(fields: object): Order {
  const base = {
    id: "ord_1",
    status: "paid",
    amount: eur("100"),
    created_at: "2026-11-22T10:00:00Z",
  };
  const read = reading(order, { ...base, ...fields });
  assert.ok(read.ok);
  return read.value;
}

test("a refund stands beside its payment, or alone when that is not on the page", () => {
  const listed = [
    aPayment("pay_3", "2026-11-22T12:00:00Z", "pay_1"),
    aPayment("pay_2", "2026-11-22T11:00:00Z", "pay_0"),
    aPayment("pay_1", "2026-11-22T10:00:00Z"),
  ];
  const entries = entriesOf(listed).map(({ payment: main, refunds }) => [
    main.id,
    refunds.map((one) => one.id),
  ]);
  assert.deepEqual(entries, [
    ["pay_2", []],
    ["pay_1", ["pay_3"]],
  ]);
});

test("entries keep their order within days, and days theirs", () => {
  const days = byDay(
    entriesOf([
      aPayment("pay_3", "2026-11-22T12:00:00Z"),
      aPayment("pay_2", "2026-11-21T11:00:00Z"),
      aPayment("pay_1", "2026-11-21T10:00:00Z"),
    ]),
    (instant) => instant.toISOString().slice(0, 10),
  );
  assert.deepEqual(
    days.map((day) => [day.date, day.entries.length]),
    [
      ["2026-11-22", 1],
      ["2026-11-21", 2],
    ],
  );
});

test("pages that overlap list a payment once, newest first, as it was last read", () => {
  const old = { ...aPayment("pay_1", "2026-11-22T10:00:00Z"), status: "pending" as const };
  const merged = mergePages(
    [old],
    [aPayment("pay_1", "2026-11-22T10:00:00Z"), aPayment("pay_2", "2026-11-22T11:00:00Z")],
  );
  assert.deepEqual(
    merged.map((one) => [one.id, one.status]),
    [
      ["pay_2", "paid"],
      ["pay_1", "paid"],
    ],
  );
});

test("an order that is partly given back has the rest left to give", () => {
  const part = anOrder({ paid: eur("110"), refunded: eur("30") });
  assert.equal(leftToRefund(part).minor, 80n);
  assert.equal(standing(part), "part-refunded");
  const whole = anOrder({ paid: eur("110"), refunded: eur("110") });
  assert.equal(leftToRefund(whole).minor, 0n);
  assert.equal(standing(whole), "refunded");
  assert.equal(leftToRefund(anOrder({ status: "open" })).minor, 0n);
  assert.equal(standing(anOrder({ status: "expired" })), "expired");
});

test("of a captured hold only what was captured counts as taken and can be given back", () => {
  const part = anOrder({ paid: eur("8000"), captured: eur("6250"), refunded: eur("250") });
  assert.equal(taken(part).minor, 6250n);
  assert.equal(leftToRefund(part).minor, 6000n);
  const held = anOrder({ status: "authorised", paid: eur("8000"), captured: eur("0") });
  assert.equal(taken(held).minor, 8000n);
});

test("a handle is told from a code", () => {
  assert.deepEqual(targetFrom(" @Lina "), { kind: "handle", handle: "lina" });
  assert.deepEqual(targetFrom("cafe-noor"), { kind: "handle", handle: "cafe-noor" });
  assert.deepEqual(targetFrom("000201010212"), { kind: "code", code: "000201010212" });
  assert.deepEqual(targetFrom("https://pay.example/x"), {
    kind: "code",
    code: "https://pay.example/x",
  });
  assert.deepEqual(targetFrom("  "), { kind: "empty" });
});

test("a secret is taken from after the hash mark, and only one that a header can carry", () => {
  assert.equal(secretFrom("#token=abc-123_.~", "token"), "abc-123_.~");
  assert.equal(secretFrom("#wallet=a&till=b", "till"), "b");
  assert.equal(secretFrom("#token=a%0d%0aX: y", "token"), null);
  assert.equal(secretFrom("#/history", "token"), null);
});

test("a party is called by the name it has in the reader's language", () => {
  const cafe = { handle: "cafe", name: "Café", names: { ar: "مقهى" } };
  assert.equal(nameFor(cafe, "ar"), "مقهى");
  assert.equal(nameFor(cafe, "en"), "Café");
  assert.equal(nameFor({ handle: "cafe", name: null, names: null }, "en"), "@cafe");
});

test("time left is counted in whole seconds and ends at nothing", () => {
  const until = new Date("2026-11-22T10:15:00Z");
  const at = (text: string) => timeLeft(until, new Date(text));
  assert.deepEqual(at("2026-11-22T10:00:00Z"), { over: false, minutes: 15, seconds: 0 });
  assert.deepEqual(at("2026-11-22T10:14:59.500Z"), { over: false, minutes: 0, seconds: 1 });
  assert.deepEqual(at("2026-11-22T10:20:00Z"), { over: true, minutes: 0, seconds: 0 });
});

test("each run of dark modules becomes one piece of the path", () => {
  const modules = [
    [true, true, false],
    [false, false, true],
  ];
  assert.equal(pathOf(modules), "M0 0h2v1h-2zM2 1h1v1h-1z");
});

test("a refill is ready once the account has paid its sum after it was made", () => {
  const paid = { ...aPayment("pay_1", "2026-11-22T10:00:00Z"), kind: "refill" } as const;
  const madeAt = paid.created_at.getTime() / 1000;
  const refill = { amount: 100n, madeAt };
  assert.equal(isDebited(refill, [paid]), true);
  assert.equal(isDebited({ ...refill, amount: 50n }, [paid]), false);
  assert.equal(isDebited({ ...refill, madeAt: madeAt + 1 }, [paid]), false);
  assert.equal(isDebited({ ...refill, madeAt: null }, [paid]), false);
  assert.equal(isDebited(refill, [{ ...paid, status: "refused" }]), false);
  assert.equal(isDebited(refill, [{ ...paid, kind: "deposit" }]), false);
});
