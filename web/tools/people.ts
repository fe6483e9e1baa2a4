/** Who lives in the town, where they buy, and when they have the app open. */

import { DAY, HOUR, MINUTE } from "../src/rules/purse/policy.ts";
import type { Chance } from "./chance.ts";

export interface Shop {
  readonly zone: number;
  readonly weight: number;
  /** Mean of the logarithm of its prices, in major units. */
  readonly price: number;
}

export interface Opening {
  readonly from: number;
  readonly to: number;
  readonly payment: { readonly at: number; readonly shop: number; readonly amount: bigint } | null;
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

/** Every time this person has the app open, in order; openings do not overlap. */
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
    all.push({ from, to: from + Math.floor(chance.between(15, 300)), payment: null });
  }
  all.sort((one, other) => one.from - other.from);
  return apart(all);
}

/** Opened less than a minute before paying; mostly closed soon after, sometimes left open. */
function toPay(chance: Chance, shops: readonly Shop[], sums: Float64Array, day: number): Opening {
  const hour = Math.min(23, Math.max(7, chance.normal(14, 4)));
  const at = Math.floor(day * DAY + hour * HOUR + chance.between(0, MINUTE));
  const shop = draw(chance, sums);
  const price = Math.exp(chance.normal(shops[shop]?.price ?? 0, 0.5));
  const amount = BigInt(Math.max(1, Math.round(price * 100)));
  const lingers = chance.uniform() < 0.1;
  const to = at + Math.floor(lingers ? chance.between(600, 1800) : chance.between(20, 120));
  return { from: at - Math.floor(chance.between(10, 45)), to, payment: { at, shop, amount } };
}

function apart(all: readonly Opening[]): Opening[] {
  const kept: Opening[] = [];
  for (const opening of all) {
    const last = kept.at(-1);
    if (last === undefined || opening.from > last.to) kept.push(opening);
    else if (opening.payment !== null) {
      // The app is open already: the opening before goes on until this payment is done.
      kept.pop();
      kept.push({ ...last, to: opening.from - 1 }, opening);
    }
  }
  return kept.filter(({ from, to }) => to > from);
}
