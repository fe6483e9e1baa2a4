/** Blind tokens for a purse that has none, when it is to take something: never beside a payment. */

import "./few-tokens.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { POLICY } from "../src/rules/purse/policy.ts";
import { Device } from "./purse-device.ts";
import { OPERATOR, leaksIn } from "./purse-recorder.ts";

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

test("a purse that has not yet read the mint's list of tokens sends no payment without one", async () => {
  const device = new Device();
  device.mint.askForTokens();
  await device.filled();
  await device.vault.save({ ...(await device.state()), asksTokens: null, tokens: [] }, null);
  const purse = await device.open();
  device.mint.orders.set("order_1", 300);
  const order = { request: "order_1", amount: null, tip: 0, listHash: null };
  assert.deepEqual(await purse.look(order), { kind: "no-token" });
  await purse.getReady(device.named);
  const offer = await purse.look(order);
  assert.ok(offer.kind === "offer" && offer.covers);
  await purse.pay(offer.id, () => undefined);
  assert.equal(device.mint.usedTokens.size, 2);
});

test("a mint that has its first keyset of tokens by now is shown tokens from the next call on", async () => {
  const device = new Device();
  const purse = await device.filled();
  assert.equal((await device.state()).asksTokens, false);
  device.mint.askForTokens();
  await purse.fill(device.named, { openSince: device.now, paying: false, isAsked: true });
  assert.equal((await device.state()).asksTokens, true);
  assert.equal((await purse.summary()).hasTokens, true);
});

test("a purse without a token has some fetched where it is closed, or a tier of it is moved back", async () => {
  for (const asksTokens of [true, null]) {
    const device = new Device();
    device.mint.askForTokens();
    const purse = await device.filled();
    const empty = { tokens: [], isStarted: false, asksTokens };
    await device.vault.save({ ...(await device.state()), ...empty }, null);
    const [tier = 0] = POLICY.deposit.tiers;
    assert.equal((await purse.deposit(device.named, tier, () => undefined)).kind, "paid");
    await device.vault.save({ ...(await device.state()), ...empty }, null);
    assert.equal((await purse.close(device.named, () => undefined)).kind, "paid");
    assert.equal(await device.worth(), 0);
  }
});

test("where the mint never had tokens nobody is told that something is to be taken", async () => {
  const device = new Device();
  const purse = await device.open();
  await purse.getReady(device.named);
  await purse.getReady(device.named);
  assert.equal((await device.state()).asksTokens, false);
  assert.deepEqual(
    device.mint.journal.filter((one) => one !== "pressed" && one.address.startsWith(OPERATOR)),
    [],
  );
});
