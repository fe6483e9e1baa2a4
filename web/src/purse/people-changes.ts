/** What may happen to e-cash between people, each step from one whole state to the next. */

import { DAY, type Seconds } from "../rules/purse/policy.ts";
import { lineageName } from "../rules/purse/spend.ts";
import { NOT_BEFORE_EXCHANGE } from "./keeping-model.ts";
import type { Coin, PurseState } from "./model.ts";
import { sumOf } from "./model.ts";
import { lockEndIn } from "./people-locks.ts";
import type {
  Arrival,
  Handing,
  HandingStage,
  Held,
  Met,
  Parted,
  PeopleState,
  TakenProof,
  Taking,
} from "./people-model.ts";
import { type Proven, coinFrom } from "./people-swap.ts";

/** How long what is over stays on the list. */
const KEPT_DAYS = 90;

function withPeople(state: PurseState, change: Partial<PeopleState>): PurseState {
  return { ...state, people: { ...state.people, ...change } };
}

/** The coins leave the purse for the swap they are sent with. */
export function handingBegun(state: PurseState, handing: Handing): PurseState {
  const going = new Set(handing.inputs.map(({ secret }) => secret));
  const coins = state.coins.filter(({ secret }) => !going.has(secret));
  if (coins.length + going.size !== state.coins.length || going.size !== handing.inputs.length) {
    throw new RangeError("a payment takes coins that are in the purse, each once");
  }
  const kept = state.people.handings.filter((one) => !isOld(one, handing.madeAt));
  return withPeople({ ...state, coins }, { handings: [...kept, handing] });
}

function isOld({ stage, madeAt }: Handing, now: Seconds): boolean {
  return (stage === "taken" || stage === "back") && madeAt < now - KEPT_DAYS * DAY;
}

export function handingOf(state: PurseState, id: string): Handing | null {
  return state.people.handings.find((one) => one.id === id) ?? null;
}

/** What is swapped is the payee's from here on; change comes in to rest. */
export function handingReady(
  state: PurseState,
  ready: Handing,
  change: readonly Proven[],
  at: { readonly paidAt: Seconds; readonly changeAt: Seconds },
): PurseState {
  if (handingOf(state, ready.id)?.stage !== "swapping") return state;
  const lineage = lineageName("change", state.nextLineage);
  return {
    ...handingChanged(state, ready.id, ready),
    coins: [...state.coins, ...change.map((one) => coinFrom(one, lineage, at.changeAt))],
    nextLineage: state.nextLineage + 1,
    spendings: [...state.spendings, { at: at.paidAt, amount: ready.amount }],
  };
}

/** Nothing was swapped: what is not spent comes back as it was. */
export function handingReturned(
  state: PurseState,
  { id }: Handing,
  spent: ReadonlySet<string>,
): PurseState {
  const handing = handingOf(state, id);
  if (handing?.stage !== "swapping") return state;
  const coins = handing.inputs.filter(({ secret }) => !spent.has(secret));
  const handings = state.people.handings.filter((one) => one.id !== id);
  return withPeople({ ...state, coins: [...state.coins, ...coins] }, { handings });
}

export function handingChanged(
  state: PurseState,
  id: string,
  change: Partial<Handing>,
): PurseState {
  const handings = state.people.handings.map((one) =>
    one.id === id ? { ...one, ...change } : one,
  );
  return withPeople(state, { handings });
}

export function takingBegun(state: PurseState, taking: Taking): PurseState {
  if (state.people.takings.some(({ id }) => id === taking.id)) return state;
  return withPeople(state, { takings: [...state.people.takings, taking] });
}

interface Moment {
  readonly now: Seconds;
  readonly availableAt: Seconds;
}

/** What the mint signed of one part comes in, and the next part is on its way. */
export function takingParted(
  state: PurseState,
  taking: Taking,
  proofs: readonly Proven[],
  at: Moment,
  next: Taking,
): PurseState {
  if (!isOnItsWay(state, taking)) return state;
  const changed = partIn(state, taking, proofs, at);
  const takings = changed.people.takings.map((one) => (one.id === taking.id ? next : one));
  return withPeople(changed, { takings });
}

/** Whether this very part is what was stored last. */
function isOnItsWay({ people }: PurseState, { id, outputs }: Taking): boolean {
  const stored = people.takings.find((one) => one.id === id);
  return stored !== undefined && stored.outputs[0]?.B_ === outputs[0]?.B_;
}

function partIn(
  state: PurseState,
  { inputs }: Taking,
  proofs: readonly Proven[],
  at: Moment,
): PurseState {
  if (proofs.length === 0) return state;
  const lineage = lineageName("received", state.nextLineage);
  const coins = proofs.map((one) => coinFrom(one, lineage, at.availableAt));
  const changed = {
    ...state,
    coins: [...state.coins, ...coins],
    nextLineage: state.nextLineage + 1,
  };
  return withPeople(changed, { met: [...metOf(state), ...metIn(inputs)] });
}

/** What is left of it comes back as it is, to be issued anew; with nothing left it was taken. */
export function handingSaved(
  state: PurseState,
  { id, outputs }: Handing,
  left: readonly TakenProof[],
  now: Seconds,
): PurseState {
  const stage = handingOf(state, id)?.stage;
  const isTaking = state.people.takings.some((one) => one.id === id);
  if ((stage !== "ready" && stage !== "delivered") || isTaking) return state;
  const factors = new Map(outputs.map(({ secret, r }) => [secret, r]));
  const lineage = lineageName("received", state.nextLineage);
  const coins = left.map(({ keyset, amount, secret, C, witness }): Coin => {
    const r = factors.get(secret);
    return {
      ...{ keyset, amount, secret, C, lineage, availableAt: NOT_BEFORE_EXCHANGE },
      ...(r === undefined ? {} : { r }),
      ...(witness === null ? {} : { witness }),
    };
  });
  const arrival: Arrival = { id, source: "back", amount: sumOf(left), at: now };
  const ended = handingChanged(state, id, { stage: left.length > 0 ? "back" : "taken" });
  return withPeople(
    { ...ended, coins: [...ended.coins, ...coins], nextLineage: ended.nextLineage + 1 },
    { arrivals: left.length > 0 ? [...ended.people.arrivals, arrival] : ended.people.arrivals },
  );
}

/**
 * It is over: banked, or given up, or left where it was in so far as it was not tried to the end.
 *
 * A letter of which nothing is left is to be dropped.
 */
export function takingEnded(
  state: PurseState,
  taking: Taking,
  proofs: readonly Proven[],
  at: Moment,
  parted: Parted,
): PurseState {
  const { id, source } = taking;
  if (!isOnItsWay(state, taking)) return state;
  const { gained, lost, left } = parted;
  const stage: HandingStage = gained > 0 ? "back" : "taken";
  const isOver = left.length === 0;
  const before = partIn(state, taking, proofs, at);
  const changed = source === "back" && isOver ? handingChanged(before, id, { stage }) : before;
  const { people } = changed;
  return withPeople(changed, {
    takings: people.takings.filter((one) => one.id !== id),
    arrivals: arrived(people.arrivals, { id, source, amount: gained, at: at.now }),
    letters: source === "mail" && isOver ? [...people.letters, id] : people.letters,
    held: heldOf(changed).flatMap((one) => heldAfter(one, id, parted, at.now)),
    met: [...metOf(changed).filter(({ until }) => until > at.now), ...metIn(lost)],
  });
}

/** One entry for what arrived, also where it came in at several times. */
function arrived(arrivals: readonly Arrival[], one: Arrival): readonly Arrival[] {
  const recent = arrivals.filter(({ at }) => at > one.at - KEPT_DAYS * DAY);
  if (one.amount === 0) return recent;
  const before = sumOf(recent.filter(({ id }) => id === one.id));
  const others = recent.filter(({ id }) => id !== one.id);
  return [...others, { ...one, amount: before + one.amount }];
}

/** What was kept without a network, once the mint has judged it: in parts where they differ. */
function heldAfter(
  one: Held,
  id: string,
  { gained, lost, left }: Parted,
  now: Seconds,
): readonly Held[] {
  if (one.id !== id) return one.stage === "lost" && one.at < now - KEPT_DAYS * DAY ? [] : [one];
  if (gained === 0 && lost.length === 0) return [one];
  if (gained === 0 && left.length === 0) return [{ ...one, stage: "lost" }];
  const waits = left.length === 0 ? [] : [{ ...one, inputs: left, amount: sumOf(left) }];
  const [first] = lost;
  if (first === undefined) return waits;
  return [...waits, { ...one, id: first.C, stage: "lost", inputs: lost, amount: sumOf(lost) }];
}

/** Locked proofs that were taken: shown again to a wallet without a network, they are known. */
function metIn(inputs: readonly TakenProof[]): readonly Met[] {
  return inputs.flatMap(({ C, secret }) => {
    const until = lockEndIn(secret);
    return until === null ? [] : [{ C, until }];
  });
}

export const heldOf = ({ people }: PurseState): readonly Held[] => people.held ?? [];

export const metOf = ({ people }: PurseState): readonly Met[] => people.met ?? [];

export function heldKept(state: PurseState, held: Held): PurseState {
  return withPeople(state, { held: [...heldOf(state), held] });
}

/** A letter that holds nothing for this purse. */
export function letterEmpty(state: PurseState, id: string): PurseState {
  return withPeople(state, { letters: [...state.people.letters, id] });
}

export function letterDropped(state: PurseState, id: string): PurseState {
  return withPeople(state, { letters: state.people.letters.filter((one) => one !== id) });
}

/** All keys to which others may have locked e-cash for this purse, the published one first. */
export function keysOf({ people: { key, olderKeys = [] } }: PurseState): readonly string[] {
  return key === null ? olderKeys : [key, ...olderKeys];
}

/** The key to which others lock e-cash; the one that is stored wins. */
export function keyMade(state: PurseState, key: string): PurseState {
  return withPeople(state, { key: state.people.key ?? key });
}
