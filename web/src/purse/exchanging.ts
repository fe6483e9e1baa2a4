/**
 * Coins exchanged for fresh ones, each by itself.
 *
 * Three reasons: a keyset that ends, coins that came back with a backup, which the mint was asked
 * about together, and a keyset that was revoked. One coin goes in and the same amount comes out, so
 * nothing ties two coins together; never beside a payment.
 *
 * A coin of a revoked keyset is issued anew against its blinding factor, which tells the mint in
 * which refill or payment it was issued. So that is done only where its owner agreed, and coins of
 * different origin are kept hours apart: side by side they would say that whoever had this refill
 * made that payment.
 */

import { DAY, MINUTE, POLICY, type Seconds, drawn } from "../rules/purse/policy.ts";
import { powersIn, refreshAt } from "../rules/purse/refill.ts";
import { changeAvailableAt, lineageName } from "../rules/purse/spend.ts";
import { takeForSwap } from "./blind.ts";
import type { Book, Ports } from "./book.ts";
import { newOutput } from "./curve.ts";
import { type Exchange, NOT_BEFORE_EXCHANGE, type Plan } from "./keeping-model.ts";
import { activeOf, isRevoked } from "./keysets.ts";
import { readList } from "./listing.ts";
import type { Mint } from "./mint.ts";
import type { Coin, ListedKeyset, PurseState } from "./model.ts";
import { type Proven, coinFrom, swapOnce } from "./people-swap.ts";
import { isUndecided, mayBeIssuedAnew } from "./revoked.ts";
import { RANDOM_BYTES } from "./spending.ts";

const PER_THOUSAND = 1_000;
/** Within so much of their owner's word coins of a revoked keyset are issued anew. */
const REISSUE = { from: 30 * MINUTE, to: 3 * DAY };

/**
 * Draws the hour of each coin whose keyset is about to end or was revoked, once; forgets plans
 * without a coin. Coins of a revoked keyset are not spent any more, and have an hour only once
 * their owner agreed.
 */
export function planned(
  before: PurseState,
  now: Seconds,
  random: (bytes: number) => Uint8Array,
): PurseState {
  const state = laidAside(before);
  const hourOf = oneEach(() => now + drawn(REISSUE, random(RANDOM_BYTES)));
  const held = new Map(state.coins.map((coin) => [coin.secret, coin]));
  const plans = state.keeping.plans.filter(({ secret, at }) => {
    const coin = held.get(secret);
    // What was to be refreshed in weeks is revoked since: that is not waited for.
    const isLate = at > now + REISSUE.to && isRevoked(state.keysets, coin?.keyset ?? "");
    return coin !== undefined && !isLate && !isUndecided(state, coin);
  });
  const known = new Set(plans.map(({ secret }) => secret));
  const fresh = state.coins
    .filter((coin) => !known.has(coin.secret))
    .flatMap((coin): readonly Plan[] => {
      if (isRevoked(state.keysets, coin.keyset)) {
        const mayGo = mayBeIssuedAnew(state, coin);
        return mayGo ? [{ secret: coin.secret, at: hourOf(coin.lineage) }] : [];
      }
      const end = endOf(state, coin);
      if (end === null || now < end - firstDays() * DAY) return [];
      return [{ secret: coin.secret, at: refreshAt(POLICY, end, random(RANDOM_BYTES)) }];
    });
  if (state === before && fresh.length === 0 && plans.length === state.keeping.plans.length)
    return state;
  return { ...state, keeping: { ...state.keeping, plans: [...plans, ...fresh] } };
}

function laidAside(state: PurseState): PurseState {
  const isBad = (coin: Coin): boolean =>
    !waitsForExchange(coin) && isRevoked(state.keysets, coin.keyset);
  if (!state.coins.some(isBad)) return state;
  const coins = state.coins.map((coin) =>
    isBad(coin) ? { ...coin, availableAt: NOT_BEFORE_EXCHANGE } : coin,
  );
  return { ...state, coins };
}

const firstDays = (): number => POLICY.refresh.window_days + POLICY.refresh.margin_days;

/** When a coin's keyset ends, if there is one that lasts longer to exchange it into. */
function endOf(state: PurseState, coin: Coin): Seconds | null {
  const end = keysetOf(state, coin)?.final_expiry ?? null;
  const active = activeOf(state.keysets, state.unit);
  if (end === null || active === null || active.id === coin.keyset) return null;
  return (active.final_expiry ?? Infinity) > end ? end : null;
}

function keysetOf(state: PurseState, coin: Coin): ListedKeyset | null {
  return state.keysets.find(({ id }) => id === coin.keyset) ?? null;
}

/** Whether something is to be exchanged now, or was begun and is not finished. */
export function isDue({ keeping }: PurseState, now: Seconds): boolean {
  return keeping.exchanges.length > 0 || keeping.plans.some(({ at }) => at <= now);
}

/**
 * Exchanges what is due, one coin after the other; stops at the first that is not known.
 *
 * So many at a time: the next ones come with the next look.
 */
export async function exchangeDue(book: Book, mint: Mint, ports: Ports): Promise<void> {
  const listing = await readList(book, mint);
  if (listing.kind !== "known") return;
  for (const exchange of book.state.keeping.exchanges) {
    if (!(await finish(book, mint, ports, exchange))) return;
  }
  // The list may have said only now that a keyset was revoked.
  const { keeping } = await book.change((state) =>
    keptApart(planned(state, ports.now(), ports.random), ports),
  );
  const due = keeping.plans
    .filter(({ at }) => at <= ports.now())
    .toSorted((a, b) => a.at - b.at)
    .slice(0, POLICY.restore.at_once);
  for (const { secret } of due) {
    const coin = book.state.coins.find((one) => one.secret === secret);
    if (coin === undefined) continue;
    const token = isRevoked(book.state.keysets, coin.keyset) ? null : await takeForSwap(book);
    if (token === "missing") return;
    const outputs = outputsFor(book.state, coin, listing.active);
    const exchange: Exchange = { id: crypto.randomUUID(), coin, outputs, token };
    await book.change((state) => exchangeBegun(state, exchange));
    const isBegun = book.state.keeping.exchanges.some(({ id }) => id === exchange.id);
    if (isBegun && !(await finish(book, mint, ports, exchange))) return;
  }
}

/** Draws once for each origin. */
function oneEach(draw: () => Seconds): (lineage: string) => Seconds {
  const hours = new Map<string, Seconds>();
  return (lineage) => {
    const hour = hours.get(lineage) ?? draw();
    hours.set(lineage, hour);
    return hour;
  };
}

/** Puts off what would be issued anew soon after a coin of another origin. */
function keptApart(state: PurseState, ports: Ports): PurseState {
  const now = ports.now();
  const origins = new Map(
    state.coins
      .filter(({ keyset }) => isRevoked(state.keysets, keyset))
      .map(({ secret, lineage }) => [secret, lineage]),
  );
  const first = state.keeping.plans
    .filter(({ secret, at }) => origins.has(secret) && at <= now)
    .toSorted((a, b) => a.at - b.at)[0];
  if (first === undefined) return state;
  const turn = origins.get(first.secret);
  const soon = now + POLICY.spend.change_rest_minutes.from * MINUTE;
  const laterOf = oneEach(() => changeAvailableAt(POLICY, now, ports.random(RANDOM_BYTES)));
  const plans = state.keeping.plans.map((plan) => {
    const origin = origins.get(plan.secret);
    if (origin === undefined || origin === turn || plan.at > soon) return plan;
    return { ...plan, at: laterOf(origin) };
  });
  return { ...state, keeping: { ...state.keeping, plans } };
}

/** The same amount again, less what the mint charges for an input; issuing anew costs nothing. */
function outputsFor(state: PurseState, coin: Coin, active: ListedKeyset): Exchange["outputs"] {
  const isFree = isRevoked(state.keysets, coin.keyset);
  const rate = isFree ? 0 : (keysetOf(state, coin)?.input_fee_ppk ?? 0);
  const fee = Math.ceil(rate / PER_THOUSAND);
  return powersIn(BigInt(Math.max(0, coin.amount - fee))).map((amount) => ({
    ...newOutput(active.id, Number(amount)),
    ephemeral: null,
    isPassed: false,
  }));
}

/** False where the end is not known yet. */
async function finish(book: Book, mint: Mint, ports: Ports, exchange: Exchange): Promise<boolean> {
  const { coin, outputs, token } = exchange;
  const isBad = isRevoked(book.state.keysets, coin.keyset);
  const swap = { inputs: [coin], outputs, token };
  // One that was begun before the revocation is asked after as what it was.
  const swapped = await (mayBeIssuedAnew(book.state, coin)
    ? swapOnce(book, mint, swap, async () => mint.reissue(coin, outputs))
    : swapOnce(book, mint, swap));
  if (swapped.kind === "unknown") return false;
  const proofs = swapped.kind === "signed" ? swapped.proofs : [];
  // Signed, and not proven: kept for the day on which the mint proves it.
  if (swapped.kind === "signed" && proofs.length < outputs.length) return false;
  const isBack = swapped.kind === "refused";
  const now = ports.now();
  const rested = changeAvailableAt(POLICY, now, ports.random(RANDOM_BYTES));
  const isRestored = waitsForExchange(coin) && !isBad;
  const at = isBack && isBad ? now + DAY : isRestored && !isBack ? now : rested;
  await book.change((state) => exchangeEnded(state, exchange, proofs, { isBack, at }));
  return true;
}

function exchangeBegun(state: PurseState, exchange: Exchange): PurseState {
  const { secret } = exchange.coin;
  const coins = state.coins.filter((coin) => coin.secret !== secret);
  // Paid with in another tab meanwhile, or worth less than the mint charges.
  if (coins.length === state.coins.length || exchange.outputs.length === 0) {
    return { ...state, keeping: { ...state.keeping, plans: without(state, secret) } };
  }
  const exchanges = [...state.keeping.exchanges, exchange];
  return {
    ...state,
    coins,
    keeping: { ...state.keeping, plans: without(state, secret), exchanges },
  };
}

/** The fresh coins come in to rest; a coin that was spent elsewhere is gone, one refused comes back. */
function exchangeEnded(
  state: PurseState,
  { id, coin }: Exchange,
  proofs: readonly Proven[],
  { isBack, at }: { readonly isBack: boolean; readonly at: Seconds },
): PurseState {
  if (!state.keeping.exchanges.some((one) => one.id === id)) return state;
  const exchanges = state.keeping.exchanges.filter((one) => one.id !== id);
  const lineage = lineageName("received", state.nextLineage);
  const fresh = proofs.map((one) => coinFrom(one, lineage, at));
  const plans = isBack
    ? [...state.keeping.plans, { secret: coin.secret, at }]
    : state.keeping.plans;
  return {
    ...state,
    coins: [...state.coins, ...fresh, ...(isBack ? [coin] : [])],
    keeping: { ...state.keeping, plans, exchanges },
    nextLineage: state.nextLineage + 1,
  };
}

function without(state: PurseState, secret: string): readonly Plan[] {
  return state.keeping.plans.filter((plan) => plan.secret !== secret);
}

/** Whether what the purse could spend waits for an exchange. */
export function waitsForExchange(coin: Coin): boolean {
  return coin.availableAt === NOT_BEFORE_EXCHANGE;
}
