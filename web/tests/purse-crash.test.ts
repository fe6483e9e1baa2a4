/** The page ends at every single step of what moves e-cash; nothing is ever lost. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Locks, Ports, Vault } from "../src/purse/book.ts";
import { Mint } from "../src/purse/mint.ts";
import { type PurseState, type Receipt, sumOf } from "../src/purse/model.ts";
import { Purse } from "../src/purse/purse.ts";
import { refundQuoteOf } from "../src/purse/refunding.ts";
import { MINUTE, POLICY } from "../src/rules/purse/policy.ts";
import { refillOutputs } from "../src/rules/purse/refill.ts";
import { TestMint, TestNamedSide } from "./purse-mint.ts";

const NOW = 1_900_000_000;
const TIER = POLICY.refill.default_tier;
const [BACK = 0] = POLICY.deposit.tiers;
const PRICE = 1_234;
const GIVEN_BACK = 300;
const STEPS_MAX = 60;
/** What takes long is done with so many coins. */
const COINS = 2;
const FEW = refillOutputs(POLICY, BigInt(TIER)).slice(0, COINS);
const FEW_WORTH = Number(FEW.reduce((sum, amount) => sum + amount));
const ASKED = { openSince: NOW, paying: false, isAsked: true };
const IDLE = { openSince: 0, paying: false, isAsked: false };
const WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow";

/** What is outside of the page: it stays when the page ends. */
class World {
  readonly mint = new TestMint();
  readonly named = new TestNamedSide(this.mint);
  kept: string | null = null;
  now = NOW;
  receipts: Receipt[] = [];
  steps = 0;
  endsAt = Infinity;
  /** Whether the step at which the page ends still has its effect. */
  hasEffect = false;
  ended = Promise.withResolvers<void>();

  /** Every step that leaves the page: at the last one nothing comes back any more. */
  async step<T>(effect: () => Promise<T>): Promise<T> {
    this.steps += 1;
    if (this.steps < this.endsAt) return effect();
    if (this.steps === this.endsAt && this.hasEffect) await effect();
    this.ended.resolve();
    return new Promise<never>(() => undefined);
  }

  open(): Promise<Purse> {
    const vault: Vault = {
      load: async () => (this.kept === null ? null : (JSON.parse(this.kept) as PurseState)),
      save: (state, receipt) =>
        this.step(async () => {
          this.kept = JSON.stringify(state);
          if (receipt !== null) this.receipts.push(receipt);
        }),
      receipts: async () => this.receipts,
    };
    const locks: Locks = { hold: (_, work) => work(), tryHold: (_, work) => work() };
    const ports: Ports = {
      vault,
      locks,
      now: () => this.now,
      random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
      pause: async () => undefined,
      changed: () => undefined,
    };
    const mint = new Mint("http://mint.example", (address, init) =>
      this.step(() => this.mint.fetch(address, init)),
    );
    return Purse.open("eur", mint, ports);
  }

  /** The named side as the page reaches it. */
  get side(): TestNamedSide {
    return new Proxy(this.named, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        const call = value as (...args: unknown[]) => Promise<unknown>;
        return (...args: unknown[]) => this.step(() => call.apply(target, args));
      },
    });
  }

  get state(): PurseState {
    assert.ok(this.kept !== null);
    return JSON.parse(this.kept) as PurseState;
  }
}

/** One refill alone: a young purse that goes on would leave the second as the first one comes. */
async function fill(world: World, coins = Infinity): Promise<void> {
  const purse = await world.open();
  const isNew = world.kept === null || world.state.coins.length + world.state.refills.length === 0;
  await purse.setStarted(isNew);
  await purse.fill(world.side, ASKED);
  const { left, signatures } = world.named;
  if (left !== null && signatures === null) {
    world.named.left = cut(left, coins);
    const refills = world.state.refills.map((one) => cut(one, coins));
    world.kept = JSON.stringify({ ...world.state, refills });
    world.named.sign();
  }
  await purse.setStarted(false);
  await purse.fill(world.side, ASKED);
}

function cut<T extends { readonly outputs: readonly unknown[] }>(refill: T, coins: number): T {
  return { ...refill, outputs: refill.outputs.slice(0, coins) };
}

/** What waits is cut to few coins once it is left, at both ends. */
const fillFew = (world: World): Promise<void> => fill(world, COINS);

async function pay(world: World): Promise<void> {
  const purse = await world.open();
  await purse.resume(
    () => undefined,
    () => undefined,
  );
  if (world.receipts.length > 0) return;
  const offer = await purse.look({ request: "order_1", amount: null, tip: 0, listHash: null });
  if (offer.kind === "offer") await purse.pay(offer.id, () => undefined);
}

async function refund(world: World): Promise<void> {
  const purse = await world.open();
  const receipt = world.receipts.at(-1);
  assert.ok(receipt?.refundKey != null);
  const quote = await refundQuoteOf(receipt.refundKey);
  const key = world.mint.refundKeys.at(-1) ?? "";
  if (!world.mint.refunds.has(quote)) {
    world.mint.refunds.set(quote, { key, paid: GIVEN_BACK, issued: 0 });
  }
  await purse.askRefund(receipt.id);
}

/** The keyset is revoked once it has signed; the person has agreed, and all hours have passed. */
async function issueAnew(world: World): Promise<void> {
  const [old] = world.mint.listed;
  if (world.mint.listed.length === 1) {
    world.mint.addKeyset(2);
    world.mint.revoke(old?.id ?? "");
    const { coins, keeping } = world.state;
    const few = coins.slice(0, COINS);
    const plans = few.map(({ secret }) => ({ secret, at: 0 }));
    const agreed = [old?.id];
    const kept = { ...keeping, plans, agreed };
    world.kept = JSON.stringify({ ...world.state, coins: few, keeping: kept });
  }
  const purse = await world.open();
  await purse.tend(IDLE);
}

/** The keyset comes to its end while another signs, and the hour of each coin has come. */
async function refresh(world: World): Promise<void> {
  if (world.mint.listed.length === 1) {
    world.mint.addKeyset(2);
    const { coins, keeping } = world.state;
    const few = coins.slice(0, COINS);
    const plans = few.map(({ secret }) => ({ secret, at: 0 }));
    world.kept = JSON.stringify({ ...world.state, coins: few, keeping: { ...keeping, plans } });
  }
  const purse = await world.open();
  await purse.tend(IDLE);
  const [old] = world.mint.listed;
  assert.ok(world.state.coins.every(({ keyset }) => keyset !== old?.id));
}

/** The device is lost; few coins are in the backup that it left. */
async function loseDevice(world: World): Promise<void> {
  const few = world.state.coins.slice(0, COINS);
  world.kept = JSON.stringify({ ...world.state, coins: few });
  const purse = await world.open();
  assert.ok(await purse.keepPhrase(WORDS));
  await purse.fill(world.side, ASKED);
  assert.ok(world.named.kept !== null);
  world.kept = null;
}

/** Another device takes the purse over, and exchanges what came once its hour has come. */
async function takeOver(world: World): Promise<void> {
  const purse = await world.open();
  await purse.restore(world.side, WORDS);
  world.now += POLICY.restore.exchange_minutes.to * MINUTE;
  await purse.tend(IDLE);
}

/** The next refill waits, and the purse is closed. */
async function closeDown(world: World): Promise<void> {
  const purse = await world.open();
  await purse.resume(
    () => undefined,
    () => undefined,
  );
  await purse.close(world.side, () => undefined);
}

/** Moves a tier back once: what an earlier try began is finished, not begun again. */
async function moveBack(world: World): Promise<void> {
  const purse = await world.open();
  await purse.resume(
    () => undefined,
    () => undefined,
  );
  if (sumOf(world.state.coins) === TIER) await purse.deposit(world.side, BACK, () => undefined);
}

async function leaveNext(world: World): Promise<void> {
  const few = world.state.coins.slice(0, COINS);
  world.kept = JSON.stringify({ ...world.state, coins: few });
  const purse = await world.open();
  await purse.setStarted(true);
  await purse.fill(world.side, ASKED);
  assert.equal(world.state.refills.length, 1);
}

/** A world in which these were done without a fault. */
async function after(...deeds: readonly ((world: World) => Promise<void>)[]): Promise<World> {
  const world = new World();
  world.mint.orders.set("order_1", PRICE);
  for (const deed of deeds) await deed(world);
  return world;
}

function copyOf(world: World): World {
  const copy = new World();
  copy.mint.orders.set("order_1", PRICE);
  copy.kept = world.kept;
  copy.receipts = [...world.receipts];
  copy.named.left = world.named.left;
  copy.named.signatures = world.named.signatures;
  copy.named.kept = world.named.kept;
  copy.mint.takeOver(world.mint);
  return copy;
}

for (const [name, before, deed, worth] of [
  ["a refill", [], fillFew, FEW_WORTH],
  ["a payment", [fill], pay, TIER - PRICE],
  ["a refund", [fill, pay], refund, TIER - PRICE + GIVEN_BACK],
  ["an issue anew", [fill], issueAnew, FEW_WORTH],
  ["a refresh", [fill], refresh, FEW_WORTH],
  ["taking the purse over", [fill, loseDevice], takeOver, FEW_WORTH],
  ["moving a tier back", [fill], moveBack, TIER - BACK],
  ["closing the purse", [fill, leaveNext], closeDown, 0],
] as const) {
  test(`a page that ends at any step of ${name} loses nothing and gains nothing`, async () => {
    const start = await after(...before);
    let ends = 0;
    for (let step = 1; step < STEPS_MAX; step += 1) {
      for (const hasEffect of [false, true]) {
        const world = copyOf(start);
        Object.assign(world, { endsAt: step, hasEffect });
        const done = await Promise.race([
          deed(world).then(() => true),
          world.ended.promise.then(() => false),
        ]);
        if (done) {
          assert.ok(ends > 4, "the page ended at several steps");
          return;
        }
        ends += 1;
        // What the ended page still had in hand is over before the next page opens.
        await new Promise(setImmediate);
        world.endsAt = Infinity;
        await deed(world);
        await deed(world);
        const { coins, spends, refills, refunds, keeping } = world.state;
        const where = `step ${step}, ${hasEffect ? "with" : "without"} its effect`;
        assert.equal(sumOf(coins), worth, where);
        assert.equal(spends.length + refunds.length + refills.length, 0, where);
        assert.equal(keeping.exchanges.length + keeping.plans.length, 0, where);
        assert.equal(world.receipts.filter(({ missing }) => missing > 0).length, 0, where);
        for (const { secret } of coins) assert.ok(!world.mint.isSpent(secret), where);
      }
    }
    assert.fail("the deed never came to its end");
  });
}
