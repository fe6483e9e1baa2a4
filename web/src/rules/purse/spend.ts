/** Paying from the purse: which proofs go in, what change comes back, when it may be used. */

import { MINUTE, type Policy, type Seconds, drawn } from "./policy.ts";
import { powersIn } from "./refill.ts";

/** A proof as the rules see it; `lineage` names the refill or the payment that it came from. */
export interface Coin {
  readonly amount: bigint;
  readonly keyset: string;
  /** When the keyset stops swapping and paying; null if it never does. */
  readonly expiresAt: Seconds | null;
  readonly lineage: string;
  readonly availableAt: Seconds;
}

export interface Choice<C extends Coin> {
  readonly coins: readonly C[];
  readonly overpaid: bigint;
}

export function held(coins: readonly Coin[]): bigint {
  return coins.reduce((sum, { amount }) => sum + amount, 0n);
}

export function rested<C extends Coin>(coins: readonly C[], now: Seconds): C[] {
  return coins.filter(({ availableAt, expiresAt }) => {
    return availableAt <= now && (expiresAt === null || now < expiresAt);
  });
}

/**
 * The proofs for an amount, or null where the purse cannot pay it: then the wallet offers the
 * account, and never fills the purse at the till.
 *
 * Largest first without going above, then the smallest that covers what is left: where the purse
 * has them, exactly the powers of two that make the amount, so that the choice says nothing that the
 * amount did not say. Only among proofs of one denomination does the purse follow its own order.
 */
export function chooseCoins<C extends Coin>(
  policy: Policy,
  coins: readonly C[],
  amount: bigint,
  now: Seconds,
): Choice<C> | null {
  if (amount <= 0n) throw new RangeError("nothing is paid with nothing");
  const purse = rested(coins, now);
  if (held(purse) < amount) return null;
  const chosen = greedy(purse, amount, policy.spend.proofs_max);
  return chosen && { coins: chosen, overpaid: held(chosen) - amount };
}

/** At most `limit` proofs, or null if this way does not reach the amount. */
function greedy<C extends Coin>(purse: readonly C[], amount: bigint, limit: number): C[] | null {
  const left = [...purse];
  const chosen: C[] = [];
  let rest = amount;
  while (rest > 0n) {
    if (chosen.length === limit) return null;
    const lineages = new Set(chosen.map(({ lineage }) => lineage));
    const isLast = chosen.length === limit - 1;
    const next =
      (isLast ? null : fit(left, rest, lineages, false)) ?? fit(left, rest, lineages, true);
    if (next === null) return null;
    left.splice(left.indexOf(next), 1);
    chosen.push(next);
    rest -= next.amount;
  }
  return dropNeedless(chosen, -rest);
}

/** Proofs that the overpaid sum already covers are left out, smallest first. */
function dropNeedless<C extends Coin>(chosen: readonly C[], overpaid: bigint): C[] {
  let spare = overpaid;
  const kept = [...chosen];
  for (const coin of [...chosen].sort((one, other) => Number(one.amount - other.amount))) {
    if (coin.amount > spare) continue;
    spare -= coin.amount;
    kept.splice(kept.indexOf(coin), 1);
  }
  return kept;
}

/** The largest proof not above the rest, or with `covering` the smallest not below it. */
function fit<C extends Coin>(
  left: readonly C[],
  rest: bigint,
  lineages: ReadonlySet<string>,
  covering: boolean,
): C | null {
  let best: C | null = null;
  for (const coin of left) {
    if (covering ? coin.amount < rest : coin.amount > rest) continue;
    if (best === null || isBetter(coin, best, lineages, covering)) best = coin;
  }
  return best;
}

/** Among equals: the keyset that ends first, then a lineage already in this payment, then names. */
function isBetter(
  coin: Coin,
  best: Coin,
  lineages: ReadonlySet<string>,
  covering: boolean,
): boolean {
  if (coin.amount !== best.amount) return covering === coin.amount < best.amount;
  const ends = (coin.expiresAt ?? Infinity) - (best.expiresAt ?? Infinity);
  if (ends !== 0 && !Number.isNaN(ends)) return ends < 0;
  const joins = Number(lineages.has(coin.lineage)) - Number(lineages.has(best.lineage));
  if (joins !== 0) return joins > 0;
  return coin.lineage < best.lineage;
}

/** What the mint gives back on the blank outputs: as few powers of two as can be (NUT-08). */
export function changeOf(overpaid: bigint): bigint[] {
  return powersIn(overpaid);
}

/** Blank outputs for change: always as many, whatever was paid. */
export function blankOutputs(policy: Policy): number {
  return policy.spend.blanks;
}

/** When change may be spent. */
export function changeAvailableAt(policy: Policy, paidAt: Seconds, random: Uint8Array): Seconds {
  const { from, to } = policy.spend.change_rest_minutes;
  return paidAt + drawn({ from: from * MINUTE, to: to * MINUTE }, random);
}

/** A name in ascending order for what comes in one after the other: shown to nobody. */
export function lineageName(kind: "refill" | "change" | "received", number: number): string {
  return `${kind}-${number.toString().padStart(9, "0")}`;
}

/** Whether it came back from a payment, and not from a refill, a refund, an exchange or others. */
export function isChange({ lineage }: { readonly lineage: string }): boolean {
  return lineage.startsWith("change-");
}
