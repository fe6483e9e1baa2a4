/** A keyset of tokens that one person alone is given is found out before a token of it is shown. */

import "./few-tokens.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { listHash } from "../src/purse/keysets.ts";
import type { ListedKeyset } from "../src/purse/model.ts";
import type { Purse } from "../src/purse/purse.ts";
import { POLICY } from "../src/rules/purse/policy.ts";
import { ASKED, Device, NOW } from "./purse-device.ts";

const FIRST = NOW + 10_000_000;
const SECOND = FIRST + 10_000_000;

async function withTokens(): Promise<{ device: Device; purse: Purse }> {
  const device = new Device();
  device.mint.askForTokens(FIRST);
  const purse = await device.filled();
  device.mint.orders.set("order_1", 300);
  return { device, purse };
}

function orderWith(hash: string | null) {
  return { request: "order_1", amount: null, tip: 0, listHash: hash };
}

/** The hash in everybody's codes, where everybody is shown these keysets of tokens. */
function hashOf(device: Device, tokens: readonly ListedKeyset[]): Promise<string> {
  return listHash(device.mint.listed, tokens);
}

/** How many requests showed the mint a token. */
function shown(device: Device): number {
  return device.mint.sent.filter(({ init }) => JSON.stringify(init.headers).includes("authA"))
    .length;
}

test("a code of the lists as this wallet sees them is paid, with its tokens", async () => {
  const { device, purse } = await withTokens();
  const offer = await purse.look(orderWith(await hashOf(device, device.mint.tokenKeysets)));
  assert.ok(offer.kind === "offer" && offer.covers);
  assert.equal((await purse.pay(offer.id, () => undefined)).kind, "paid");
  assert.equal(device.mint.usedTokens.size, 2);
});

test("no token is shown where everybody else is given another keyset of tokens", async () => {
  const { device, purse } = await withTokens();
  const [mine] = device.mint.tokenKeysets;
  assert.ok(mine !== undefined);
  const others = [{ ...mine, id: `01${"a".repeat(64)}` }];
  for (const tokens of [others, [...others, mine], []])
    assert.equal((await purse.look(orderWith(await hashOf(device, tokens)))).kind, "other-keys");
  assert.equal(shown(device), 0);
});

test("a token of a keyset beyond the code's is shown only where another code had it", async () => {
  const { device, purse } = await withTokens();
  const before = await hashOf(device, device.mint.tokenKeysets);
  device.mint.askForTokens(SECOND);
  const after = await hashOf(device, device.mint.tokenKeysets);
  await device.vault.save({ ...(await device.state()), tokens: [] }, null);
  await purse.fill(device.named, ASKED);
  const { tokens } = await device.state();
  assert.ok(tokens.length >= POLICY.blind_tokens.per_fetch);
  assert.ok(tokens.every(({ keyset }) => keyset === device.mint.tokenKeyset?.id));
  // The older code says nothing of the keyset that came since: it may be this person's alone.
  assert.equal((await purse.look(orderWith(before))).kind, "other-keys");
  assert.equal(shown(device), 0);
  assert.equal((await purse.look(orderWith(after))).kind, "offer");
  assert.equal((await purse.look(orderWith(before))).kind, "offer");
});

test("coins of a keyset beyond the code's are paid only where another code had it", async () => {
  const device = new Device();
  const before = await listHash(device.mint.listed, []);
  device.mint.addKeyset(2);
  const after = await listHash(device.mint.listed, []);
  const purse = await device.fill();
  device.mint.orders.set("order_1", 300);
  assert.equal((await purse.look(orderWith(before))).kind, "other-keys");
  const newer = await purse.look(orderWith(after));
  assert.ok(newer.kind === "offer" && newer.covers);
  const older = await purse.look(orderWith(before));
  assert.ok(older.kind === "offer" && older.covers);
});

for (const [name, change] of [
  ["loses a keyset", () => []],
  ["changes one's end", (seen: readonly ListedKeyset[]) => seen.map(endless)],
] as const) {
  test(`a list of tokens' keysets that ${name} is kept out, and none is fetched or shown`, async () => {
    const { device, purse } = await withTokens();
    const { tokens } = await device.state();
    const hash = await hashOf(device, device.mint.tokenKeysets);
    const honest = device.mint.tokenKeysets;
    device.mint.tokenKeysets = change(honest);
    device.mint.askForTokens(SECOND);
    await device.vault.save({ ...(await device.state()), tokens: tokens.slice(0, 2) }, null);
    const calls = device.named.calls.filter((call) => call === "POST tokens").length;
    await purse.fill(device.named, ASKED);
    assert.equal(device.named.calls.filter((call) => call === "POST tokens").length, calls);
    assert.equal((await purse.summary()).list, "broken");
    assert.deepEqual((await device.state()).tokenKeysets, honest);
    for (const code of [hash, null])
      assert.equal((await purse.look(orderWith(code))).kind, "other-keys");
    assert.equal(shown(device), 0);
    // A list that agrees again ends it.
    device.mint.tokenKeysets = honest;
    await purse.fill(device.named, ASKED);
    assert.equal((await purse.look(orderWith(hash))).kind, "offer");
  });
}

function endless(keyset: ListedKeyset): ListedKeyset {
  return { ...keyset, final_expiry: null };
}

test("where the mint asks for no tokens nothing is asked of theirs at the till", async () => {
  const device = new Device();
  const purse = await device.filled();
  device.mint.orders.set("order_1", 300);
  const asked = device.mint.sent.length;
  const offer = await purse.look(orderWith(await listHash(device.mint.listed, [])));
  assert.ok(offer.kind === "offer" && offer.covers);
  assert.ok(device.mint.sent.slice(asked).every(({ address }) => !address.includes("/auth/")));
});
