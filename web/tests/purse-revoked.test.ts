/** E-cash of a revoked keyset: not paid with, issued anew at its owner's word, a coin at a time. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Coin, sumOf } from "../src/purse/model.ts";
import type { Purse } from "../src/purse/purse.ts";
import { DAY, HOUR, MINUTE, POLICY } from "../src/rules/purse/policy.ts";
import { refusalKey } from "../src/wallet/refusals.ts";
import { ASKED, Device, TIER } from "./purse-device.ts";
import { leaksIn } from "./purse-recorder.ts";

const IDLE = { openSince: 0, paying: false, isAsked: false };
const PRICE = 1_234;
const WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow";

/** Pays with the largest coins, so that change comes back. */
async function pay(device: Device, purse: Purse, order: string): Promise<string> {
  device.mint.orders.set(order, PRICE);
  const offer = await purse.look({ request: order, amount: null, tip: 0, listHash: null });
  assert.ok(offer.kind === "offer");
  return (await purse.pay(offer.id, () => undefined)).kind;
}

const KEPT = 5;

/** A purse of few coins, as each takes its arithmetic. */
async function small(device: Device): Promise<Purse> {
  await device.filled();
  const state = await device.state();
  const coins = state.coins.toSorted((a, b) => b.amount - a.amount).slice(0, KEPT);
  await device.vault.save({ ...state, coins }, null);
  return device.open();
}

/** The mint begins another keyset and gives up the first. */
function revoke(device: Device): string {
  const [old] = device.mint.listed;
  assert.ok(old !== undefined);
  device.mint.addKeyset(2);
  device.mint.revoke(old.id);
  return old.id;
}

/** The purse hears of it in an opening that the person asked for. */
async function hear(device: Device, purse: Purse): Promise<void> {
  await purse.look({ request: "order_0", amount: null, tip: 0, listHash: null });
  await purse.tend({ ...IDLE, openSince: device.now });
}

/** The person presses the button under what the screen shows. */
async function agree(purse: Purse): Promise<void> {
  await purse.issueAnew((await purse.summary()).undecided.map(({ keyset }) => keyset));
}

const anew = (device: Device) =>
  device.mint.sent.filter(({ address }) => address.endsWith("/v1/reissue"));

/** Looks once an hour, as a page that is left open does more often. */
async function waitForAll(device: Device, purse: Purse): Promise<void> {
  for (let hours = 0; hours < 400; hours += 1) {
    device.now += HOUR;
    await purse.tend(IDLE);
    const { plans, exchanges } = (await device.state()).keeping;
    if (plans.length + exchanges.length === 0) return;
  }
  assert.fail("coins are left to be issued anew");
}

test("coins of a revoked keyset wait for their owner's word, however long that takes", async () => {
  const device = new Device();
  const purse = await small(device);
  const worth = await device.worth();
  const until = device.mint.listed[0]?.final_expiry;
  const old = revoke(device);
  await hear(device, purse);
  for (let days = 0; days < 60; days += 1) {
    device.now += DAY;
    await (await device.open()).tend(IDLE);
  }
  assert.deepEqual(anew(device), []);
  assert.deepEqual((await device.state()).keeping.plans, []);
  const { balance, revoked, undecided, ready, stuck, exchanging } = await purse.summary();
  assert.deepEqual([balance, revoked], [BigInt(worth), BigInt(worth)]);
  assert.deepEqual(undecided, [{ keyset: old, amount: BigInt(worth), until }]);
  assert.deepEqual([ready, stuck, exchanging], [0n, 0n, 0n]);
});

test("at their owner's word they are issued anew, over a reload, and then spent again", async () => {
  const device = new Device();
  const first = await small(device);
  const worth = await device.worth();
  const old = revoke(device);
  await hear(device, first);
  await agree(first);
  const purse = await device.open();
  const { balance, revoked, undecided } = await purse.summary();
  assert.deepEqual([balance, revoked, undecided], [BigInt(worth), BigInt(worth), []]);
  const hours = (await device.state()).keeping.plans.map(({ at }) => at - device.now);
  assert.equal(hours.length, KEPT);
  assert.ok(hours.every((rest) => rest >= 30 * MINUTE && rest <= 3 * DAY));
  assert.equal(anew(device).length, 0);
  await waitForAll(device, purse);
  const { coins } = await device.state();
  assert.equal(sumOf(coins), worth);
  assert.ok(coins.every(({ keyset }) => keyset !== old));
  assert.equal((await purse.summary()).revoked, 0n);
  for (const { body } of anew(device)) {
    assert.equal((body?.["inputs"] as unknown[]).length, 1);
    assert.equal((body?.["outputs"] as unknown[]).length, 1);
  }
  device.now += DAY;
  assert.equal(await pay(device, purse, "order_1"), "paid");
  assert.deepEqual(leaksIn(device.mint.journal), []);
});

test("coins of two origins are never issued anew side by side", async () => {
  const device = new Device();
  const purse = await small(device);
  await pay(device, purse, "order_1");
  await pay(device, purse, "order_2");
  const lineages = new Map((await device.state()).coins.map((one) => [one.secret, one.lineage]));
  assert.ok(new Set(lineages.values()).size > 1);
  revoke(device);
  device.now += DAY;
  await hear(device, purse);
  await agree(purse);
  const asked: { at: number; lineage: string }[] = [];
  const goOn = device.mint.fetch;
  Object.assign(device.mint, {
    fetch: async (address: string, init: RequestInit) => {
      if (address.endsWith("/v1/reissue")) {
        const { inputs } = JSON.parse(init.body as string) as { inputs: Coin[] };
        asked.push({ at: device.now, lineage: lineages.get(inputs[0]?.secret ?? "") ?? "" });
      }
      return goOn(address, init);
    },
  });
  // The phone was in a drawer: every hour that was drawn has passed.
  device.now += 4 * DAY;
  const again = await device.open();
  for (let looks = 0; looks < 2_000; looks += 1) {
    await again.tend(IDLE);
    device.now += MINUTE;
    if ((await device.state()).keeping.plans.length === 0) break;
  }
  assert.equal(asked.length, lineages.size);
  const gaps = asked.flatMap(({ at, lineage }, place) => {
    const before = asked[place - 1];
    return before === undefined || before.lineage === lineage ? [] : [at - before.at];
  });
  assert.equal(gaps.length, new Set(lineages.values()).size - 1);
  assert.ok(Math.min(...gaps) >= 25 * MINUTE, `${Math.min(...gaps)} s apart`);
});

test("what the till refuses as false is looked up in the list, and not paid with again", async () => {
  const device = new Device();
  const purse = await device.filled();
  const listHash = await purse.listHash();
  const other = device.mint.addKeyset(2);
  await purse.look({ request: "order_0", amount: null, tip: 0, listHash: null });
  // An older keyset is revoked: the hash in the merchant's code stays what it is.
  const now = await purse.listHash();
  assert.notEqual(now, listHash);
  device.mint.revoke(device.mint.listed.find(({ id }) => id !== other)?.id ?? "");
  device.mint.orders.set("order_1", PRICE);
  const code = { request: "order_1", amount: null, tip: 0, listHash: now };
  const offer = await purse.look(code);
  assert.ok(offer.kind === "offer" && offer.covers);
  const refused = await purse.pay(offer.id, () => undefined);
  assert.ok(refused.kind === "refused" && refused.code === 10001);
  assert.equal(refusalKey(refused.code), "purse.refused.coins");
  assert.equal(await device.worth(), TIER);
  assert.equal((await purse.summary()).revoked, BigInt(TIER));
  const second = await purse.look(code);
  assert.ok(second.kind === "offer" && !second.covers);
  assert.deepEqual(anew(device), []);
});

test("a payment whose change would be of a keyset that signs no more succeeds at the next try", async () => {
  const device = new Device();
  const purse = await device.filled();
  const listHash = await purse.listHash();
  device.mint.orders.set("order_1", PRICE);
  // A printed code keeps the hash that it was printed with, and so has no wallet look again.
  const code = { request: "order_1", amount: null, tip: 0, listHash };
  device.mint.addKeyset(2);
  const first = await purse.look(code);
  assert.ok(first.kind === "offer");
  const refused = await purse.pay(first.id, () => undefined);
  assert.ok(refused.kind === "refused");
  assert.equal(refusalKey(refused.code), "purse.refused.keys", "and is told to");
  const second = await purse.look(code);
  assert.ok(second.kind === "offer");
  assert.equal((await purse.pay(second.id, () => undefined)).kind, "paid");
  assert.equal(await device.worth(), TIER - PRICE);
});

for (const loss of ["before", "after"] as const) {
  test(`an issue anew whose ${loss === "before" ? "request" : "answer"} is lost loses no coin`, async () => {
    const device = new Device();
    const purse = await small(device);
    const worth = await device.worth();
    revoke(device);
    await hear(device, purse);
    await agree(purse);
    device.mint.losses.push(loss, loss, loss);
    await waitForAll(device, await device.open());
    assert.equal(await device.worth(), worth);
    for (const { secret } of (await device.state()).coins) assert.ok(!device.mint.isSpent(secret));
    assert.deepEqual(leaksIn(device.mint.journal), []);
  });
}

/** A first coin is being exchanged because its keyset ends, when that keyset is revoked. */
async function changing(device: Device, loss: "before" | "after"): Promise<Purse> {
  const purse = await small(device);
  const [old] = device.mint.listed;
  device.mint.addKeyset(2);
  await purse.look({ request: "order_0", amount: null, tip: 0, listHash: null });
  const { window_days, margin_days } = POLICY.refresh;
  device.now = (old?.final_expiry ?? 0) - (window_days + margin_days) * DAY;
  await purse.tend(IDLE);
  device.now = Math.min(...(await device.state()).keeping.plans.map(({ at }) => at));
  const goOn = device.mint.fetch;
  const lost = async (address: string, init: RequestInit) => {
    const isLost = /swap|checkstate/.test(address);
    const answer = isLost && loss === "before" ? null : await goOn(address, init);
    if (isLost || answer === null) throw new TypeError("it was lost");
    return answer;
  };
  Object.assign(device.mint, { fetch: lost });
  await (await device.open()).tend(IDLE);
  assert.equal((await device.state()).keeping.exchanges.length, 1);
  Object.assign(device.mint, { fetch: goOn });
  device.mint.revoke(old?.id ?? "");
  return device.open();
}

for (const loss of ["before", "after"] as const) {
  const name = loss === "before" ? "had not arrived" : "had arrived";
  test(`of an exchange that ${name} when its keyset was revoked no issue is shown`, async () => {
    const device = new Device();
    const purse = await changing(device, loss);
    const held = await device.worth();
    for (let hours = 0; hours < 4 * 24; hours += 1) {
      device.now += HOUR;
      await purse.tend(IDLE);
    }
    assert.deepEqual(anew(device), []);
    const { plans, exchanges } = (await device.state()).keeping;
    assert.deepEqual([plans, exchanges], [[], []]);
    assert.ok((await device.worth()) > held);
    await agree(purse);
    await waitForAll(device, purse);
    assert.equal(anew(device).length, loss === "before" ? KEPT : KEPT - 1);
    assert.equal((await purse.summary()).revoked, 0n);
  });
}

test("a coin whose hour has come is not issued anew because the list turns out other", async () => {
  const device = new Device();
  const purse = await small(device);
  const state = await device.state();
  const plans = state.coins.map(({ secret }) => ({ secret, at: device.now }));
  await device.vault.save({ ...state, keeping: { ...state.keeping, plans } }, null);
  revoke(device);
  await purse.tend({ ...IDLE, openSince: device.now - HOUR });
  assert.deepEqual(anew(device), []);
  assert.equal((await device.state()).coins.length, KEPT);
  assert.deepEqual((await device.state()).keeping.plans, []);
});

test("the word is for the keysets that were shown, and another one is asked about again", async () => {
  const device = new Device();
  const purse = await small(device);
  const first = revoke(device);
  await hear(device, purse);
  await purse.issueAnew(device.mint.listed.map(({ id }) => id));
  await waitForAll(device, purse);
  const [second] = device.mint.listed.slice(1);
  assert.ok(second !== undefined);
  device.mint.addKeyset(3);
  device.mint.revoke(second.id);
  await hear(device, purse);
  const shown = anew(device).length;
  await purse.issueAnew([first]);
  for (let days = 0; days < 5; days += 1) {
    device.now += DAY;
    await purse.tend(IDLE);
  }
  assert.equal(anew(device).length, shown);
  const { undecided } = await purse.summary();
  assert.deepEqual(
    undecided.map(({ keyset }) => keyset),
    [second.id],
  );
  await agree(purse);
  await waitForAll(device, purse);
  assert.equal(anew(device).length, 2 * shown);
});

test("whoever waits is filled for at an idle moment, and nothing is hurried", async () => {
  const device = new Device();
  const purse = await device.filled();
  const leave = device.named.calls.length;
  revoke(device);
  await hear(device, purse);
  const opened = { ...IDLE, openSince: device.now };
  assert.equal(await purse.fill(device.named, opened), "not-now");
  assert.equal(device.named.calls.length, leave);
  device.now += HOUR;
  assert.equal(await purse.fill(device.named, opened), "left");
});

test("a coin without its factor stays, is not shown as spendable, and hinders nothing", async () => {
  const device = new Device();
  const purse = await device.filled();
  const state = await device.state();
  const bare = state.coins.map(({ r: _, ...coin }) => coin);
  await device.vault.save({ ...state, coins: bare }, null);
  revoke(device);
  await hear(device, purse);
  device.now += 4 * DAY;
  await purse.tend(IDLE);
  const { revoked, stuck, ready } = await purse.summary();
  assert.deepEqual([revoked, stuck, ready], [BigInt(TIER), BigInt(TIER), 0n]);
  assert.equal(anew(device).length, 0);
  assert.equal(await purse.fill(device.named, ASKED), "left");
});

test("what the mint does not issue anew is kept, and asked for again a day later", async () => {
  const device = new Device();
  const purse = await device.filled();
  const state = await device.state();
  const [coin] = state.coins;
  assert.ok(coin !== undefined);
  await device.vault.save({ ...state, coins: [{ ...coin, r: "1".repeat(64) }] }, null);
  revoke(device);
  await hear(device, purse);
  await agree(purse);
  device.now += 3 * DAY;
  await purse.tend(IDLE);
  assert.equal(anew(device).length, 1);
  assert.equal(await device.worth(), coin.amount);
  const [plan] = (await device.state()).keeping.plans;
  assert.equal(plan?.at, device.now + DAY);
});

test("the factor goes into the sealed backup, so that another device can have it issued anew", async () => {
  const device = new Device();
  const purse = await small(device);
  const worth = await device.worth();
  await purse.keepPhrase(WORDS);
  await purse.fill(device.named, ASKED);
  revoke(device);
  const other = new Device();
  Object.assign(other, { mint: device.mint, named: device.named, now: device.now });
  const taken = await other.open();
  assert.deepEqual(await taken.restore(device.named, WORDS), { kind: "restored", amount: worth });
  other.now += DAY;
  await taken.tend(IDLE);
  assert.deepEqual(anew(device), []);
  await agree(taken);
  await waitForAll(other, taken);
  assert.equal(await other.worth(), worth);
  assert.deepEqual(leaksIn(device.mint.journal), []);
});

test("closing leaves revoked coins where they are, and moves the others", async () => {
  const device = new Device();
  const purse = await small(device);
  revoke(device);
  await hear(device, purse);
  await agree(purse);
  await waitForAll(device, purse);
  const state = await device.state();
  const [first, ...rest] = state.coins;
  assert.ok(first !== undefined);
  device.mint.addKeyset(3);
  device.mint.revoke(first.keyset);
  await hear(device, purse);
  assert.equal((await purse.close(device.named, () => undefined)).kind, "too-little");
  assert.equal(await device.worth(), first.amount + sumOf(rest));
});
