/** Filling the purse: which tier, its outputs, and when the wallet may speak to the named side. */

import { DAY, HOUR, MINUTE, type Policy, type Seconds, drawn, scaled } from "./policy.ts";

const PACE_DAYS_MAX = 28;
const PACE_DAYS_MIN = 7;

export interface Spending {
  readonly at: Seconds;
  readonly amount: bigint;
}

/** What the purse has paid in the last weeks, brought to so many days; a first week counts whole. */
export function paceFor(days: number, spendings: readonly Spending[], now: Seconds): bigint {
  const seen = spendings.filter(({ at }) => at > now - PACE_DAYS_MAX * DAY);
  if (seen.length === 0) return 0n;
  const first = Math.min(...seen.map(({ at }) => at));
  const since = Math.max(now - first, PACE_DAYS_MIN * DAY);
  return (sumOf(seen) * BigInt(days * DAY)) / BigInt(since);
}

function sumOf(spendings: readonly Spending[]): bigint {
  return spendings.reduce((sum, { amount }) => sum + amount, 0n);
}

/** The smallest tier that lasts long enough at the purse's own pace, but not below the usual one. */
export function chooseTier(
  policy: Policy,
  exponent: number,
  spendings: readonly Spending[],
  now: Seconds,
): bigint {
  const { tiers, default_tier, tier_days } = policy.refill;
  const needed = paceFor(tier_days, spendings, now);
  const least = scaled(policy, default_tier, exponent);
  let chosen = least;
  for (const tier of tiers) {
    chosen = scaled(policy, tier, exponent);
    if (chosen >= least && chosen >= needed) break;
  }
  return chosen;
}

/** The denominations of a refill, ascending: the same for everybody who asks for this tier. */
export function refillOutputs(policy: Policy, amount: bigint): bigint[] {
  const largest = 1n << BigInt(policy.denomination_exponent_max);
  const ladder = policy.refill.ladder_exponent_max;
  const outputs: bigint[] = [];
  for (let exponent = 0; exponent <= ladder; exponent++) outputs.push(1n << BigInt(exponent));
  let rest = amount - ((1n << BigInt(ladder + 1)) - 1n);
  if (rest < 0n) throw new RangeError("a tier is larger than the ladder");
  for (; rest >= largest; rest -= largest) outputs.push(largest);
  outputs.push(...powersIn(rest));
  outputs.sort(ascending);
  while (outputs.length < policy.refill.outputs) {
    const half = (outputs.pop() as bigint) / 2n;
    outputs.push(half, half);
    outputs.sort(ascending);
  }
  return outputs;
}

/** The powers of two that add up to an amount, ascending. */
export function powersIn(amount: bigint): bigint[] {
  const powers: bigint[] = [];
  for (let power = 1n; power <= amount; power <<= 1n)
    if ((amount & power) !== 0n) powers.push(power);
  return powers;
}

export const ascending = (one: bigint, other: bigint): number =>
  one < other ? -1 : one > other ? 1 : 0;

/** How long a refill waits at the operator before it is signed, in minutes; the first one does not. */
export function signingDelayMinutes(policy: Policy, random: Uint8Array, isFirst = false): number {
  if (isFirst && policy.refill.first_at_once) return 0;
  return drawn(inMinutes(policy.refill.signing_delay_hours), random);
}

/** By when a refill that was made then is signed, if the account holds enough; null once that is over. */
export function dueBy(policy: Policy, madeAt: Seconds | null, now: Seconds): Seconds | null {
  if (madeAt === null) return null;
  const until = madeAt + policy.refill.signing_delay_hours.to * HOUR;
  return until > now ? until : null;
}

export function inMinutes({ from, to }: { from: number; to: number }): {
  from: number;
  to: number;
} {
  return { from: from * 60, to: to * 60 - 1 };
}

/** What the wallet knows when it asks itself whether to speak to the named side. */
export interface Moment {
  readonly now: Seconds;
  /** Since when the app is open, without a code or link that asks to be paid. */
  readonly openSince: Seconds;
  /** Whether this opening is one for paying: `isForPaying`. */
  readonly paying: boolean;
  readonly lastSpentAt: Seconds | null;
  /** Whether the purse is nearly empty, or has nearly no tokens: `isUrgent`, `isShortOfTokens`. */
  readonly urgent: boolean;
}

/**
 * Whether the wallet may speak to the operator's named side of its own accord.
 *
 * Only in an opening that is idle, once nothing has been paid for a while. Where the purse is nearly
 * empty any opening will do before a code is scanned; but never from a scan to its receipt, nor soon
 * after.
 */
export function maySpeakNamed(policy: Policy, moment: Moment): boolean {
  const { quiet_minutes } = policy.refill;
  const { now, openSince, paying, lastSpentAt, urgent } = moment;
  if (paying) return false;
  if (lastSpentAt !== null && now < lastSpentAt + quiet_minutes * MINUTE) return false;
  return urgent || isIdleOpening(policy, openSince, now);
}

/** Whether something to be paid was looked at in this opening, and as lately as that stays quiet. */
export function isForPaying(policy: Policy, lookedAt: Seconds | null, now: Seconds): boolean {
  return lookedAt !== null && now < lookedAt + policy.refill.quiet_minutes * MINUTE;
}

/** Whether this opening seems not to be for paying: the app stands open, and nothing was scanned. */
export function isIdleOpening(policy: Policy, openSince: Seconds, now: Seconds): boolean {
  return now >= openSince + policy.refill.idle_seconds;
}

export interface Purse {
  readonly held: bigint;
  readonly isWaiting: boolean;
  readonly spendings: readonly Spending[];
}

/**
 * Whether to leave the next refill: none is on its way, and the purse is below its mark or would not
 * last long enough at its own pace.
 *
 * The day on which one is left can be read from the operator's nightly copies. So an opening that may
 * turn out to be for paying is used only when the purse is nearly empty.
 */
export function needsRefill(
  policy: Policy,
  exponent: number,
  purse: Purse,
  { now, isIdle }: { now: Seconds; isIdle: boolean },
): boolean {
  if (purse.isWaiting) return false;
  if (!isIdle) return isUrgent(policy, exponent, purse, now);
  const { low_water, low_water_days: days, young_low_water } = policy.refill;
  const mark = isYoung(policy, purse, now) ? young_low_water : low_water;
  return isBelow(policy, exponent, purse, now, { mark, days });
}

/** Whether the purse is nearly empty. */
export function isUrgent(policy: Policy, exponent: number, purse: Purse, now: Seconds): boolean {
  const { urgent_water, urgent_water_days: days, young_urgent_water } = policy.refill;
  const mark = isYoung(policy, purse, now) ? young_urgent_water : urgent_water;
  return isBelow(policy, exponent, purse, now, { mark, days });
}

/**
 * Whether the purse has no pace of its own yet: it paid nothing in the last weeks, or began to pay
 * only days ago. Then it is kept fuller, because nobody knows how soon it would run dry.
 */
export function isYoung(policy: Policy, { spendings }: Purse, now: Seconds): boolean {
  const seen = spendings.filter(({ at }) => at > now - PACE_DAYS_MAX * DAY);
  return seen.every(({ at }) => at > now - policy.refill.young_days * DAY);
}

function isBelow(
  policy: Policy,
  exponent: number,
  { held, spendings }: Purse,
  now: Seconds,
  { mark, days }: { mark: number; days: number },
): boolean {
  return held < scaled(policy, mark, exponent) || held < paceFor(days, spendings, now);
}

/** When a keyset that ends is exchanged for the next one: some time in the weeks before. */
export function refreshAt(policy: Policy, finalExpiry: Seconds, random: Uint8Array): Seconds {
  const { window_days, margin_days } = policy.refresh;
  const before = drawn({ from: margin_days * DAY, to: (margin_days + window_days) * DAY }, random);
  return finalExpiry - before;
}

/** When to ask, once, whether an order was refunded. */
export function refundAskAt(policy: Policy, paidAt: Seconds, random: Uint8Array): Seconds {
  const { from, to } = policy.refund_ask_hours;
  return paidAt + drawn({ from: from * HOUR, to: to * HOUR }, random);
}

/** The tier nearest below what is to go back into the account, or null if there is none. */
export function depositTier(policy: Policy, exponent: number, amount: bigint): bigint | null {
  let chosen: bigint | null = null;
  for (const tier of policy.deposit.tiers) {
    const minor = scaled(policy, tier, exponent);
    if (minor <= amount) chosen = minor;
  }
  return chosen;
}

export function depositDelayMinutes(policy: Policy, random: Uint8Array): number {
  return drawn(inMinutes(policy.deposit.delay_hours), random);
}

export interface BackupCause {
  readonly leavesRefill: boolean;
  readonly isIdle: boolean;
  /** When each coin that waits for it is exchanged for a fresh one. */
  readonly exchanges: readonly Seconds[];
}

/**
 * Whether to write a backup now: the first of a device, with a refill, or in an idle opening after
 * some days.
 *
 * The first one of a device that took a purse over waits until what came over is exchanged: made
 * before, it would be one of spent coins, as the one that the purse came from is by then.
 */
export function backupDue(
  policy: Policy,
  lastAt: Seconds | null,
  now: Seconds,
  { leavesRefill, isIdle, exchanges }: BackupCause,
): boolean {
  if (leavesRefill) return true;
  const soon = now + policy.restore.exchange_minutes.to * MINUTE;
  if (lastAt === null) return !exchanges.some((at) => at <= soon);
  return isIdle && now >= lastAt + policy.backup.slot_days * DAY;
}

/**
 * Whether to fetch blind tokens, in a call to the named side that is made anyway.
 *
 * With each refill, however many are held: what is fetched only once it is used up tells the
 * operator how often somebody pays. Else only where the purse might soon have none, because then it
 * cannot pay, and a payment by name tells where its owner buys.
 */
export function tokensDue(policy: Policy, tokens: number, leavesRefill: boolean): boolean {
  return leavesRefill || tokens < policy.blind_tokens.low_mark;
}

/** Whether there are so few blind tokens that any opening will do for a call that fetches more. */
export function isShortOfTokens(policy: Policy, tokens: number): boolean {
  return tokens < policy.blind_tokens.urgent_mark;
}

/**
 * When a coin that came back with a backup is exchanged for a fresh one, which needs no rest.
 *
 * The mint has just been asked about all of them: waiting would hide nothing more, and until then
 * the account pays, by name.
 */
export function exchangeAt(policy: Policy, restoredAt: Seconds, random: Uint8Array): Seconds {
  const { from, to } = policy.restore.exchange_minutes;
  return restoredAt + drawn({ from: from * MINUTE, to: to * MINUTE }, random);
}
