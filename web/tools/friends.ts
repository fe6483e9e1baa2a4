/** What the people of a town do besides buying: they pay each other, and lose their telephones. */

import { DAY, HOUR, MINUTE } from "../src/rules/purse/policy.ts";
import type { Chance } from "./chance.ts";
import { type Gift, type Opening, minor } from "./people.ts";

/** How far from oneself one's friends live, in the order in which people stand. */
const NEARBY = 25;
const FRIENDS = 6;
/** One payment in ten goes to a person: by handle two times in three. */
const GIFTS_SHAPE = 2.5;
const GIFTS_SCALE = 0.028;
const BY_HANDLE = 2 / 3;
/** Mean and deviation of the logarithm of what is given, in major units. */
const GIVEN = { mean: 2.7, deviation: 0.9 };
/** Once in two years, for a new telephone or a lost one. */
const RESTORES_A_DAY = 1 / 730;
/** Half of those who are sent something by handle are told so by the sender, and look. */
const TOLD = 1 / 2;

/** Friends of both sides: whoever stands near, drawn from one seed for the town. */
export function circles(chance: Chance, people: number): readonly (readonly number[])[] {
  const friends = Array.from({ length: people }, () => new Set<number>());
  for (let person = 0; person < people; person++) {
    for (let tries = 0; tries < FRIENDS / 2; tries++) {
      const step = 1 + chance.whole(Math.min(NEARBY, people - 1));
      const other = (person + step) % people;
      friends[person]?.add(other);
      friends[other]?.add(person);
    }
  }
  return friends.map((some) => [...some]);
}

/** Every time this person pays another; those named first among the friends are paid most. */
export function gifts(chance: Chance, friends: readonly number[], days: number): Opening[] {
  const rate = chance.gamma(GIFTS_SHAPE, GIFTS_SCALE);
  const all: Opening[] = [];
  for (let left = chance.poisson(rate * days); left > 0; left--) {
    const hour = Math.min(23, Math.max(8, chance.normal(17, 4)));
    const at = Math.floor(chance.whole(days) * DAY + hour * HOUR + chance.between(0, MINUTE));
    const to = friends[chance.whole(1 + chance.whole(friends.length))] ?? 0;
    const way = chance.uniform() < BY_HANDLE ? "handle" : "link";
    const amount = minor(chance.normal(GIVEN.mean, GIVEN.deviation));
    const from = at - Math.floor(chance.between(20, 90));
    const does: Gift = { kind: "give", at, to, way, amount };
    all.push({ from, to: at + Math.floor(chance.between(20, 120)), does });
  }
  return all;
}

/** Every time this person takes the purse over to another device, and waits until it is there. */
export function losses(chance: Chance, days: number): Opening[] {
  const all: Opening[] = [];
  for (let left = chance.poisson(RESTORES_A_DAY * days); left > 0; left--) {
    const from = Math.floor(chance.whole(days) * DAY + chance.between(8, 22) * HOUR);
    const does = { kind: "restore", at: from + MINUTE } as const;
    all.push({ from, to: from + Math.floor(chance.between(5, 20) * MINUTE), does });
  }
  return all;
}

/** When whoever was sent something opens the app because of it; null where nobody told them. */
export function visit(
  chance: Chance,
  way: Gift["way"],
  at: number,
  letter: number,
): Opening | null {
  const isTold = chance.uniform() < TOLD;
  if (way === "handle" && !isTold) return null;
  const soon = at + Math.floor(chance.between(1, 600) * MINUTE);
  const morning = Math.floor(soon / DAY) * DAY + Math.floor(chance.between(7, 10) * HOUR);
  const from = soon % DAY < 7 * HOUR ? morning : soon;
  const to = from + Math.floor(chance.between(30, 240));
  return { from, to, does: way === "link" ? { kind: "take", at: from + 10, letter } : null };
}
