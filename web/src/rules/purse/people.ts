/** E-cash from person to person: how much, in which denominations, and locked until when. */

import { DAY, type Policy, type Seconds, scaled } from "./policy.ts";
import { type Moment, ascending, maySpeakNamed, powersIn } from "./refill.ts";

/** A swap has so many outputs wherever its sum allows it: what goes and what stays look alike. */
const OUTPUTS = [16, 32] as const;
/** What goes to another person fits a letter of the mint's mailbox. */
const PASSED_MAX = 16;
const LOCK_DAYS = 30;

/** The most that goes to a person at once: the largest refill, as that is what a purse is made of. */
export function passedMax(policy: Policy, exponent: number): bigint {
  return scaled(policy, policy.refill.tiers.at(-1) ?? 0, exponent);
}

/** The most that may wait at a payee, taken without a network and not counted by the mint yet. */
export function heldMax(policy: Policy, exponent: number): bigint {
  return scaled(policy, policy.offline.held_max, exponent);
}

/** A lock must hold until then for its payee to rely on it without asking the mint. */
export function sureUntil(policy: Policy, now: Seconds): Seconds {
  return now + policy.offline.lock_days_min * DAY;
}

/**
 * When e-cash that was not fetched can be had back by whoever sent it.
 *
 * A whole day, because the mint reads it in the end: the minute would say when it was sent.
 */
export function lockEnd(now: Seconds): Seconds {
  return (Math.floor(now / DAY) + LOCK_DAYS + 1) * DAY;
}

/**
 * Whether the wallet may fetch letters of its own accord: in an idle opening, far from a payment.
 *
 * The nightly copies show on which day a letter was gone, the books' log the second; in an opening
 * that turns out to be for paying both would point to the payment.
 */
export function mayFetchLetters(policy: Policy, moment: Omit<Moment, "urgent">): boolean {
  return maySpeakNamed(policy, { ...moment, urgent: false });
}

export interface Division {
  readonly passed: readonly bigint[];
  readonly kept: readonly bigint[];
}

/** The denominations of a swap, both parts ascending. */
export function division(policy: Policy, passed: bigint, kept: bigint): Division {
  const parts = { passed: denominations(policy, passed), kept: denominations(policy, kept) };
  const least = parts.passed.length + parts.kept.length;
  const wanted = OUTPUTS.find((count) => count >= least) ?? least;
  parts.kept = halved(parts.kept, wanted - parts.passed.length);
  parts.passed = halved(parts.passed, Math.min(wanted - parts.kept.length, PASSED_MAX));
  return parts;
}

function denominations(policy: Policy, amount: bigint): bigint[] {
  const largest = 1n << BigInt(policy.denomination_exponent_max);
  const whole = Array.from({ length: Number(amount / largest) }, () => largest);
  return [...powersIn(amount % largest), ...whole];
}

/** The largest halved, again and again, until there are so many or nothing is left to halve. */
function halved(amounts: readonly bigint[], count: number): bigint[] {
  const parts = [...amounts];
  while (parts.length < count) {
    const largest = parts.at(-1);
    if (largest === undefined || largest === 1n) break;
    parts.pop();
    parts.push(largest / 2n, largest / 2n);
    parts.sort(ascending);
  }
  return parts;
}

/** What the mint takes for spending these inputs: rounded up once, over all of them (NUT-02). */
export function inputFee(partsPerThousand: readonly number[]): number {
  return Math.ceil(partsPerThousand.reduce((sum, ppk) => sum + ppk, 0) / 1000);
}
