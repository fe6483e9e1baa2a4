/**
 * What may happen to a purse, each step from one whole state to the next.
 *
 * Every step is stored before its request is sent; so whatever is interrupted stands in `refills`
 * or `spends` with all that is needed to finish it. No coin is ever in two places.
 */

import type { Seconds } from "../rules/purse/policy.ts";
import { DAY } from "../rules/purse/policy.ts";
import { lineageName } from "../rules/purse/spend.ts";
import type { Coin, PurseState, Receipt, Refill, Refund, Spend } from "./model.ts";
import { sumOf } from "./model.ts";
import type { Arrival, PeopleState } from "./people-model.ts";
import type { Unblinded } from "./curve.ts";

const SPENDINGS_KEPT_DAYS = 28;

/** The coins leave the purse for the payment they are sent with. */
export function begun(state: PurseState, spend: Spend): PurseState {
  const going = new Set(spend.inputs.map(({ secret }) => secret));
  const coins = state.coins.filter(({ secret }) => !going.has(secret));
  if (coins.length + going.size !== state.coins.length || going.size !== spend.inputs.length) {
    throw new RangeError("a payment takes coins that are in the purse, each once");
  }
  return { ...state, coins, spends: [...state.spends, spend] };
}

/** It was paid: the inputs are gone, change comes in to rest. */
export function concluded(
  state: PurseState,
  spend: Spend,
  change: readonly Unblinded[],
  at: { readonly paidAt: Seconds; readonly changeAt: Seconds; readonly askAt: Seconds },
): PurseState {
  if (!isOnItsWay(state, spend)) return state;
  const lineage = lineageName("change", state.nextLineage);
  const coins = change.map((one): Coin => ({ ...one, lineage, availableAt: at.changeAt }));
  const kept = state.spendings.filter((one) => one.at > at.paidAt - SPENDINGS_KEPT_DAYS * DAY);
  const isPayment = spend.method === "amana-merchant";
  return {
    ...without(state, spend),
    coins: [...state.coins, ...coins],
    nextLineage: state.nextLineage + 1,
    asks:
      spend.refundKey === null
        ? state.asks
        : [...state.asks, { receipt: spend.id, key: spend.refundKey, at: at.askAt }],
    spendings: isPayment ? [...kept, { at: at.paidAt, amount: spend.amount }] : kept,
  };
}

/** It was not paid: what is not spent comes back as it was. */
export function returned(
  state: PurseState,
  spend: Spend,
  isSpent: (coin: Coin) => boolean,
): PurseState {
  if (!isOnItsWay(state, spend)) return state;
  const coins = spend.inputs.filter((coin) => !isSpent(coin));
  return { ...without(state, spend), coins: [...state.coins, ...coins] };
}

/** A step that was taken already, perhaps in another tab, is not taken twice. */
function isOnItsWay(state: PurseState, spend: Spend): boolean {
  return state.spends.some(({ id }) => id === spend.id);
}

function without(state: PurseState, spend: Spend): PurseState {
  return { ...state, spends: state.spends.filter(({ id }) => id !== spend.id) };
}

export function receiptOf(
  spend: Spend,
  unit: string,
  paid: { readonly at: Seconds; readonly signed: string | null; readonly missing: number },
): Receipt {
  const { id, method, quote, request, amount, payee, refundKey } = spend;
  return {
    id,
    method,
    quote,
    request,
    amount,
    unit,
    payee,
    paidAt: paid.at,
    refundKey,
    signed: paid.signed,
    missing: paid.missing,
  };
}

/** What the mint owes on the blank outputs. */
export function changeOwed(spend: Spend): number {
  return sumOf(spend.inputs) - spend.amount - spend.fee;
}

export function refillMade(state: PurseState, refill: Refill): PurseState {
  return { ...state, refills: [...state.refills, refill] };
}

export function refillLeft(state: PurseState, id: string): PurseState {
  const refills = state.refills.map((one) => (one.id === id ? { ...one, isLeft: true } : one));
  return { ...state, refills };
}

export function refillDropped(state: PurseState, id: string): PurseState {
  return { ...state, refills: state.refills.filter((one) => one.id !== id) };
}

/** Signed and proven, all of it: the refill becomes coins. Coins that are there stay as they are. */
export function refillArrived(
  state: PurseState,
  id: string,
  proofs: readonly Unblinded[],
  at: Seconds,
): PurseState {
  if (!state.refills.some((one) => one.id === id)) return state;
  const lineage = lineageName("refill", state.nextLineage);
  const coins = proofs.map((one): Coin => ({ ...one, lineage, availableAt: at }));
  return {
    ...refillDropped(state, id),
    coins: [...state.coins, ...coins],
    nextLineage: state.nextLineage + 1,
  };
}

/** The one question of a payment's refund was put. */
export function asked(state: PurseState, receipt: string): PurseState {
  return { ...state, asks: state.asks.filter((one) => one.receipt !== receipt) };
}

export function refundBegun(state: PurseState, refund: Refund): PurseState {
  return { ...asked(state, refund.receipt), refunds: [...state.refunds, refund] };
}

/** It was not signed: the question is put again, and ends where nothing is due any more. */
export function refundRefused(state: PurseState, refund: Refund, at: Seconds): PurseState {
  const { receipt, key, quote } = refund;
  if (!state.refunds.some((one) => one.quote === quote)) return state;
  const refunds = state.refunds.filter((one) => one.quote !== quote);
  return { ...state, refunds, asks: [...state.asks, { receipt, key, at }] };
}

/** The refund is here. */
export function refundEnded(
  state: PurseState,
  refund: Refund,
  proofs: readonly Unblinded[],
  { now, availableAt }: { readonly now: Seconds; readonly availableAt: Seconds },
): PurseState {
  if (!state.refunds.some(({ quote }) => quote === refund.quote)) return state;
  const lineage = lineageName("received", state.nextLineage);
  return {
    ...state,
    refunds: state.refunds.filter(({ quote }) => quote !== refund.quote),
    coins: [...state.coins, ...proofs.map((one): Coin => ({ ...one, lineage, availableAt }))],
    nextLineage: state.nextLineage + 1,
    people:
      proofs.length === 0 ? state.people : withRefund(state.people, refund, sumOf(proofs), now),
  };
}

/** One entry a payment, however often something of it is given back. */
function withRefund(
  people: PeopleState,
  { receipt: id }: Refund,
  amount: number,
  at: Seconds,
): PeopleState {
  const isIt = (one: Arrival): boolean => one.source === "refund" && one.id === id;
  const before = sumOf(people.arrivals.filter(isIt));
  const others = people.arrivals.filter((one) => !isIt(one));
  const arrival: Arrival = { id, source: "refund", amount: before + amount, at };
  return { ...people, arrivals: [...others, arrival] };
}
