/** Blind tokens for a purse that has none, when it is to take something: never beside a payment. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { POLICY } from "../src/rules/purse/policy.ts";
import { Device } from "./purse-device.ts";
import { leaksIn } from "./purse-recorder.ts";

test("a purse that was never filled has tokens once it is to take something, and no refill", async () => {
  const device = new Device();
  device.mint.askForTokens();
  const purse = await device.open();
  assert.equal((await purse.summary()).hasTokens, false);
  await purse.getReady(device.named);
  assert.equal((await purse.summary()).hasTokens, true);
  assert.equal((await device.state()).asksTokens, true);
  await purse.getReady(device.named);
  assert.deepEqual(device.named.calls, ["POST tokens"]);
  assert.equal(device.named.left, null);
});

test("tokens that are used up are not fetched soon after a payment, to take something", async () => {
  const device = new Device();
  device.mint.askForTokens();
  const purse = await device.filled();
  device.mint.orders.set("order_1", 300);
  const order = { request: "order_1", amount: null, tip: 0, listHash: null };
  const offer = await purse.look(order);
  assert.ok(offer.kind === "offer" && offer.covers);
  await purse.pay(offer.id, () => undefined);
  await device.vault.save({ ...(await device.state()), tokens: [] }, null);
  const calls = device.named.calls.length;
  await purse.getReady(device.named);
  assert.equal(device.named.calls.length, calls);
  assert.deepEqual(leaksIn(device.mint.journal), []);
  device.now += POLICY.refill.quiet_minutes * 60;
  await purse.getReady(device.named);
  assert.equal(device.named.calls.length, calls + 1);
});

test("whoever is told that no tokens are asked for any more goes on showing them", async () => {
  const device = new Device();
  device.mint.askForTokens();
  const purse = await device.filled();
  const told = await device.named.facts();
  device.named.facts = async () => (told === null ? null : { ...told, blind_tokens: false });
  await purse.getReady(device.named);
  await purse.fill(device.named, { openSince: device.now, paying: false, isAsked: true });
  device.mint.orders.set("order_1", 300);
  const offer = await purse.look({ request: "order_1", amount: null, tip: 0, listHash: null });
  assert.ok(offer.kind === "offer" && offer.covers);
  await purse.pay(offer.id, () => undefined);
  assert.equal(device.mint.usedTokens.size, 2);
});
