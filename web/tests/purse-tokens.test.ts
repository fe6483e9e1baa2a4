/** Blind tokens: how many are fetched when, and that each goes with one request. */

import "./few-tokens.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { POLICY } from "../src/rules/purse/policy.ts";
import { ASKED, Device, offerOf, orderOf } from "./purse-device.ts";
import { leaksIn } from "./purse-recorder.ts";

test("blind tokens come with the refill, and each goes with one request", async () => {
  const device = new Device();
  device.mint.askForTokens();
  const purse = await device.filled();
  const { length } = (await device.state()).tokens;
  assert.ok(length >= POLICY.blind_tokens.per_fetch);
  const calls = device.named.calls.length;
  for (const order of ["order_1", "order_2"]) {
    device.mint.orders.set(order, 300);
    assert.equal((await purse.pay((await offerOf(purse, order)).id, () => undefined)).kind, "paid");
  }
  assert.equal(device.named.calls.length, calls);
  assert.equal(device.mint.usedTokens.size, 4);
  assert.equal((await device.state()).tokens.length, length - 4);
  assert.deepEqual(leaksIn(device.mint.journal), []);
});

test("how many tokens are fetched follows the refills, not how many were used", async () => {
  const { per_fetch, low_mark } = POLICY.blind_tokens;
  const device = new Device();
  device.mint.askForTokens();
  const purse = await device.open();
  await purse.setStarted(true);
  const filled = async (): Promise<[string, number]> => {
    const before = device.named.calls.filter((call) => call === "POST tokens").length;
    const how = await purse.fill(device.named, ASKED);
    device.named.sign();
    return [how, device.named.calls.filter((call) => call === "POST tokens").length - before];
  };
  assert.deepEqual(await filled(), ["left", 1]);
  assert.deepEqual(await filled(), ["left", 1]);
  assert.equal((await device.state()).tokens.length, 2 * per_fetch);
  assert.deepEqual(await filled(), ["arrived", 0]);
  const { tokens } = await device.state();
  await device.vault.save({ ...(await device.state()), tokens: tokens.slice(0, low_mark) }, null);
  assert.deepEqual(await filled(), ["nothing", 0]);
  await device.vault.save({ ...(await device.state()), tokens: tokens.slice(1, low_mark) }, null);
  assert.deepEqual(await filled(), ["nothing", 1]);
});

test("with hardly a token left any opening will do, before the purse could not pay", async () => {
  const { urgent_mark } = POLICY.blind_tokens;
  const device = new Device();
  device.mint.askForTokens();
  const purse = await device.filled();
  const tokens = (await device.state()).tokens.slice(0, urgent_mark);
  const opening = { openSince: device.now, paying: false, isAsked: false };
  await device.vault.save({ ...(await device.state()), tokens }, null);
  assert.equal(await purse.fill(device.named, opening), "not-now");
  await device.vault.save({ ...(await device.state()), tokens: tokens.slice(1) }, null);
  assert.equal(await purse.fill(device.named, { ...opening, paying: true }), "not-now");
  assert.equal(await purse.fill(device.named, opening), "nothing");
  assert.ok((await device.state()).tokens.length > urgent_mark);
});

test("without tokens nothing is paid privately, and none is fetched at the till", async () => {
  const device = new Device();
  device.mint.askForTokens();
  const purse = await device.filled();
  await device.vault.save({ ...(await device.state()), tokens: [] }, null);
  const calls = device.named.calls.length;
  device.mint.orders.set("order_1", 300);
  assert.equal((await purse.look({ ...orderOf("order_1"), listHash: null })).kind, "no-token");
  assert.equal(device.named.calls.length, calls);
});

test("tokens of a keyset that ended are dropped, and others fetched with the next refill", async () => {
  const device = new Device();
  const ends = device.now + 1_000_000;
  device.mint.askForTokens(ends);
  await device.filled();
  const old = (await device.state()).tokens;
  assert.ok(old.length >= POLICY.blind_tokens.per_fetch);
  device.mint.askForTokens(ends + 1_000_000);
  device.now = ends - 3_601;
  await device.open();
  assert.deepEqual((await device.state()).tokens, old);
  device.now = ends - 3_600;
  const purse = await device.open();
  assert.equal((await device.state()).tokens.length, 0);
  await purse.fill(device.named, ASKED);
  const { tokens } = await device.state();
  assert.equal(tokens.length, POLICY.blind_tokens.per_fetch);
  assert.ok(tokens.every(({ keyset }) => keyset === device.mint.tokenKeyset?.id));
  device.mint.orders.set("order_1", 300);
  const paid = await purse.pay((await offerOf(purse, "order_1")).id, () => undefined);
  assert.equal(paid.kind, "paid");
});

test("tokens whose answer was lost are asked for again with the same outputs", async () => {
  const device = new Device();
  device.mint.askForTokens();
  const asked: (readonly string[])[] = [];
  const give = device.named.tokens;
  device.named.tokens = async (keyset, outputs) => {
    asked.push(outputs.map(({ B_ }) => B_));
    return asked.length === 1 ? null : give(keyset, outputs);
  };
  await device.filled();
  assert.deepEqual(asked[1], asked[0]);
  assert.equal((await device.state()).tokenOutputs.length, 0);
});
