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

/** It goes on with other inputs and outputs. */
export function takingChanged(state: PurseState, taking: Taking): PurseState {
  const takings = state.people.takings.map((one) => (one.id === taking.id ? taking : one));
  return withPeople(state, { takings });
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

/** It is over: banked, or found spent by somebody else. A letter is then to be dropped. */
export function takingEnded(
  state: PurseState,
  taking: Taking,
  proofs: readonly Proven[],
  at: { readonly now: Seconds; readonly availableAt: Seconds },
): PurseState {
  const { id, source } = taking;
  if (!state.people.takings.some((one) => one.id === id)) return state;
  const stage: HandingStage = proofs.length > 0 ? "back" : "taken";
  const changed = source === "back" ? handingChanged(state, id, { stage }) : state;
  const lineage = lineageName("received", changed.nextLineage);
  const arrival: Arrival = { id, source, amount: sumOf(proofs), at: at.now };
  const recent = changed.people.arrivals.filter((one) => one.at > at.now - KEPT_DAYS * DAY);
  const isLost = proofs.length === 0;
  const held = heldOf(changed).flatMap((one) => {
    if (one.id === id) return isLost ? [{ ...one, stage: "lost" as const }] : [];
    return one.stage === "lost" && one.at < at.now - KEPT_DAYS * DAY ? [] : [one];
  });
  return withPeople(
    {
      ...changed,
      coins: [...changed.coins, ...proofs.map((one) => coinFrom(one, lineage, at.availableAt))],
      nextLineage: changed.nextLineage + 1,
    },
    {
      takings: changed.people.takings.filter((one) => one.id !== id),
      arrivals: proofs.length > 0 ? [...recent, arrival] : recent,
      letters: source === "mail" ? [...changed.people.letters, id] : changed.people.letters,
      held,
      met: [...metOf(changed).filter(({ until }) => until > at.now), ...metIn(taking)],
    },
  );
}

/** Locked proofs that were taken: shown again to a wallet without a network, they are known. */
function metIn({ inputs }: Taking): readonly Met[] {
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

/** The key to which others lock e-cash; the one that is stored wins. */
export function keyMade(state: PurseState, key: string): PurseState {
  return withPeople(state, { key: state.people.key ?? key });
}
