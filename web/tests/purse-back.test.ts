/** E-cash that was handed over and comes back although its keyset was revoked meanwhile. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY, HOUR } from "../src/rules/purse/policy.ts";
import { ASKED, HANDLE, NOTE_KEY, Two } from "./purse-two.ts";

const AMOUNT = 2;
const HOURS_MAX = 400;
/** The mint of these tests judges the end of a lock by the real clock. */
const LONG_AGO = 1_600_000_000;

/** Hands over, and the mint gives up the keyset of it. */
async function revokedHanding(handle: string | null): Promise<Two> {
  const two = new Two([1, 1, 1]);
  if (handle !== null) {
    await (await two.payee.open()).people.fetchMail(two.payee.mail, NOTE_KEY, ASKED);
  }
  two.payer.now = LONG_AGO;
  const { people } = await two.payer.open();
  if (handle !== null) await people.look(handle);
  assert.equal((await people.give(handle, AMOUNT)).kind, "given");
  const [old] = two.mint.listed;
  assert.ok(old !== undefined);
  two.mint.addKeyset(2);
  two.mint.revoke(old.id);
  return two;
}

async function takeBack(two: Two) {
  const [handing] = two.payer.state.people.handings;
  return (await two.payer.open()).people.takeBack(handing?.id ?? "");
}

async function waitLong(two: Two): Promise<void> {
  const purse = await two.payer.open();
  await purse.issueAnew(two.mint.listed.map(({ id }) => id));
  for (let hours = 0; hours < HOURS_MAX; hours += 1) {
    two.payer.now += HOUR;
    await purse.tend({ openSince: 0, paying: false, isAsked: false });
    const { plans, exchanges } = two.payer.state.keeping;
    if (hours > 0 && plans.length + exchanges.length === 0) return;
  }
  assert.fail("coins are left to be issued anew");
}

const stageOf = (two: Two) => two.payer.state.people.handings[0]?.stage;

test("a link of a revoked keyset is taken back, and issued anew once its owner says so", async () => {
  const two = await revokedHanding(null);
  const [old] = two.mint.listed;
  assert.deepEqual(await takeBack(two), { kind: "taken", amount: AMOUNT });
  assert.equal(stageOf(two), "back");
  assert.equal(two.payer.state.people.arrivals[0]?.amount, AMOUNT);
  const purse = await two.payer.open();
  two.payer.now += 7 * DAY;
  await purse.tend({ openSince: 0, paying: false, isAsked: false });
  const { revoked, stuck, ready, undecided } = await purse.summary();
  assert.deepEqual([revoked, stuck, ready], [3n, 0n, 0n]);
  assert.deepEqual(
    undecided.map(({ keyset, amount }) => [keyset, amount]),
    [[old?.id, 3n]],
  );
  assert.ok(two.mint.sent.every(({ address }) => !address.endsWith("/v1/reissue")));
  await waitLong(two);
  assert.ok(two.payer.state.coins.every(({ keyset }) => keyset !== old?.id));
  two.assertWhole(3, "issued anew");
});

test("what was locked is issued anew with the signature that opens it", async () => {
  const two = await revokedHanding(HANDLE);
  assert.equal((await takeBack(two)).kind, "not-yet");
  two.payer.now = two.payer.state.people.handings[0]?.refundAt ?? 0;
  assert.deepEqual(await takeBack(two), { kind: "taken", amount: AMOUNT });
  await waitLong(two);
  const anew = two.mint.sent.filter(({ address }) => address.endsWith("/v1/reissue"));
  const witnesses = anew.flatMap(({ body }) =>
    (body?.["inputs"] as { witness?: string }[]).map(({ witness }) => witness !== undefined),
  );
  assert.deepEqual(witnesses.toSorted(), [false, true, true]);
  two.assertWhole(3, "issued anew");
});

test("of what was revoked only the part that nobody has spent comes back", async () => {
  const two = await revokedHanding(null);
  const [first, second] = two.payer.state.people.handings[0]?.proofs ?? [];
  two.mint.spend(first?.secret ?? "");
  const other = two.copy();
  assert.deepEqual(await takeBack(two), { kind: "taken", amount: 1 });
  assert.equal(two.payer.worth, 2);
  other.mint.spend(second?.secret ?? "");
  assert.deepEqual(await takeBack(other), { kind: "spent" });
  assert.equal(stageOf(other), "taken");
  assert.equal(other.payer.worth, 1);
});

test("without the mint nothing comes back, and it is taken back another time", async () => {
  const two = await revokedHanding(null);
  two.payer.isOffline = true;
  assert.deepEqual(await takeBack(two), { kind: "lost" });
  assert.equal(stageOf(two), "ready");
  two.payer.isOffline = false;
  assert.equal((await takeBack(two)).kind, "taken");
});
