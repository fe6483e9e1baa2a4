/** A device stops at every single step of handing over and of taking; nothing is lost or doubled. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Purse } from "../src/purse/purse.ts";
import { HOUR } from "../src/rules/purse/policy.ts";
import { ASKED, HANDLE, NOTE_KEY, Two, type TwoDevice } from "./purse-two.ts";

/** Small coins, so that no output is halved: the arithmetic is not what is tried here. */
const COINS = [1, 1, 1] as const;
const SUM = 3;
const AMOUNT = 2;
const STEPS_MAX = 60;
const HOURS_MAX = 400;

async function opened(device: TwoDevice): Promise<Purse> {
  const purse = await device.open();
  await purse.people.resume();
  return purse;
}

/** Hands over once: what an earlier try began is finished, not begun again. */
async function handOver(two: Two, handle: string | null, isByHand = false): Promise<void> {
  const { people } = await opened(two.payer);
  if (two.payer.state.people.handings.length > 0) return;
  if (handle !== null) assert.equal((await people.look(handle)).kind, "person");
  await people.give(handle, AMOUNT, isByHand);
}

function tokenOf(two: Two): string {
  const [handing] = two.payer.state.people.handings;
  assert.ok(handing?.text != null);
  return handing.text;
}

const byHandle = (two: Two) => handOver(two, HANDLE);
const byLink = (two: Two) => handOver(two, null);
const byHand = (two: Two) => handOver(two, HANDLE, true);

async function publish(two: Two): Promise<void> {
  const { people } = await opened(two.payee);
  await people.fetchMail(two.payee.mail, NOTE_KEY, ASKED);
}

async function takeLink(two: Two): Promise<void> {
  const { people } = await opened(two.payee);
  await people.takeToken(tokenOf(two));
}

async function takeBack(two: Two): Promise<void> {
  const { people } = await opened(two.payer);
  const [handing] = two.payer.state.people.handings;
  await people.takeBack(handing?.id ?? "");
}

/** The holder of the link spends a part of it elsewhere, with another wallet. */
async function spendOne(two: Two): Promise<void> {
  const [proof] = two.payer.state.people.handings[0]?.proofs ?? [];
  assert.ok(proof !== undefined);
  two.mint.spend(proof.secret);
}

/** The mint begins another keyset and gives up the one that the link is of. */
async function revoke(two: Two): Promise<void> {
  const [old] = two.mint.listed;
  assert.ok(old !== undefined);
  two.mint.addKeyset(2);
  two.mint.revoke(old.id);
}

/** Days on, when all that was to be issued anew has been. */
async function waitLong(two: Two): Promise<void> {
  await (await opened(two.payer)).issueAnew(two.mint.listed.map(({ id }) => id));
  for (let hours = 0; hours < HOURS_MAX; hours += 1) {
    two.payer.now += HOUR;
    await (await opened(two.payer)).tend({ openSince: 0, paying: false, isAsked: false });
    const { plans, exchanges } = two.payer.state.keeping;
    if (hours > 0 && plans.length + exchanges.length === 0) return;
  }
}

async function keepOffline(two: Two): Promise<void> {
  two.payee.isOffline = true;
  const { people } = await two.payee.open();
  await people.keepToken(tokenOf(two));
  two.payee.isOffline = false;
}

const ways: readonly (readonly [
  name: string,
  before: readonly ((two: Two) => Promise<void>)[],
  who: "payer" | "payee",
  deed: (two: Two) => Promise<void>,
  after: readonly ((two: Two) => Promise<void>)[],
  received: number,
  lost?: number,
])[] = [
  ["sends to a handle", [publish], "payer", byHandle, [publish], AMOUNT],
  ["makes a link", [], "payer", byLink, [takeLink], AMOUNT],
  ["prepares to hand over", [publish], "payer", byHand, [keepOffline, publish], AMOUNT],
  ["fetches a letter", [publish, byHandle], "payee", publish, [], AMOUNT],
  ["takes a link", [byLink], "payee", takeLink, [], AMOUNT],
  ["keeps without a network", [publish, byHand], "payee", keepOffline, [publish], AMOUNT],
  ["has it counted", [publish, byHand, keepOffline], "payee", publish, [], AMOUNT],
  ["takes a link back", [byLink], "payer", takeBack, [], 0],
  ["takes what is left of a link", [byLink, spendOne], "payee", takeLink, [], AMOUNT - 1, 1],
  ["takes back what is left", [byLink, spendOne], "payer", takeBack, [], 0, 1],
  ["takes back what was revoked", [byLink, revoke], "payer", takeBack, [waitLong], 0],
];

for (const [name, before, who, deed, after, received, lost = 0] of ways) {
  test(`a device that stops at any step while it ${name} loses and doubles nothing`, async () => {
    const start = new Two(COINS);
    for (const one of before) await one(start);
    for (let step = 1; step < STEPS_MAX; step += 1) {
      for (const hasEffect of [false, true]) {
        const two = start.copy();
        const device = two[who];
        Object.assign(device, { endsAt: step, hasEffect });
        const done = await Promise.race([
          deed(two).then(() => true),
          device.ended.promise.then(() => false),
        ]);
        if (done) {
          assert.ok(step > 1, "the device stopped at some step");
          return;
        }
        // What the stopped device still had in hand is over before it is opened again.
        await new Promise(setImmediate);
        device.endsAt = Infinity;
        for (const again of [deed, deed, ...after, ...after]) await again(two);
        const where = `step ${step}, ${hasEffect ? "with" : "without"} its effect`;
        two.assertWhole(SUM - lost, where);
        assert.equal(two.payee.worth, received, where);
      }
    }
    assert.fail("the deed never came to its end");
  });
}
