/** The sum of refills is the policy's, or one of its others that the person chose. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sumOf } from "../src/purse/model.ts";
import { namedSide } from "../src/purse/named.ts";
import type { Purse } from "../src/purse/purse.ts";
import { POLICY } from "../src/rules/purse/policy.ts";
import { ASKED, Device, TIER, offerOf } from "./purse-device.ts";

const [SMALLEST = 0, SMALL = 0] = POLICY.refill.tiers;
const PRICE = 1_500;

const leftAt = (device: Device): number => sumOf(device.named.left?.outputs ?? []);

async function waiting(device: Device) {
  const purse = await device.open();
  await purse.setStarted(true);
  assert.equal(await purse.fill(device.named, ASKED), "left");
  assert.equal(leftAt(device), TIER);
  return purse;
}

/** As above, of a purse that has paid. */
async function waitingLater(device: Device) {
  const purse = await device.filled();
  device.mint.orders.set("order_1", PRICE);
  await purse.pay((await offerOf(purse, "order_1")).id, () => undefined);
  assert.equal(await purse.fill(device.named, ASKED), "left");
  return purse;
}

/** What waits comes in and is the last; the purse is worth so much then. */
async function assertArrives(device: Device, purse: Purse, worth: number): Promise<void> {
  device.named.sign();
  await purse.setStarted(false);
  assert.equal(await purse.fill(device.named, ASKED), "arrived");
  await purse.fill(device.named, ASKED);
  assert.equal(await device.worth(), worth);
  assert.equal((await device.state()).refills.length, 0);
}

test("a first refill gives way to one of the chosen sum, which is again the first", async () => {
  const device = new Device();
  const purse = await waiting(device);
  await purse.chooseTier(SMALL);
  assert.equal(await purse.fill(device.named, ASKED), "left");
  assert.equal(device.named.calls.includes("DELETE refill"), true);
  assert.equal(leftAt(device), SMALL);
  assert.equal((await device.state()).refills.length, 1);
  const { refill, tier } = await purse.summary();
  assert.deepEqual([refill, tier], [SMALL, SMALL]);
});

test("a later refill is replaced, so that no hour of its signing is chosen", async () => {
  const device = new Device();
  const purse = await waitingLater(device);
  await purse.chooseTier(SMALLEST);
  assert.equal(await purse.fill(device.named, ASKED), "left");
  assert.equal(device.named.calls.includes("DELETE refill"), false);
  assert.equal(leftAt(device), SMALLEST);
  assert.equal((await purse.summary()).refill, SMALLEST);
  assert.equal(await purse.fill(device.named, ASKED), "waiting");
  const held = await device.worth();
  await assertArrives(device, purse, held + SMALLEST);
});

test("what was signed before the choice comes in, and the next one has the chosen sum", async () => {
  const device = new Device();
  const purse = await waiting(device);
  device.named.sign();
  await purse.chooseTier(SMALL);
  assert.equal(await purse.fill(device.named, ASKED), "left");
  assert.equal(await device.worth(), TIER);
  assert.equal(leftAt(device), SMALL);
});

test("the choice stays until another one, and choosing what waits changes nothing", async () => {
  const device = new Device();
  const purse = await waiting(device);
  const { left } = device.named;
  await purse.chooseTier(TIER);
  assert.equal(await purse.fill(device.named, ASKED), "waiting");
  assert.equal(device.named.left, left);
  await purse.chooseTier(SMALL);
  const again = await device.open();
  assert.equal((await again.summary()).tier, SMALL);
});

test("a sum that the policy does not have is not taken", async () => {
  const device = new Device();
  const purse = await waiting(device);
  await purse.chooseTier(SMALL + 1);
  const { tier, tiers } = await purse.summary();
  assert.equal(tier, TIER);
  assert.deepEqual(tiers, POLICY.refill.tiers);
  assert.equal(await purse.fill(device.named, ASKED), "waiting");
});

test("a choice that the policy no longer has gives way to the policy's, and what waits stays", async () => {
  const device = new Device();
  const purse = await waiting(device);
  const { left } = device.named;
  await device.vault.save({ ...(await device.state()), tier: SMALL + 1 }, null);
  assert.equal(await purse.fill(device.named, ASKED), "waiting");
  assert.equal(device.named.left, left);
  assert.equal((await device.state()).refills.length, 1);
});

test("closing brings in both refills that were signed, the one that was replaced and the last", async () => {
  const device = new Device();
  const purse = await waitingLater(device);
  const replaced = device.named.left?.outputs ?? [];
  await purse.chooseTier(SMALLEST);
  assert.equal(await purse.fill(device.named, ASKED), "left");
  // It was signed after all, in the moment before the other one came.
  for (const output of replaced) device.mint.sign(output);
  device.named.sign();
  const held = await device.worth();
  const closed = await purse.close(device.named, () => undefined);
  assert.ok(closed.kind === "paid");
  assert.equal(closed.receipt.amount, held + sumOf(replaced) + SMALLEST);
  const { coins, refills } = await device.state();
  assert.equal(coins.length + refills.length, 0);
});

/** The account has paid for what waits: it is not withdrawn, and takes outputs of its sum alone. */
function debit(device: Device): void {
  const { named } = device;
  const sum = leftAt(device);
  const leave = named.leave;
  named.withdraw = async () => true;
  named.leave = async (refill, unit) =>
    sumOf(refill.outputs) === sum ? leave(refill, unit) : "debited";
}

test("what was debited and whose keyset retired is left in its own sum, whichever was chosen", async () => {
  const device = new Device();
  const purse = await waitingLater(device);
  const [sum, held] = [leftAt(device), await device.worth()];
  debit(device);
  await purse.chooseTier(SMALLEST);
  assert.equal(await purse.fill(device.named, ASKED), "debited");
  const { refill, tier } = await purse.summary();
  assert.deepEqual([refill, tier], [sum, SMALLEST], "the other sum counts from the next one");
  const keyset = device.mint.addKeyset(2);
  assert.equal(await purse.fill(device.named, ASKED), "left");
  assert.equal(device.named.left?.keyset, keyset);
  await assertArrives(device, purse, held + sum);
});

test("what was debited before it was taken back comes in, though its keyset retired", async () => {
  const device = new Device();
  const purse = await waiting(device);
  debit(device);
  await purse.chooseTier(SMALL);
  assert.equal(await purse.fill(device.named, ASKED), "debited");
  const keyset = device.mint.addKeyset(2);
  assert.equal(await purse.fill(device.named, ASKED), "left");
  assert.equal(device.named.left?.keyset, keyset);
  assert.equal(await purse.fill(device.named, ASKED), "debited");
  await assertArrives(device, purse, TIER);
});

test("the operator's word that another sum was debited is told from any other refusal", async () => {
  const device = new Device();
  await waiting(device);
  const [refill] = (await device.state()).refills;
  assert.ok(refill !== undefined);
  const before = globalThis.fetch;
  let slug = "";
  globalThis.fetch = async () => {
    const type = `https://operator.example/docs/problems/${slug}`;
    return Response.json({ type, title: "Refused", status: 409 }, { status: 409 });
  };
  try {
    for (slug of ["purse-refill-debited", "purse-keyset-inactive"]) {
      const ended = await namedSide("token").leave(refill, "eur");
      assert.equal(ended, slug === "purse-refill-debited" ? "debited" : "refused");
    }
  } finally {
    globalThis.fetch = before;
  }
});

test("one that was signed before another device's took its place comes in, though it is refused", async () => {
  const device = new Device();
  const purse = await waitingLater(device);
  await purse.chooseTier(SMALLEST);
  device.named.loseAnswers = 1;
  assert.equal(await purse.fill(device.named, ASKED), "lost");
  const held = await device.worth();
  device.named.sign();
  Object.assign(device.named, { left: { keyset: "", outputs: [] }, signatures: null });
  device.named.leave = async () => "refused";
  assert.equal(await purse.fill(device.named, ASKED), "arrived");
  assert.equal(await device.worth(), held + SMALLEST);
});
