/** Who lives in the town, where they buy, and when they have the app open. */

import { DAY, HOUR, MINUTE } from "../src/rules/purse/policy.ts";
import type { Chance } from "./chance.ts";

export interface Shop {
  readonly zone: number;
  readonly weight: number;
  /** Mean of the logarithm of its prices, in major units. */
  readonly price: number;
}

export interface Purchase {
  readonly kind: "pay";
  readonly at: number;
  readonly shop: number;
  readonly amount: bigint;
}

/** Money for another person: by handle, or by a link that is sent some other way. */
export interface Gift {
  readonly kind: "give";
  readonly at: number;
  readonly to: number;
  readonly way: Way;
  readonly amount: bigint;
}

export type Way = "handle" | "link";

/** A link that was sent to this person, or a new device to which the purse comes back. */
export type Doing =
  | Purchase
  | Gift
  | { readonly kind: "take"; readonly at: number; readonly letter: number }
  | { readonly kind: "restore"; readonly at: number };

/** The app stands open; for what, or just to look. */
export interface Opening {
  readonly from: number;
  readonly to: number;
  readonly does: Doing | null;
}

const PEOPLE_A_ZONE = 50;
const PEOPLE_A_SHOP = 5;
const FAVOURITES = 6;

export function zonesOf(people: number): number {
  return Math.max(4, Math.round(people / PEOPLE_A_ZONE));
}

export function makeShops(chance: Chance, people: number): Shop[] {
  const zones = zonesOf(people);
  return Array.from({ length: Math.ceil(people / PEOPLE_A_SHOP) }, (_, rank) => ({
    zone: chance.whole(zones),
    weight: (rank + 1) ** -0.8,
    price: chance.normal(2.3, 0.7),
  }));
}

/** The running sums of a person's likings, from which a shop is drawn. */
export function likings(chance: Chance, shops: readonly Shop[], zones: number): Float64Array {
  const home = chance.whole(zones);
  const work = chance.whole(zones);
  const weights = shops.map(({ zone, weight }) => {
    return weight * (zone === home ? 12 : 1) * (zone === work ? 8 : 1);
  });
  for (let count = 0; count < FAVOURITES; count++) {
    const favourite = draw(chance, running(weights));
    weights[favourite] = (weights[favourite] ?? 0) * 8;
  }
  return running(weights);
}

function running(weights: readonly number[]): Float64Array {
  const sums = new Float64Array(weights.length);
  let sum = 0;
  weights.forEach((weight, index) => (sums[index] = sum += weight));
  return sums;
}

function draw(chance: Chance, sums: Float64Array): number {
  const aim = chance.uniform() * (sums[sums.length - 1] ?? 0);
  let low = 0;
  for (let high = sums.length - 1; low < high;) {
    const middle = (low + high) >> 1;
    if ((sums[middle] ?? 0) > aim) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Every time this person opens the app to pay in a shop, or to look. */
export function openings(
  chance: Chance,
  shops: readonly Shop[],
  zones: number,
  days: number,
): Opening[] {
  const sums = likings(chance, shops, zones);
  const payments = chance.gamma(2.5, 0.25);
  const looks = chance.gamma(1.2, 0.3);
  const all: Opening[] = [];
  for (let left = chance.poisson(payments * days); left > 0; left--) {
    all.push(toPay(chance, shops, sums, chance.whole(days)));
  }
  for (let left = chance.poisson(looks * days); left > 0; left--) {
    const from = Math.floor(chance.whole(days) * DAY + chance.between(8, 23) * HOUR);
    all.push({ from, to: from + Math.floor(chance.between(15, 300)), does: null });
  }
  return all;
}

/** Opened less than a minute before paying; mostly closed soon after, sometimes left open. */
function toPay(chance: Chance, shops: readonly Shop[], sums: Float64Array, day: number): Opening {
  const hour = Math.min(23, Math.max(7, chance.normal(14, 4)));
  const at = Math.floor(day * DAY + hour * HOUR + chance.between(0, MINUTE));
  const shop = draw(chance, sums);
  const amount = minor(chance.normal(shops[shop]?.price ?? 0, 0.5));
  const lingers = chance.uniform() < 0.1;
  const to = at + Math.floor(lingers ? chance.between(600, 1800) : chance.between(20, 120));
  const does = { kind: "pay", at, shop, amount } as const;
  return { from: at - Math.floor(chance.between(10, 45)), to, does };
}

/** An amount in minor units, from the logarithm of major ones. */
export function minor(logarithm: number): bigint {
  return BigInt(Math.max(1, Math.round(Math.exp(logarithm) * 100)));
}

/** In order, and so that openings do not overlap. */
export function apart(unordered: readonly Opening[]): Opening[] {
  const all = unordered.toSorted((one, other) => one.from - other.from);
  const kept: Opening[] = [];
  for (const opening of all) {
    const last = kept.at(-1);
    if (last === undefined || opening.from > last.to) kept.push(opening);
    else if (opening.does !== null) {
      // The app is open already: the opening before goes on until this is done.
      kept.pop();
      kept.push({ ...last, to: opening.from - 1 }, opening);
    }
  }
  return kept.filter(({ from, to }) => to > from);
}
