/** Answers that are odd rather than lost: whatever they are, no e-cash is given up for them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sumOf } from "../src/purse/model.ts";
import { nobody } from "../src/purse/people-model.ts";
import type { Purse } from "../src/purse/purse.ts";
import { refundQuoteOf } from "../src/purse/refunding.ts";
import { POLICY } from "../src/rules/purse/policy.ts";
import { ASKED, Device, NOW, TIER } from "./purse-device.ts";
import { leaksIn } from "./purse-recorder.ts";

const IDLE = { openSince: 0, paying: false, isAsked: false };
const WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const PRICE = 1_500;
const GIVEN_BACK = 700;

async function waiting(): Promise<{ device: Device; purse: Purse }> {
  const device = new Device();
  const purse = await device.open();
  await purse.setStarted(true);
  assert.equal(await purse.fill(device.named, ASKED), "left");
  return { device, purse };
}

test("a refill that waits for a keyset that has ended is left anew, of the same sum", async () => {
  const { device, purse } = await waiting();
  const before = device.named.left;
  const fresh = device.mint.addKeyset(2);
  assert.equal(await purse.fill(device.named, ASKED), "left");
  assert.notEqual(device.named.left, before);
  assert.equal(device.named.left?.keyset, fresh);
  assert.equal(await purse.fill(device.named, ASKED), "waiting");
  device.named.sign();
  await purse.setStarted(false);
  assert.equal(await purse.fill(device.named, ASKED), "arrived");
  assert.equal(await device.worth(), TIER);
  await purse.fill(device.named, ASKED);
  assert.equal((await device.state()).refills.length, 0);
});

test("a refill that was signed while it was left anew comes in as well", async () => {
  const { device, purse } = await waiting();
  for (const output of device.named.left?.outputs ?? []) device.mint.sign(output);
  device.mint.addKeyset(2);
  assert.equal(await purse.fill(device.named, ASKED), "left");
  device.named.sign();
  await purse.fill(device.named, ASKED);
  await purse.fill(device.named, ASKED);
  assert.equal(await device.worth(), 2 * TIER);
});

test("a refill whose second attempt is refused is looked for before it is given up", async () => {
  const device = new Device();
  const purse = await device.open();
  await purse.setStarted(true);
  device.named.loseAnswers = 1;
  assert.equal(await purse.fill(device.named, ASKED), "lost");
  const { left } = device.named;
  device.named.left = null;
  device.named.leave = async () => "refused";
  assert.equal(await purse.fill(device.named, ASKED), "refused");
  device.named.left = left;
  device.named.sign();
  device.named.left = null;
  // It has come, and the second one is refused.
  assert.equal(await purse.fill(device.named, ASKED), "refused");
  assert.equal(await device.worth(), TIER);
});

test("a refill that is signed without proof is kept until it is proven", async () => {
  const { device, purse } = await waiting();
  device.mint.withoutDleq = true;
  device.named.sign();
  device.named.left = null;
  assert.equal(await purse.fill(device.named, ASKED), "false-signatures");
  assert.equal((await device.state()).refills.length, 1);
  device.mint.withoutDleq = false;
  for (const { B_, amount, keyset } of (await device.state()).refills[0]?.outputs ?? []) {
    device.mint.sign({ B_, amount, id: keyset });
  }
  assert.equal(await purse.fill(device.named, ASKED), "left");
  assert.equal(await device.worth(), TIER);
});

async function refundDue(device: Device, purse: Purse): Promise<string> {
  device.mint.orders.set("order_1", PRICE);
  const offer = await purse.look({ request: "order_1", amount: null, tip: 0, listHash: null });
  assert.ok(offer.kind === "offer");
  const paid = await purse.pay(offer.id, () => undefined);
  assert.ok(paid.kind === "paid" && paid.receipt.refundKey !== null);
  const quote = await refundQuoteOf(paid.receipt.refundKey);
  const key = device.mint.refundKeys.at(-1) ?? "";
  device.mint.refunds.set(quote, { key, paid: GIVEN_BACK, issued: 0 });
  return paid.receipt.id;
}

test("a refund whose outputs are refused is asked for again by itself, with others", async () => {
  const device = new Device();
  const purse = await device.filled();
  await refundDue(device, purse);
  const goOn = device.mint.fetch;
  let refusals = 0;
  Object.assign(device.mint, {
    fetch: async (address: string, init: RequestInit) => {
      if (!address.endsWith("/v1/mint/amana-refund")) return goOn(address, init);
      refusals += 1;
      return Response.json({ code: 12002, detail: "Keyset is inactive" }, { status: 400 });
    },
  });
  device.now += POLICY.refund_ask_hours.to * 3_600;
  const again = await device.open();
  await again.fill(device.named, ASKED);
  assert.equal(refusals, 1);
  const { refunds, asks } = await device.state();
  assert.deepEqual([refunds.length, asks.length], [0, 1]);
  Object.assign(device.mint, { fetch: goOn });
  device.now += POLICY.refund_ask_hours.to * 3_600;
  const before = await device.worth();
  await (await device.open()).fill(device.named, ASKED);
  assert.equal(await device.worth(), before + GIVEN_BACK);
  assert.equal((await device.state()).asks.length, 0);
});

test("a refund that is signed without proof is kept until it is proven", async () => {
  const device = new Device();
  const purse = await device.filled();
  const receipt = await refundDue(device, purse);
  const before = await device.worth();
  device.mint.withoutDleq = true;
  assert.equal(await purse.askRefund(receipt), "lost");
  const [kept] = (await device.state()).refunds;
  assert.ok(kept !== undefined);
  device.mint.withoutDleq = false;
  for (const { B_, amount, keyset } of kept.outputs) device.mint.sign({ B_, amount, id: keyset });
  assert.equal(await purse.askRefund(receipt), "arrived");
  assert.equal(await device.worth(), before + GIVEN_BACK);
});

test("change of a payment whose quote the mint has forgotten comes in all the same", async () => {
  const device = new Device();
  const purse = await device.filled();
  device.mint.orders.set("order_1", PRICE);
  await purse.look({ request: "order_1", amount: null, tip: 0, listHash: null });
  const goOn = device.mint.fetch;
  Object.assign(device.mint, {
    fetch: async (address: string, init: RequestInit) => {
      const answer = await goOn(address, init);
      if (address.endsWith("/v1/melt/amana-merchant")) {
        return Response.json({ code: 0, detail: "quote not found" }, { status: 400 });
      }
      if (!address.includes("/v1/melt/quote/")) return answer;
      if (init.method === "POST") return answer;
      return Response.json({ code: 0, detail: "quote not found" }, { status: 400 });
    },
  });
  const again = await device.open();
  const other = await again.look({ request: "order_1", amount: null, tip: 0, listHash: null });
  assert.ok(other.kind === "offer");
  const ended = await again.pay(other.id, () => undefined);
  assert.ok(ended.kind === "paid" && ended.receipt.missing === 0);
  assert.equal(await device.worth(), TIER - PRICE);
});

/** A payment that is on the screen and not agreed to yet, and how its device stores. */
async function reviewed() {
  const device = new Device();
  const purse = await device.filled();
  device.mint.orders.set("order_1", PRICE);
  const offer = await purse.look({ request: "order_1", amount: null, tip: 0, listHash: null });
  assert.ok(offer.kind === "offer");
  return { device, purse, offer: offer.id, save: device.vault.save.bind(device.vault) };
}

for (const told of [0, 1]) {
  test(`change of which ${told} came with the answer is asked for again`, async () => {
    const device = new Device();
    const purse = await device.filled();
    device.mint.orders.set("order_1", 1_250);
    device.mint.changeTold = told;
    const offer = await purse.look({ request: "order_1", amount: null, tip: 0, listHash: null });
    assert.ok(offer.kind === "offer" && offer.covers);
    await purse.pay(offer.id, () => undefined);
    assert.equal(await device.worth(), TIER - 1_250);
    assert.equal((await purse.receipts())[0]?.missing, 0);
    assert.deepEqual(leaksIn(device.mint.journal), []);
  });
}

test("a device that cannot store a payment does not send it, and says that it did not", async () => {
  const { device, purse, offer, save } = await reviewed();
  device.vault.save = async () => {
    throw new Error("no room");
  };
  assert.equal((await purse.pay(offer, () => undefined)).kind, "refused");
  const paid = device.mint.sent.filter(({ address }) => address.endsWith("/melt/amana-merchant"));
  assert.equal(paid.length, 0);
  device.vault.save = save;
  assert.equal(await device.worth(), TIER);
});

test("a device that cannot store the end of a payment leaves it to be carried on", async () => {
  const { device, purse, offer, save } = await reviewed();
  device.vault.save = async (state, receipt) => {
    if (receipt !== null) throw new Error("no room");
    return save(state, receipt);
  };
  await assert.rejects(purse.pay(offer, () => undefined));
  device.vault.save = save;
  const ends: string[] = [];
  await purse.resume(
    ({ kind }) => ends.push(kind),
    () => undefined,
  );
  assert.deepEqual(ends, ["paid"]);
  assert.equal(await device.worth(), TIER - PRICE);
});

test("a device that met people before its purse was taken over keeps both sides", async () => {
  const device = new Device();
  const purse = await device.filled();
  await purse.keepPhrase(WORDS);
  assert.equal((await purse.people.give(null, 5)).kind, "given");
  const before = await device.state();
  const [coin] = before.coins;
  assert.ok(coin !== undefined);
  const inputs = [{ ...coin, ephemeral: null, witness: null }];
  const held = { id: "1", stage: "held", amount: 1, inputs, until: NOW, at: NOW } as const;
  const met = { C: coin.C, until: NOW };
  const key = "2".repeat(64);
  const people = { ...before.people, key, held: [held], met: [met] };
  await device.vault.save({ ...before, people }, null);
  device.now += 30 * 86_400;
  await purse.fill(device.named, ASKED);
  const other = new Device();
  Object.assign(other, { mint: device.mint, named: device.named, now: device.now });
  const taken = await other.open();
  const fresh = { ...nobody(), key: "1".repeat(64), met: [{ ...met, C: "other" }] };
  const start = { ...(await device.state()), coins: [], refills: [], people: fresh };
  await other.vault.save(start, null);
  assert.equal((await taken.restore(device.named, WORDS)).kind, "restored");
  const { people: both, coins } = await other.state();
  assert.equal(both.key, "1".repeat(64));
  assert.deepEqual(both.olderKeys, [key]);
  assert.deepEqual([both.held?.length, both.met?.length], [1, 2]);
  const [handing] = both.handings;
  assert.ok(handing !== undefined);
  const worth = sumOf(coins);
  assert.deepEqual(await taken.people.takeBack(handing.id), { kind: "taken", amount: 5 });
  assert.equal(await other.worth(), worth + 5);
});

test("a purse that was taken over leaves a backup of its own once its coins are exchanged", async () => {
  const device = new Device();
  const purse = await device.filled();
  await purse.keepPhrase(WORDS);
  await purse.fill(device.named, ASKED);
  const puts = () => device.named.calls.filter((call) => call === "PUT backup").length;
  const before = puts();
  const other = new Device();
  Object.assign(other, { mint: device.mint, named: device.named, now: device.now });
  const taken = await other.open();
  await taken.restore(device.named, WORDS);
  assert.equal((await taken.summary()).backup?.lastAt, null);
  await taken.fill(device.named, IDLE);
  assert.equal(puts(), before);
  other.now += POLICY.restore.exchange_minutes.to * 60;
  for (let looks = 0; (await other.state()).keeping.plans.length > 0; looks += 1) {
    assert.ok(looks < 20, "coins are left to be exchanged");
    await taken.fill(device.named, IDLE);
    assert.equal(puts(), before);
    await taken.tend(IDLE);
  }
  await taken.fill(device.named, IDLE);
  assert.equal(puts(), before + 1);
  const third = new Device();
  Object.assign(third, { mint: device.mint, named: device.named, now: other.now });
  const again = await (await third.open()).restore(device.named, WORDS);
  assert.deepEqual(again, { kind: "restored", amount: TIER });
});
