/**
 * A town that lives with the shipped policy: everything that happens, a line of JSON each, in order.
 *
 * node tools/town.ts --people 500 --days 30 --seed 7 [--habit exact|till] [--policy FILE]
 *
 * No curve is touched: denominations stand for proofs. The first line states the parameters.
 */

import { readFileSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { DAY, POLICY, type Policy } from "../src/rules/purse/policy.ts";
import { Chance } from "./chance.ts";
import { makeShops, openings, zonesOf } from "./people.ts";
import { type Event, type Habit, Wallet } from "./wallet.ts";

const { values } = parseArgs({
  options: {
    people: { type: "string", default: "500" },
    days: { type: "string", default: "30" },
    seed: { type: "string", default: "7" },
    habit: { type: "string", default: "shipped" },
    policy: { type: "string" },
  },
});

const people = Number(values.people);
const days = Number(values.days);
const seed = BigInt(values.seed);
const policy = values.policy ? (JSON.parse(readFileSync(values.policy, "utf8")) as Policy) : POLICY;
const SETTLING_DAYS = 7;

/** A seed of each person's own, so that one person's life does not change another's. */
const chanceOf = (what: bigint, person: number) =>
  new Chance((seed << 40n) ^ (what << 32n) ^ BigInt(person));

function liveAll(habit: Habit): Event[] {
  const shops = makeShops(chanceOf(1n, 0), people);
  const events: Event[] = [];
  const surroundings = { policy, habit, emit: (event: Event) => events.push(event) };
  for (let person = 0; person < people; person++) {
    const life = chanceOf(2n, person);
    const begins = Math.floor(life.between(0, SETTLING_DAYS) * DAY);
    const wallet = new Wallet(person, surroundings, chanceOf(3n, person));
    const opened = openings(life, shops, zonesOf(people), days);
    wallet.begin(begins);
    for (const opening of opened) if (opening.from > begins) wallet.live(opening);
  }
  const order = new Map(events.map((event, index) => [event, index]));
  const place = (event: Event) => order.get(event) as number;
  return events
    .filter(({ at }) => at < days * DAY)
    .sort((one, other) => one.at - other.at || place(one) - place(other));
}

function write(events: readonly Event[]): void {
  const plain = (_: string, value: unknown) => (typeof value === "bigint" ? Number(value) : value);
  const first = { kind: "town", people, days, seed: Number(seed), habit: values.habit };
  let lines: string[] = [JSON.stringify(first)];
  for (const event of events) {
    lines.push(JSON.stringify(event, plain));
    if (lines.length < 5_000) continue;
    put(lines);
    lines = [];
  }
  if (lines.length > 0) put(lines);
}

/** A pipe may be full: what was not taken yet is offered again. */
function put(lines: readonly string[]): void {
  const bytes = Buffer.from(`${lines.join("\n")}\n`);
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}

write(liveAll(values.habit as Habit));
