import assert from "node:assert/strict";
import { test } from "node:test";
import { sumOf } from "../src/purse/model.ts";
import type { Purse } from "../src/purse/purse.ts";
import { refundQuoteOf } from "../src/purse/refunding.ts";
import { NOT_SENT, OTHER_PRICE, type Paid } from "../src/purse/talk.ts";
import { POLICY } from "../src/rules/purse/policy.ts";
import { ASKED, Device, NOW, TIER, memoryLocks, offerOf, orderOf } from "./purse-device.ts";
import { TestNamedSide } from "./purse-mint.ts";
import { leaksIn } from "./purse-recorder.ts";

test("a refill left with the operator becomes coins once it is signed", async () => {
  const device = new Device();
  const purse = await device.filled();
  const { balance, ready, crowd } = await purse.summary();
  assert.equal(balance, BigInt(TIER));
  assert.equal(ready, BigInt(TIER));
  assert.equal(crowd, 1200);
  assert.equal((await device.state()).coins.length, POLICY.refill.outputs);
  assert.equal((await device.state()).refills.length, 0);
});

test("every refill has as many outputs, sorted, and nothing that unblinds them goes along", async () => {
  const device = new Device();
  await device.filled();
  const outputs = device.named.left?.outputs ?? [];
  assert.equal(outputs.length, POLICY.refill.outputs);
  assert.deepEqual(
    outputs.map(({ amount }) => amount),
    outputs.map(({ amount }) => amount).toSorted((a, b) => a - b),
  );
});

test("a payment takes the coins, brings change to rest, and leaves a receipt", async () => {
  const device = new Device();
  const purse = await device.filled();
  device.mint.orders.set("order_1", 1_250);
  const offer = await offerOf(purse, "order_1");
  assert.equal(offer.amount, 1_250);
  assert.equal(offer.payee?.name, "Souk");
  const paid = await purse.pay(offer.id, () => assert.fail("there was no doubt"));
  assert.equal(paid.kind, "paid");
  assert.equal(await device.worth(), TIER - 1_250);
  const [receipt] = await purse.receipts();
  assert.equal(receipt?.amount, 1_250);
  assert.equal(receipt?.missing, 0);
  assert.equal(receipt?.signed, '{"order":"as signed"}');
  assert.deepEqual(leaksIn(device.mint.journal), []);
});

test("change rests before it is spent again", async () => {
  const device = new Device();
  const purse = await device.filled();
  // More than the small coins hold, and no sum of what the purse has but with change.
  const state = await device.state();
  const large = state.coins.filter(({ amount }) => amount >= 1024);
  await device.vault.save({ ...state, coins: large.slice(0, 1) }, null);
  const before = await device.worth();
  device.mint.orders.set("order_1", 1_000);
  await purse.pay((await offerOf(purse, "order_1")).id, () => undefined);
  assert.equal((await purse.summary()).balance, BigInt(before - 1_000));
  assert.equal((await purse.summary()).ready, 0n);
  device.now += POLICY.spend.change_rest_minutes.to * 60 + 1;
  assert.equal((await purse.summary()).ready, BigInt(before - 1_000));
});

for (const loss of ["before", "after"] as const) {
  test(`a payment whose ${loss === "before" ? "request" : "answer"} is lost is paid once`, async () => {
    const device = new Device();
    const purse = await device.filled();
    device.mint.orders.set("order_1", 777);
    device.mint.losses.push(loss, loss);
    const offer = await offerOf(purse, "order_1");
    let doubts = 0;
    const paid = await purse.pay(offer.id, () => (doubts += 1));
    assert.equal(paid.kind, "paid");
    assert.equal(doubts > 0, loss === "before");
    assert.equal(await device.worth(), TIER - 777);
    assert.deepEqual(leaksIn(device.mint.journal), []);
  });

  test(`a page that ends after its ${loss === "before" ? "request" : "answer"} was lost loses nothing`, async () => {
    const device = new Device();
    const purse = await device.filled();
    device.mint.orders.set("order_1", 1_234);
    device.mint.losses.push(loss);
    const state = await device.state();
    await device.vault.save({ ...state, coins: state.coins.filter((c) => c.amount > 900) }, null);
    const before = await device.worth();
    const offer = await offerOf(purse, "order_1");
    const ended = device.locks;
    // The page ends: whatever it would still do is cut off at its next request.
    const cut = new Promise<never>(() => undefined);
    const goOn = device.mint.fetch;
    let sent = 0;
    Object.assign(device.mint, {
      fetch: async (address: string, init: RequestInit) => {
        if (address.endsWith("/amana-merchant") && !address.includes("quote")) sent += 1;
        else if (sent > 0) return cut;
        return goOn(address, init);
      },
    });
    const first = await device.open();
    const again = await offerOf(first, "order_1");
    void first.pay(again.id, () => undefined);
    for (let turn = 0; sent === 0; turn += 1) {
      assert.ok(turn < 10_000, "the payment was never sent");
      await new Promise(setImmediate);
    }
    await new Promise(setImmediate);
    assert.equal((await device.state()).spends.length, 1);
    Object.assign(device.mint, { fetch: goOn });
    Object.assign(device, { locks: memoryLocks() });
    assert.notEqual(device.locks, ended);
    assert.equal(offer.covers, true);
    const outcomes: Paid[] = [];
    const second = await device.open();
    await second.resume(
      (outcome) => outcomes.push(outcome),
      () => undefined,
    );
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["paid"],
    );
    assert.equal(await device.worth(), before - 1_234);
    assert.equal((await device.state()).spends.length, 0);
    assert.deepEqual(leaksIn(device.mint.journal), []);
  });
}

test("a refusal gives the coins back as they were", async () => {
  const device = new Device();
  const purse = await device.filled();
  device.mint.orders.set("order_1", 500);
  const offer = await offerOf(purse, "order_1");
  const goOn = device.mint.fetch;
  Object.assign(device.mint, {
    fetch: async (address: string, init: RequestInit) =>
      address.endsWith("/v1/melt/amana-merchant")
        ? Response.json({ code: 20007, detail: "quote is expired" }, { status: 400 })
        : goOn(address, init),
  });
  const other = await device.open();
  const refused = await other.pay((await offerOf(other, "order_1")).id, () => undefined);
  assert.deepEqual(refused, { kind: "refused", code: 20007, detail: "quote is expired" });
  assert.equal(offer.covers, true);
  assert.equal(await device.worth(), TIER);
  assert.equal((await device.state()).spends.length, 0);
});

test("coins that somebody else spent are not counted any more", async () => {
  const device = new Device();
  const purse = await device.filled();
  device.mint.orders.set("order_1", 500);
  const copy = device.vault.kept;
  await purse.pay((await offerOf(purse, "order_1")).id, () => undefined);
  const left = await device.worth();
  device.vault.kept = copy;
  const restored = await device.open();
  device.mint.orders.set("order_2", 500);
  const outcome = await restored.pay((await offerOf(restored, "order_2")).id, () => undefined);
  assert.equal(outcome.kind, "refused");
  assert.equal(await device.worth(), left);
});

test("a purse that is too small says so, and nothing is withdrawn for it", async () => {
  const device = new Device();
  const purse = await device.filled();
  device.mint.orders.set("order_1", TIER + 1);
  const calls = device.named.calls.length;
  const offer = await offerOf(purse, "order_1");
  assert.equal(offer.covers, false);
  assert.equal((await purse.pay(offer.id, () => undefined)).kind, "refused");
  assert.equal(device.named.calls.length, calls);
  assert.equal(
    device.mint.sent.filter(({ address }) => address.endsWith("/v1/melt/amana-merchant")).length,
    0,
  );
});

test("a payment is never the reason to speak to the named side", async () => {
  const device = new Device();
  const purse = await device.filled();
  device.mint.orders.set("order_1", TIER - 1_000);
  const offer = await offerOf(purse, "order_1");
  const calls = device.named.calls.length;
  assert.equal(await purse.fill(device.named, ASKED), "not-now");
  await purse.pay(offer.id, () => undefined);
  device.now += POLICY.refill.idle_seconds + 1;
  const moment = { openSince: NOW, paying: false, isAsked: false };
  assert.equal(await purse.fill(device.named, moment), "not-now");
  assert.equal(device.named.calls.length, calls);
  device.now += POLICY.refill.quiet_minutes * 60;
  assert.equal(await purse.fill(device.named, moment), "left");
});

test("a signature without the proof of its key is refused, and what was owed is on the receipt", async () => {
  const device = new Device();
  const purse = await device.filled();
  const state = await device.state();
  await device.vault.save(
    { ...state, coins: state.coins.filter(({ amount }) => amount > 900).slice(0, 1) },
    null,
  );
  const before = await device.worth();
  device.mint.withoutDleq = true;
  device.mint.orders.set("order_1", 900);
  const paid = await purse.pay((await offerOf(purse, "order_1")).id, () => undefined);
  assert.equal(paid.kind === "paid" ? paid.receipt.missing : null, before - 900);
  assert.equal(await device.worth(), 0);
});

test("a refill without proofs of its keys makes no coins, and is kept", async () => {
  const device = new Device();
  const purse = await device.open();
  await purse.setStarted(true);
  await purse.fill(device.named, ASKED);
  device.mint.withoutDleq = true;
  device.named.sign();
  assert.equal(await purse.fill(device.named, ASKED), "false-signatures");
  assert.equal(await device.worth(), 0);
  assert.equal((await device.state()).refills.length, 1);
});

test("a refill whose leaving got no answer is left again with the same outputs", async () => {
  const device = new Device();
  const purse = await device.open();
  await purse.setStarted(true);
  device.named.loseAnswers = 1;
  assert.equal(await purse.fill(device.named, ASKED), "lost");
  const first = device.named.left?.outputs;
  assert.equal(await (await device.open()).fill(device.named, ASKED), "left");
  assert.deepEqual(device.named.left?.outputs, first);
});

test("a refill that was signed and then replaced elsewhere is found at the mint", async () => {
  const device = new Device();
  const purse = await device.open();
  await purse.setStarted(true);
  await purse.fill(device.named, ASKED);
  device.named.sign();
  device.named.left = null;
  await purse.setStarted(false);
  assert.equal(await purse.fill(device.named, ASKED), "arrived");
  assert.equal(await device.worth(), TIER);
});

test("a young purse leaves its second refill as the first one comes, and no third", async () => {
  const device = new Device();
  const purse = await device.open();
  await purse.setStarted(true);
  for (const filled of ["left", "left", "arrived"]) {
    assert.equal(await purse.fill(device.named, ASKED), filled);
    device.named.sign();
  }
  assert.equal(await device.worth(), 2 * TIER);
  assert.equal((await device.state()).refills.length, 0);
});

test("two taps, or two tabs, make one payment", async () => {
  const device = new Device();
  const [one, other] = [await device.filled(), await device.open()];
  device.mint.orders.set("order_1", 640);
  const offer = await offerOf(one, "order_1");
  const theirs = await offerOf(other, "order_1");
  const outcomes = await Promise.all([
    one.pay(offer.id, () => undefined),
    one.pay(offer.id, () => undefined),
    other.pay(theirs.id, () => undefined),
  ]);
  const notSent = { kind: "refused", code: NOT_SENT, detail: "" };
  assert.equal(outcomes.find(({ kind }) => kind === "paid")?.kind, "paid");
  assert.deepEqual(
    outcomes.filter(({ kind }) => kind !== "paid"),
    [notSent, notSent],
  );
  await other.resume(
    () => assert.fail("there is nothing to finish"),
    () => undefined,
  );
  assert.equal(await device.worth(), TIER - 640);
});

test("a look takes the place of the one before, as with a tip, and nothing waits for what was left", async () => {
  const device = new Device();
  const purse = await device.filled();
  device.mint.orders.set("order_1", 1_250);
  const first = await offerOf(purse, "order_1");
  device.mint.orders.set("order_1", 1_300);
  const tipped = await purse.look({ ...orderOf("order_1"), tip: 50, listHash: null });
  assert.ok(tipped.kind === "offer" && tipped.amount === 1_300);
  assert.equal((await purse.pay(first.id, () => undefined)).kind, "refused");
  assert.equal(await purse.fill(device.named, ASKED), "not-now");
  purse.forget();
  assert.notEqual(await purse.fill(device.named, ASKED), "not-now");
  const left = purse.look({ ...orderOf("order_1"), listHash: null });
  purse.forget();
  assert.deepEqual(await left, { kind: "lost" });
  assert.notEqual(await purse.fill(device.named, ASKED), "not-now");
});

test("money goes back into the account in tiers, and in no other sums", async () => {
  const device = new Device();
  const purse = await device.filled();
  assert.equal((await purse.deposit(device.named, 2_345, () => undefined)).kind, "off-menu");
  assert.equal((await purse.deposit(device.named, 5_000, () => undefined)).kind, "paid");
  assert.equal(await device.worth(), TIER - 5_000);
  assert.equal((await purse.deposit(device.named, 20_000, () => undefined)).kind, "too-little");
  assert.deepEqual(leaksIn(device.mint.journal), []);
});

test("a quote for another price, or with a fee that no screen shows, is not paid", async () => {
  const device = new Device();
  const purse = await device.filled();
  device.mint.orders.set("order_1", 1_250);
  const byHandle = { request: "@souk", amount: 1_000, tip: 10, listHash: null };
  const refused = { kind: "refused", code: OTHER_PRICE, detail: "" };
  device.mint.feeReserve = 300;
  assert.deepEqual(await purse.look({ ...orderOf("order_1"), listHash: null }), refused);
  assert.deepEqual(await purse.deposit(device.named, 5_000, () => undefined), refused);
  device.mint.feeReserve = 0;
  device.mint.markUp = 11;
  assert.deepEqual(await purse.look(byHandle), refused);
  assert.deepEqual(await purse.deposit(device.named, 5_000, () => undefined), refused);
  assert.equal(await device.worth(), TIER);
  device.mint.markUp = 10;
  assert.equal((await purse.look(byHandle)).kind, "offer", "the tip is in it");
});

test("a list of keysets that forgets one is kept out, and nothing is paid with it", async () => {
  const device = new Device();
  const purse = await device.filled();
  device.mint.listed = [];
  device.mint.addKeyset(7);
  const offer = await purse.look({ ...orderOf("order_1"), listHash: "00".repeat(16) });
  assert.equal(offer.kind, "other-keys");
  assert.equal((await purse.summary()).list, "broken");
  assert.equal((await purse.look({ ...orderOf("order_1"), listHash: null })).kind, "other-keys");
});

test("a code made with a list that has grown since is found to agree", async () => {
  const device = new Device();
  const purse = await device.filled();
  device.mint.addKeyset(2);
  const elsewhere = new Device();
  Object.assign(elsewhere, { mint: device.mint, named: new TestNamedSide(device.mint) });
  const listHash = await (await elsewhere.filled()).listHash();
  device.mint.orders.set("order_1", 100);
  assert.equal((await purse.look({ ...orderOf("order_1"), listHash })).kind, "offer");
});

async function refunded(device: Device, purse: Purse, amount: number): Promise<string> {
  device.mint.orders.set("order_1", 1_500);
  const paid = await purse.pay((await offerOf(purse, "order_1")).id, () => undefined);
  assert.ok(paid.kind === "paid" && paid.receipt.refundKey !== null);
  const quote = await refundQuoteOf(paid.receipt.refundKey);
  const key = device.mint.refundKeys.at(-1) ?? "";
  device.mint.refunds.set(quote, { key, paid: amount, issued: 0 });
  return paid.receipt.id;
}

test("a refund comes to whoever has the payment's key, once", async () => {
  const device = new Device();
  const purse = await device.filled();
  const receipt = await refunded(device, purse, 700);
  assert.equal(await purse.askRefund(receipt), "arrived");
  assert.equal(await purse.askRefund(receipt), "none");
  assert.equal(await device.worth(), TIER - 1_500 + 700);
  assert.deepEqual(leaksIn(device.mint.journal), []);
});

test("a refund has an entry of its own, one a payment however often something comes back", async () => {
  const device = new Device();
  const purse = await device.filled();
  const receipt = await refunded(device, purse, 700);
  const quote = await refundQuoteOf((await purse.receipts())[0]?.refundKey ?? "");
  await purse.askRefund(receipt);
  const whole = device.mint.refunds.get(quote);
  assert.ok(whole !== undefined);
  device.mint.refunds.set(quote, { ...whole, paid: 900 });
  device.now += 60;
  assert.equal(await purse.askRefund(receipt), "arrived");
  assert.deepEqual((await purse.summary()).arrivals, [
    { id: receipt, source: "refund", amount: 900, at: device.now },
  ]);
});

test("change that rests is told from what came in otherwise", async () => {
  const device = new Device();
  const purse = await device.filled();
  assert.deepEqual((await purse.summary()).resting, { change: 0n, received: 0n });
  // Two coins that are more than the price: the rest comes back as change.
  const state = await device.state();
  const coins = state.coins.filter(({ amount }) => amount >= 1_024).slice(0, 2);
  await device.vault.save({ ...state, coins }, null);
  const receipt = await refunded(device, purse, 700);
  const change = BigInt(sumOf(coins) - 1_500);
  assert.deepEqual((await purse.summary()).resting, { change, received: 0n });
  await purse.askRefund(receipt);
  assert.deepEqual((await purse.summary()).resting, { change, received: 700n });
});

for (const loss of ["before", "after"] as const) {
  test(`a refund whose ${loss === "before" ? "request" : "answer"} is lost is fetched once`, async () => {
    const device = new Device();
    const purse = await device.filled();
    const receipt = await refunded(device, purse, 700);
    device.mint.losses.push(loss);
    assert.equal(await purse.askRefund(receipt), loss === "before" ? "lost" : "arrived");
    if (loss === "before") {
      const [begun] = (await device.state()).refunds;
      assert.equal(await (await device.open()).askRefund(receipt), "arrived");
      const sent = device.mint.sent.findLast(({ address }) =>
        address.endsWith("/mint/amana-refund"),
      );
      const outputs = sent?.body?.["outputs"] as { B_: string }[];
      assert.deepEqual(
        outputs.map(({ B_ }) => B_),
        begun?.outputs.map(({ B_ }) => B_),
      );
    }
    assert.equal(await device.worth(), TIER - 1_500 + 700);
    assert.equal((await device.state()).refunds.length, 0);
  });
}

test("a refund is asked for by itself, once, within the policy's window", async () => {
  const device = new Device();
  const purse = await device.filled();
  await refunded(device, purse, 400);
  const asked = () => device.mint.sent.filter(({ address }) => address.includes("amana-refund"));
  const { from, to } = POLICY.refund_ask_hours;
  device.now += from * 3_600 - 1;
  const idle = { openSince: NOW, paying: false, isAsked: false };
  await purse.fill(device.named, idle);
  assert.equal(asked().length, 0);
  device.now += to * 3_600;
  await purse.fill(device.named, idle);
  const [question, fetching, ...more] = asked();
  assert.ok(question !== undefined && fetching !== undefined && more.length === 0);
  assert.equal((await device.state()).asks.length, 0);
});
