/**
 * Filling the purse: the next refill waits at the operator, which debits and signs it at an hour
 * that nobody chose. What this side does is therefore never the answer to a payment.
 */

import { exponentOf } from "../rules/money.ts";
import { POLICY, type Seconds, scaled } from "../rules/purse/policy.ts";
import { type Purse, chooseTier, needsRefill, refillOutputs } from "../rules/purse/refill.ts";
import type { Book, Ports } from "./book.ts";
import { refillArrived, refillDropped, refillLeft, refillMade } from "./changes.ts";
import { type Unblinded, newOutput, unblind } from "./curve.ts";
import { type Mint, signaturesByOutput } from "./mint.ts";
import { readList } from "./listing.ts";
import type { NamedSide } from "./named.ts";
import type { Filled } from "./talk.ts";
import { type Coin, type PurseState, type Refill, type Signature, sumOf } from "./model.ts";
import { isStuck, isUndecided } from "./revoked.ts";

/** Fetches what was signed, and leaves the next refill where one is due. */
export async function settleRefills(
  book: Book,
  mint: Mint,
  named: NamedSide,
  ports: Ports,
  isIdle: boolean,
): Promise<Filled> {
  const arrived = await fetchSigned(book, mint, named, ports);
  if (arrived === "waiting") return renewed(book, mint, named, ports);
  if (arrived === "lost" || arrived === "false-signatures") return arrived;
  const next = await leaveNext(book, mint, named, ports, isIdle);
  return next === "nothing" ? arrived : next;
}

async function fetchSigned(
  book: Book,
  mint: Mint,
  named: NamedSide,
  ports: Ports,
): Promise<Filled> {
  const mine = (await book.read()).refills;
  if (mine.length === 0) return "nothing";
  if (mine.some(({ isWithdrawn }) => isWithdrawn) && !(await named.withdraw())) return "lost";
  const answer = await named.refill();
  if (answer === null) return "lost";
  if (answer.state === "signed") {
    const signed = mine.find((one) => proofsOf(book.state, one, answer.signatures ?? []) !== null);
    if (signed !== undefined) {
      return arrive(book, ports, signed, proofsOf(book.state, signed, answer.signatures ?? []));
    }
  }
  if (answer.state === "waiting" && mine.some(mayWait)) return "waiting";
  return lookAtMint(book, mint, ports);
}

/** One that was to be left and is to be taken back may have got there all the same. */
const mayWait = ({ isLeft, isWithdrawn }: Refill): boolean => isLeft || isWithdrawn === true;

/** The operator no longer has it: it was signed and replaced, withdrawn, or never came. */
async function lookAtMint(book: Book, mint: Mint, ports: Ports): Promise<Filled> {
  for (const refill of book.state.refills.filter(mayWait)) {
    const found = await lookFor(book, mint, ports, refill);
    if (found !== "nothing") return found;
  }
  return "nothing";
}

/** Drops a refill that the mint has not signed. */
async function lookFor(book: Book, mint: Mint, ports: Ports, refill: Refill): Promise<Filled> {
  const answer = await mint.restore(refill.outputs);
  if (answer.kind !== "answered") return "lost";
  const found = signaturesByOutput(answer.value);
  const signatures = refill.outputs.flatMap(({ B_ }) => found.get(B_) ?? []);
  const proofs = proofsOf(book.state, refill, signatures);
  if (proofs !== null) return arrive(book, ports, refill, proofs);
  // Signed, and not proven: it is kept for the day on which the mint proves it.
  if (found.size > 0) return "false-signatures";
  await book.change((state) => refillDropped(state, refill.id));
  return "nothing";
}

/**
 * Takes back the refill that waits, because the purse is being closed.
 *
 * It is marked before the operator is asked, so that whatever is interrupted is met again with the
 * next look. What was debited or signed by then comes in as ever.
 */
export async function withdrawRefills(
  book: Book,
  mint: Mint,
  named: NamedSide,
  ports: Ports,
): Promise<Filled> {
  await book.change((state) => ({
    ...state,
    isStarted: false,
    refills: state.refills.map((one) => ({ ...one, isWithdrawn: true })),
  }));
  let found = await fetchSigned(book, mint, named, ports);
  // Another one may be signed, too: it was replaced too late.
  while (found === "arrived" && book.state.refills.length > 0) {
    found = await fetchSigned(book, mint, named, ports);
  }
  return found;
}

/** The sums that a refill may have, in minor units. */
export function tiersOf({ unit }: PurseState): number[] {
  const exponent = exponentOf(unit.toUpperCase());
  return POLICY.refill.tiers.map((tier) => Number(scaled(POLICY, tier, exponent)));
}

/** The sum that the person chose; null where they chose none, or one that the policy has no more. */
function chosenTier(state: PurseState): number | null {
  const { tier } = state;
  return tier !== undefined && tiersOf(state).includes(tier) ? tier : null;
}

/** The sum that the person chose, or the policy's. It never follows what the account holds. */
export function tierOf(state: PurseState, now: Seconds): number {
  const chosen = chosenTier(state);
  if (chosen !== null) return chosen;
  const exponent = exponentOf(state.unit.toUpperCase());
  return Number(chooseTier(POLICY, exponent, fillingOf(state).spendings, now));
}

/**
 * The person chose the sum of refills, from the one on that waits.
 *
 * That one is replaced, and is then signed at an hour that nobody chose. Where nothing came in or was
 * paid yet it is taken back instead, so that the new one is the first, which comes at once.
 */
export function tierChosen(state: PurseState, tier: number): PurseState {
  if (!tiersOf(state).includes(tier)) return state;
  const isFirst = state.coins.length + state.spends.length + state.spendings.length === 0;
  const refills = state.refills.map((one) =>
    isFirst && one.tier !== tier ? { ...one, isWithdrawn: true } : one,
  );
  return { ...state, tier, refills };
}

/**
 * What waits for a keyset that no longer signs would wait for ever: the same sum is left anew. So is
 * another sum that the person chose since, except for what was debited, which takes its own alone.
 * What was to be taken back and waits all the same was debited, too.
 *
 * The one before stays until the mint is known not to have signed it.
 */
async function renewed(book: Book, mint: Mint, named: NamedSide, ports: Ports): Promise<Filled> {
  const listing = await readList(book, mint);
  const last = book.state.refills.at(-1);
  if (listing.kind !== "known" || last === undefined) return "waiting";
  const isWithdrawn = last.isWithdrawn === true;
  const isIdle = last.keyset !== listing.active.id;
  const tier = isWithdrawn ? last.tier : (chosenTier(book.state) ?? last.tier);
  if (!isIdle && last.tier === tier) {
    if (isWithdrawn) return (chosenTier(book.state) ?? tier) === tier ? "waiting" : "debited";
    if (last.isLeft) return "waiting";
    const left = await leave(book, named, last, (state) => state);
    if (!isRefused(left)) return left;
    // It may have got there, and be signed: another device left one in its place.
    const found = await lookFor(book, mint, ports, last);
    return found === "nothing" ? left : found;
  }
  const leaveAnew = async (sum: number): Promise<Filled> => {
    const made = refillOf(sum, listing.active.id, ports.now());
    const refill = isWithdrawn ? { ...made, isWithdrawn } : made;
    await book.change((before) => refillMade(before, refill));
    return leave(book, named, refill);
  };
  const left = await leaveAnew(tier);
  return isRefused(left) && isIdle && tier !== last.tier ? leaveAnew(last.tier) : left;
}

async function arrive(
  book: Book,
  ports: Ports,
  refill: Refill,
  proofs: readonly Unblinded[] | null,
): Promise<Filled> {
  await book.change((state) => refillArrived(state, refill.id, proofs ?? [], ports.now()));
  return "arrived";
}

/** All proofs of a refill, or null if there is one that the signatures do not prove. */
export function proofsOf(
  state: PurseState,
  refill: Refill,
  signatures: readonly Signature[],
): readonly Unblinded[] | null {
  const keys = state.keys[refill.keyset];
  if (keys === undefined || signatures.length !== refill.outputs.length) return null;
  const proofs: Unblinded[] = [];
  for (const [at, output] of refill.outputs.entries()) {
    const signature = signatures[at];
    const proof = signature === undefined ? null : unblind(output, signature, keys);
    if (proof === null) return null;
    proofs.push(proof);
  }
  return proofs;
}

/**
 * The purse as the policy for refills sees it.
 *
 * What can neither be paid with nor be issued anew is no filling. What waits for its owner's word is
 * none in an idle opening, so that whoever waits can go on paying; but nothing is hurried for it, as
 * a refill soon after would tell to which account the purse belongs that heard of the revocation.
 */
export function fillingOf(state: PurseState, isIdle = false): Purse {
  const isNone = (coin: Coin): boolean =>
    isStuck(state, coin) || (isIdle && isUndecided(state, coin));
  return {
    held: BigInt(sumOf(state.coins.filter((coin) => !isNone(coin)))),
    isWaiting: state.refills.length > 0,
    spendings: state.spendings.map(({ at, amount }) => ({ at, amount: BigInt(amount) })),
  };
}

async function leaveNext(
  book: Book,
  mint: Mint,
  named: NamedSide,
  ports: Ports,
  isIdle: boolean,
): Promise<Filled> {
  const made = book.state.refills.find((one) => !mayWait(one));
  // It may have got there: it is dropped once the mint is known not to sign it.
  if (made !== undefined) return leave(book, named, made, refillLeft);
  const { state } = book;
  const exponent = exponentOf(state.unit.toUpperCase());
  const moment = { now: ports.now(), isIdle };
  if (!state.isStarted || !needsRefill(POLICY, exponent, fillingOf(state, isIdle), moment))
    return "nothing";
  const listing = await readList(book, mint);
  if (listing.kind !== "known") return listing.kind === "lost" ? "lost" : "no-keyset";
  const now = ports.now();
  const refill = refillOf(tierOf(book.state, now), listing.active.id, now);
  await book.change((before) => refillMade(before, refill));
  return leave(book, named, refill);
}

function refillOf(tier: number, keyset: string, madeAt: Seconds): Refill {
  const amounts = refillOutputs(POLICY, BigInt(tier));
  const outputs = amounts.map((amount) => newOutput(keyset, Number(amount)));
  return { id: crypto.randomUUID(), tier, keyset, outputs, madeAt, isLeft: false };
}

const isRefused = (answer: Filled): boolean => answer === "refused" || answer === "debited";

async function leave(
  book: Book,
  named: NamedSide,
  refill: Refill,
  refused: (state: PurseState, id: string) => PurseState = refillDropped,
): Promise<Filled> {
  const answer = await named.leave(refill, book.state.unit);
  if (answer === "lost") return "lost";
  if (isRefused(answer)) {
    await book.change((state) => refused(state, refill.id));
    return answer;
  }
  await book.change((state) => refillLeft(state, refill.id));
  return "left";
}
