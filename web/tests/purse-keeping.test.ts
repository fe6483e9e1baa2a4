/** Backups, taking a purse over to another device, and exchanging coins one by one. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { contentsOf, seal, unseal } from "../src/purse/backup.ts";
import { type Coin, type Receipt, sumOf } from "../src/purse/model.ts";
import { keyOfPhrase, newPhrase, slipOf } from "../src/purse/phrase.ts";
import type { Purse } from "../src/purse/purse.ts";
import { DAY, HOUR, MINUTE, POLICY } from "../src/rules/purse/policy.ts";
import { ASKED, Device, NOW, TIER } from "./purse-device.ts";
import { leaksIn } from "./purse-recorder.ts";

const WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const IDLE = { openSince: 0, paying: false, isAsked: false };
const PRICE = 1_234;

/** A full purse with a recovery phrase, its backup left in an opening that the person asked for. */
async function backedUp(device: Device): Promise<Purse> {
  const purse = await device.filled();
  assert.ok(await purse.keepPhrase(WORDS));
  await purse.fill(device.named, ASKED);
  assert.ok(device.named.kept !== null);
  return purse;
}

/** Another device of the same person, at the same mint and operator. */
function otherDevice(of: Device): Device {
  const other = new Device();
  Object.assign(other, { mint: of.mint, named: of.named, now: of.now });
  return other;
}

async function pay(device: Device, purse: Purse, order: string): Promise<void> {
  device.mint.orders.set(order, PRICE);
  const offer = await purse.look({ request: order, amount: null, tip: 0, listHash: null });
  assert.ok(offer.kind === "offer" && offer.covers);
  assert.equal((await purse.pay(offer.id, () => undefined)).kind, "paid");
}

/** Looks again and again, as an idle page does, until nothing is left to exchange. */
async function exchangeAll(device: Device, purse: Purse): Promise<void> {
  for (let looks = 0; looks < 100; looks += 1) {
    await purse.tend(IDLE);
    const { plans, exchanges } = (await device.state()).keeping;
    if (plans.length + exchanges.length === 0) return;
  }
  assert.fail("coins are left to be exchanged");
}

const swaps = (device: Device) =>
  device.mint.sent.filter(({ address }) => address.endsWith("/v1/swap"));

test("a phrase has twelve words, and the key follows from them alone", async () => {
  const phrase = newPhrase((bytes) => crypto.getRandomValues(new Uint8Array(bytes)));
  assert.equal(phrase.split(" ").length, 12);
  assert.notEqual(await keyOfPhrase(phrase), await keyOfPhrase(WORDS));
  assert.equal(
    await keyOfPhrase(`  ${WORDS.toUpperCase().replaceAll(" ", "\n ")} `),
    await keyOfPhrase(WORDS),
  );
});

test("words with a slip are no phrase", async () => {
  for (const slip of [WORDS.replace("yellow", "year"), "legal winner", "", `${WORDS} legal`]) {
    assert.equal(await keyOfPhrase(slip), null, slip);
  }
});

test("every backup has the same size, and two of the same purse have nothing in common", async () => {
  const device = new Device();
  const key = (await keyOfPhrase(WORDS)) ?? "";
  const empty = await (await device.open()).setStarted(true).then(async () => device.state());
  await device.filled();
  const full = await device.state();
  const sealed = await Promise.all(
    [empty, full, full].map(async (state) => seal(contentsOf(state, []), key, POLICY.backup.bytes)),
  );
  for (const one of sealed) assert.equal(one.length, POLICY.backup.bytes);
  const [, first, second] = sealed as [Uint8Array, Uint8Array, Uint8Array];
  const alike = first.filter((byte, at) => byte === second[at]).length;
  assert.ok(alike < POLICY.backup.bytes / 128, `${alike} bytes alike`);
});

test("a backup opens with its own phrase only, and not when a byte has changed", async () => {
  const device = new Device();
  await device.filled();
  const key = (await keyOfPhrase(WORDS)) ?? "";
  const contents = contentsOf(await device.state(), []);
  const sealed = await seal(contents, key, POLICY.backup.bytes);
  const opened = await unseal(sealed, key);
  assert.ok(opened !== null);
  const sorted = (coins: readonly Coin[]) =>
    coins.toSorted((a, b) => (a.secret < b.secret ? -1 : 1));
  assert.deepEqual(sorted(opened.state.coins), sorted(contents.state.coins));
  assert.deepEqual({ ...opened.state, coins: [] }, { ...contents.state, coins: [] });
  assert.equal(await unseal(sealed, key.replace(/^./, key.startsWith("0") ? "1" : "0")), null);
  sealed[POLICY.backup.bytes - 1] = (sealed[POLICY.backup.bytes - 1] ?? 0) ^ 1;
  assert.equal(await unseal(sealed, key), null);
});

test("a purse that is too large for a backup loses receipts first, then its smallest coins", async () => {
  const device = new Device();
  await device.filled();
  const state = await device.state();
  const coin = state.coins[0];
  assert.ok(coin !== undefined);
  const random = (): string =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
  const coins = Array.from({ length: 2_000 }, (_, at) => ({
    ...coin,
    amount: at,
    secret: random(),
    C: `02${random()}`,
  }));
  const receipt: Receipt = {
    id: "1",
    method: "amana-merchant",
    quote: "q",
    request: "r",
    amount: 1,
    unit: "eur",
    payee: null,
    paidAt: NOW,
    refundKey: null,
    signed: null,
    missing: 0,
  };
  const key = (await keyOfPhrase(WORDS)) ?? "";
  const sealed = await seal(contentsOf({ ...state, coins }, [receipt]), key, POLICY.backup.bytes);
  const opened = await unseal(sealed, key);
  assert.ok(opened !== null);
  assert.equal(opened.receipts.length, 0);
  const kept = opened.state.coins.map(({ amount }) => amount).toSorted((a, b) => a - b);
  assert.ok(kept.length > 300, `${kept.length} kept`);
  assert.equal(kept[0], 2_000 - kept.length);
});

test("a backup is left when the policy says so, and never because of a payment", async () => {
  const device = new Device();
  const purse = await backedUp(device);
  const puts = () => device.named.calls.filter((call) => call === "PUT backup").length;
  assert.equal(puts(), 1);
  await pay(device, purse, "order_1");
  assert.equal(puts(), 1);
  device.now += POLICY.refill.quiet_minutes * MINUTE;
  device.named.sign();
  assert.equal(await purse.fill(device.named, IDLE), "left");
  assert.equal(puts(), 2);
  await purse.fill(device.named, IDLE);
  assert.equal(puts(), 2);
  device.now += POLICY.backup.slot_days * DAY;
  await purse.fill(device.named, { ...IDLE, paying: true });
  assert.equal(puts(), 2);
  await purse.fill(device.named, IDLE);
  assert.equal(puts(), 3);
});

test("a refill that is left takes a backup along, so that what is signed is not lost", async () => {
  const device = new Device();
  const purse = await device.open();
  await purse.setStarted(true);
  assert.ok(await purse.keepPhrase(WORDS));
  assert.equal(await purse.fill(device.named, ASKED), "left");
  assert.deepEqual(device.named.calls.slice(-2), ["PUT refill", "PUT backup"]);
  device.named.sign();
  const other = otherDevice(device);
  const taken = await other.open();
  assert.deepEqual(await taken.restore(device.named, WORDS), { kind: "restored", amount: TIER });
  assert.equal((await other.state()).refills.length, 0);
  await other.open();
});

test("a refill that still waits comes to the new device once it is signed", async () => {
  const device = new Device();
  const purse = await device.open();
  await purse.setStarted(true);
  await purse.keepPhrase(WORDS);
  await purse.fill(device.named, ASKED);
  const other = otherDevice(device);
  const taken = await other.open();
  assert.deepEqual(await taken.restore(device.named, WORDS), { kind: "restored", amount: 0 });
  device.named.sign();
  assert.equal(await taken.fill(device.named, ASKED), "left");
  assert.equal(await other.worth(), TIER);
});

test("without a phrase nothing is left with the operator", async () => {
  const device = new Device();
  await device.filled();
  assert.equal(device.named.kept, null);
});

test("a backup that was not taken is left at the next occasion", async () => {
  const device = new Device();
  device.named.losesBackups = true;
  const purse = await device.filled();
  await purse.keepPhrase(WORDS);
  await purse.fill(device.named, ASKED);
  assert.equal((await purse.summary()).backup?.lastAt, null);
  device.named.losesBackups = false;
  await purse.fill(device.named, ASKED);
  assert.equal((await purse.summary()).backup?.lastAt, device.now);
});

test("a purse is taken over with its phrase: unspent coins, receipts, refunds to ask for", async () => {
  const device = new Device();
  const purse = await device.filled();
  await pay(device, purse, "order_1");
  await purse.keepPhrase(WORDS);
  device.now += DAY;
  await purse.fill(device.named, ASKED);
  const other = otherDevice(device);
  const taken = await other.open();
  const restored = await taken.restore(device.named, WORDS);
  assert.deepEqual(restored, { kind: "restored", amount: TIER - PRICE });
  assert.equal((await taken.receipts()).length, 1);
  assert.equal((await other.state()).asks.length, (await device.state()).asks.length);
  assert.ok((await taken.summary()).isStarted);
  assert.deepEqual(leaksIn(device.mint.journal), []);
});

test("what was spent since the backup does not come back", async () => {
  const device = new Device();
  const purse = await backedUp(device);
  const before = (await device.state()).coins;
  await pay(device, purse, "order_1");
  const unspent = before.filter(({ secret }) => !device.mint.isSpent(secret));
  const other = otherDevice(device);
  const restored = await (await other.open()).restore(device.named, WORDS);
  assert.deepEqual(restored, { kind: "restored", amount: sumOf(unspent) });
});

test("the mint is asked for states a few at a time, in no order of the purse", async () => {
  const device = new Device();
  await backedUp(device);
  const other = otherDevice(device);
  const from = device.mint.sent.length;
  await (await other.open()).restore(device.named, WORDS);
  const asked = device.mint.sent
    .slice(from)
    .filter(({ address }) => address.endsWith("/v1/checkstate"))
    .map(({ body }) => body?.["Ys"] as string[]);
  assert.ok(asked.length >= 4 && asked.every((some) => some.length <= 8));
  assert.equal(other.pauses, asked.length - 1);
  const again = otherDevice(device);
  await (await again.open()).restore(device.named, WORDS);
  const [first] = asked;
  const second = device.mint.sent
    .slice(from)
    .filter(({ address }) => address.endsWith("/v1/checkstate"))[asked.length];
  assert.notDeepEqual(second?.body?.["Ys"], first);
});

for (const asksTokens of [false, true]) {
  const beside = asksTokens ? ", each with a blind token" : "";
  test(`what came with a backup is spent only once it is exchanged, each coin by itself${beside}`, async () => {
    const device = new Device();
    if (asksTokens) device.mint.askForTokens();
    await backedUp(device);
    const other = otherDevice(device);
    const taken = await other.open();
    await taken.restore(device.named, WORDS);
    const shown = new Set((await other.state()).coins.map(({ secret }) => secret));
    other.mint.orders.set("order_2", PRICE);
    const offer = await taken.look({ request: "order_2", amount: null, tip: 0, listHash: null });
    assert.ok(offer.kind === "offer" && !offer.covers);
    taken.forget();
    const hours = (await other.state()).keeping.plans.map(({ at }) => at - other.now);
    const { from, to } = POLICY.restore.exchange_minutes;
    assert.ok(hours.every((rest) => rest >= from * MINUTE && rest <= to * MINUTE));
    assert.ok(new Set(hours).size > hours.length / 2);
    await taken.tend(IDLE);
    assert.equal(swaps(device).length, 0);
    other.now += to * MINUTE;
    await exchangeAll(other, taken);
    for (const { body } of swaps(device)) {
      assert.equal((body?.["inputs"] as unknown[]).length, 1);
      assert.equal((body?.["outputs"] as unknown[]).length, 1);
    }
    const fresh = (await other.state()).coins;
    assert.equal(sumOf(fresh), TIER);
    assert.ok(fresh.every(({ secret }) => !shown.has(secret)));
    assert.equal((await taken.summary()).ready, BigInt(TIER));
    await pay(other, taken, "order_2");
    assert.deepEqual(leaksIn(device.mint.journal), []);
  });
}

for (const loss of ["before", "after"] as const) {
  test(`an exchange whose ${loss === "before" ? "request" : "answer"} is lost loses no coin`, async () => {
    const device = new Device();
    await backedUp(device);
    const other = otherDevice(device);
    const taken = await other.open();
    await taken.restore(device.named, WORDS);
    other.now += 6 * HOUR;
    other.mint.losses.push(loss);
    await exchangeAll(other, await other.open());
    assert.equal(await other.worth(), TIER);
    assert.deepEqual(leaksIn(device.mint.journal), []);
  });
}

test("a coin that the lost device spent after all is gone without a word", async () => {
  const device = new Device();
  const purse = await backedUp(device);
  const other = otherDevice(device);
  const taken = await other.open();
  await taken.restore(device.named, WORDS);
  const held = (await device.state()).coins;
  await pay(device, purse, "order_1");
  const left = held.filter(({ secret }) => !device.mint.isSpent(secret));
  other.now += 6 * HOUR;
  await exchangeAll(other, taken);
  assert.equal(await other.worth(), sumOf(left));
});

test("a purse is restored twice without a coin counting twice", async () => {
  const device = new Device();
  const purse = await backedUp(device);
  assert.deepEqual(await purse.restore(device.named, WORDS), { kind: "restored", amount: 0 });
  assert.equal(await device.worth(), TIER);
  assert.equal((await purse.summary()).exchanging, 0n);
});

test("typed words that are no phrase are told by their numbers, their count or their order", () => {
  const words = WORDS.split(" ");
  const numbered = words.map((word, before) => `${before + 1}. ${word}\n`).join("");
  assert.deepEqual(slipOf(words.with(2, "thnak").with(11, "aa").join(" ")), {
    kind: "words",
    at: [
      { number: 3, word: "thnak" },
      { number: 12, word: "aa" },
    ],
  });
  assert.deepEqual(slipOf(words.slice(1).join(" ")), { kind: "count", count: 11 });
  assert.deepEqual(slipOf(""), { kind: "count", count: 0 });
  assert.deepEqual(slipOf(words.toReversed().join(" ")), { kind: "order" });
  assert.deepEqual(slipOf(numbered.replace("2. ", "2. x")), {
    kind: "words",
    at: [{ number: 2, word: `x${words[1]}` }],
  });
});

test("a phrase that is copied with its numbers opens the same", async () => {
  const numbered = WORDS.split(" ").map((word, before) => `${before + 1}. ${word}`);
  assert.equal(await keyOfPhrase(numbered.join("\n")), await keyOfPhrase(WORDS));
});

test("another phrase, no backup, and an operator that is silent are told apart", async () => {
  const device = new Device();
  await backedUp(device);
  const other = otherDevice(device);
  const taken = await other.open();
  const phrase = newPhrase((bytes) => crypto.getRandomValues(new Uint8Array(bytes)));
  assert.equal((await taken.restore(device.named, phrase)).kind, "other-phrase");
  assert.equal((await taken.restore(device.named, "twelve words that are none")).kind, "no-phrase");
  assert.equal(await taken.hasBackup(device.named), true);
  device.named.kept = null;
  assert.equal((await taken.restore(device.named, WORDS)).kind, "none");
  assert.equal(await taken.hasBackup(device.named), false);
  device.named.backup = async () => null;
  assert.equal((await taken.restore(device.named, WORDS)).kind, "lost");
  assert.equal(await taken.hasBackup(device.named), null);
});

test("coins of a keyset that ends are exchanged within the policy's weeks, each by itself", async () => {
  const device = new Device();
  const purse = await device.filled();
  const [old] = device.mint.listed;
  const fresh = device.mint.addKeyset(2);
  const end = old?.final_expiry ?? 0;
  await purse.fill(device.named, ASKED);
  const { window_days, margin_days } = POLICY.refresh;
  const look = { request: "order_0", amount: null, tip: 0, listHash: null };
  await purse.look(look);
  device.now = end - (window_days + margin_days) * DAY - 1;
  await purse.tend(IDLE);
  assert.equal((await device.state()).keeping.plans.length, 0);
  device.now += 1;
  await purse.tend(IDLE);
  const { plans } = (await device.state()).keeping;
  assert.equal(plans.length, POLICY.refill.outputs);
  assert.ok(plans.every(({ at }) => at >= device.now && at <= end - margin_days * DAY));
  const hours = plans.map(({ at }) => at).toSorted((a, b) => a - b);
  assert.ok((hours.at(-1) ?? 0) - (hours[0] ?? 0) > 7 * DAY, "within a week of each other");
  device.now = hours[3] ?? 0;
  await purse.tend({ ...IDLE, paying: true });
  await purse.tend({ ...IDLE, openSince: device.now });
  assert.equal(swaps(device).length, 0);
  await purse.tend(IDLE);
  assert.equal(swaps(device).length, 4);
  device.now = end - margin_days * DAY;
  await exchangeAll(device, purse);
  const { coins } = await device.state();
  assert.equal(sumOf(coins), TIER);
  assert.ok(coins.every(({ keyset }) => keyset === fresh));
  assert.deepEqual(leaksIn(device.mint.journal), []);
});

test("nothing is exchanged soon after a payment, nor while one is looked at", async () => {
  const device = new Device();
  await backedUp(device);
  const other = otherDevice(device);
  const taken = await other.open();
  await taken.restore(device.named, WORDS);
  other.now += 6 * HOUR;
  other.mint.orders.set("order_3", 1);
  const offer = await taken.look({ request: "order_3", amount: null, tip: 0, listHash: null });
  await taken.tend(IDLE);
  assert.equal(swaps(device).length, 0);
  assert.ok(offer.kind === "offer");
  taken.forget();
  const state = await other.state();
  await other.vault.save({ ...state, spendings: [{ at: other.now - 60, amount: 5 }] }, null);
  await taken.tend(IDLE);
  assert.equal(swaps(device).length, 0);
});

test("closing moves everything back at once, what rests too, and ends refills", async () => {
  const device = new Device();
  const purse = await device.filled();
  await pay(device, purse, "order_1");
  const state = await device.state();
  const coins = state.coins.map((coin) => ({ ...coin, availableAt: device.now + HOUR }));
  await device.vault.save({ ...state, coins }, null);
  assert.equal((await purse.summary()).ready, 0n);
  const closed = await purse.close(device.named, () => undefined);
  assert.ok(closed.kind === "paid" && closed.receipt.amount === TIER - PRICE);
  const { balance, isStarted } = await purse.summary();
  assert.equal(balance, 0n);
  assert.equal(isStarted, false);
  assert.equal(device.named.calls.at(-1), "POST deposits closing");
  assert.equal((await purse.close(device.named, () => undefined)).kind, "too-little");
});

/** A full purse whose next refill waits with the operator. */
async function waiting(device: Device): Promise<Purse> {
  const purse = await device.filled();
  await pay(device, purse, "order_1");
  device.now += POLICY.refill.quiet_minutes * MINUTE;
  assert.equal(await purse.fill(device.named, ASKED), "left");
  return purse;
}

test("closing takes back the refill that waits", async () => {
  const device = new Device();
  const purse = await waiting(device);
  assert.equal((await purse.close(device.named, () => undefined)).kind, "paid");
  assert.equal(device.named.left, null);
  assert.equal((await purse.summary()).refill, null);
  assert.equal(await device.worth(), 0);
});

test("a refill that was signed when the purse is closed goes back with the rest", async () => {
  const device = new Device();
  const purse = await waiting(device);
  device.named.sign();
  const closed = await purse.close(device.named, () => undefined);
  assert.ok(closed.kind === "paid");
  const [tier] = device.named.left?.outputs.map(({ amount }) => amount) ?? [];
  assert.ok(tier !== undefined && closed.receipt.amount > TIER - PRICE);
  assert.equal(await device.worth(), 0);
  assert.equal((await device.state()).refills.length, 0);
});

test("a withdrawal whose answer is lost is asked for again with the next look", async () => {
  const device = new Device();
  const purse = await waiting(device);
  device.named.losesWithdrawals = true;
  assert.equal((await purse.close(device.named, () => undefined)).kind, "lost");
  assert.equal(await device.worth(), TIER - PRICE);
  device.named.losesWithdrawals = false;
  const again = await device.open();
  assert.equal(await again.fill(device.named, ASKED), "nothing");
  assert.equal(device.named.left, null);
  assert.equal((await again.summary()).refill, null);
});

test("a refill that may have been left after all is taken back too, and is not left again", async () => {
  const device = new Device();
  const purse = await device.filled();
  await pay(device, purse, "order_1");
  device.now += POLICY.refill.quiet_minutes * MINUTE;
  device.named.loseAnswers = 1;
  assert.equal(await purse.fill(device.named, ASKED), "lost");
  assert.notEqual(device.named.left, null);
  await purse.close(device.named, () => undefined);
  assert.equal(device.named.left, null);
  assert.equal((await device.state()).refills.length, 0);
  assert.equal(device.named.calls.filter((call) => call === "PUT refill").length, 2);
});
