/**
 * A town that lives with the shipped policy: everything that happens, a line of JSON each, in order.
 *
 * node tools/town.ts --people 500 --days 30 --seed 7 [--habit exact|till] [--policy FILE]
 *     [--gifts 0] [--losses 0]
 *
 * No curve is touched: denominations stand for proofs. The first line states the parameters.
 */

import { readFileSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { DAY, POLICY, type Policy } from "../src/rules/purse/policy.ts";
import { Chance } from "./chance.ts";
import { circles, gifts, losses, visit } from "./friends.ts";
import { type Opening, type Shop, apart, makeShops, openings, zonesOf } from "./people.ts";
import { type Event, type Habit, type Letter, type Post, Wallet } from "./wallet.ts";

const { values } = parseArgs({
  options: {
    people: { type: "string", default: "500" },
    days: { type: "string", default: "30" },
    seed: { type: "string", default: "7" },
    habit: { type: "string", default: "shipped" },
    policy: { type: "string" },
    gifts: { type: "string", default: "1" },
    losses: { type: "string", default: "1" },
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

interface Turn {
  readonly person: number;
  readonly opening: Opening;
}

/** The openings of all, in order; reading a letter's link or being told of one adds another. */
class Agenda {
  private readonly turns: Turn[];
  private next = 0;

  constructor(turns: readonly Turn[]) {
    this.turns = turns.toSorted((one, other) => one.opening.from - other.opening.from);
  }

  take(): Turn | undefined {
    return this.turns[this.next++];
  }

  add(turn: Turn): void {
    let place = this.next;
    for (let high = this.turns.length; place < high;) {
      const middle = (place + high) >> 1;
      if ((this.turns[middle]?.opening.from ?? 0) <= turn.opening.from) place = middle + 1;
      else high = middle;
    }
    this.turns.splice(place, 0, turn);
  }
}

/** The mailboxes at the mint, and the links that people send each other some other way. */
function makePost(agenda: Agenda, begins: readonly number[]): Post {
  const boxes = new Map<number, Letter[]>();
  const links: Letter[] = [];
  const chance = chanceOf(5n, 0);
  return {
    send({ at, to, way }, passed) {
      const letter = { number: links.length, at, passed };
      links.push(letter);
      if (way === "handle") boxes.set(to, [...(boxes.get(to) ?? []), letter]);
      const opening = visit(chance, way, Math.max(at, begins[to] ?? 0), letter.number);
      if (opening !== null) agenda.add({ person: to, opening });
      return letter.number;
    },
    fetch(person, now) {
      const waiting = boxes.get(person) ?? [];
      const fetched = waiting.filter(({ at }) => at < now);
      boxes.set(
        person,
        waiting.filter((letter) => !fetched.includes(letter)),
      );
      return fetched;
    },
    open: (number) => links[number] as Letter,
  };
}

/** Everything one person opens the app for. */
function lifeOf(person: number, shops: readonly Shop[], friends: readonly number[]): Opening[] {
  const own = openings(chanceOf(2n, person), shops, zonesOf(people), days);
  if (values.gifts !== "0") own.push(...gifts(chanceOf(6n, person), friends, days));
  if (values.losses !== "0") own.push(...losses(chanceOf(7n, person), days));
  return apart(own);
}

function liveAll(habit: Habit): Event[] {
  const shops = makeShops(chanceOf(1n, 0), people);
  const friends = circles(chanceOf(4n, 0), people);
  const events: Event[] = [];
  const everybody = Array.from({ length: people }, (_, person) => person);
  const begins = everybody.map((person) =>
    Math.floor(chanceOf(8n, person).between(0, SETTLING_DAYS) * DAY),
  );
  const agenda = new Agenda(
    everybody.flatMap((person) =>
      lifeOf(person, shops, friends[person] ?? [])
        .filter(({ from }) => from > (begins[person] ?? 0))
        .map((opening) => ({ person, opening })),
    ),
  );
  const post = makePost(agenda, begins);
  const surroundings = { policy, habit, post, emit: (event: Event) => events.push(event) };
  const wallets = everybody.map((person) => new Wallet(person, surroundings, chanceOf(3n, person)));
  wallets.forEach((wallet, person) => wallet.begin(begins[person] ?? 0));
  for (let turn = agenda.take(); turn !== undefined; turn = agenda.take())
    wallets[turn.person]?.live(turn.opening);
  return inOrder(events);
}

function inOrder(events: readonly Event[]): Event[] {
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
