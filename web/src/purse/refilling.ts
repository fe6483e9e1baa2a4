/**
 * Filling the purse: the next refill waits at the operator, which debits and signs it at an hour
 * that nobody chose. What this side does is therefore never the answer to a payment.
 */

import { exponentOf } from "../rules/money.ts";
import { POLICY } from "../rules/purse/policy.ts";
import { type Purse, chooseTier, needsRefill, refillOutputs } from "../rules/purse/refill.ts";
import type { Book, Ports } from "./book.ts";
import { refillArrived, refillDropped, refillLeft, refillMade } from "./changes.ts";
import { type Unblinded, newOutput, unblind } from "./curve.ts";
import { type Mint, signaturesByOutput } from "./mint.ts";
import { readList } from "./listing.ts";
import type { NamedSide } from "./named.ts";
import type { Filled } from "./talk.ts";
import { type PurseState, type Refill, type Signature, sumOf } from "./model.ts";

/** Fetches what was signed, and leaves the next refill where one is due. */
export async function settleRefills(
  book: Book,
  mint: Mint,
  named: NamedSide,
  ports: Ports,
  isIdle: boolean,
): Promise<Filled> {
  const arrived = await fetchSigned(book, mint, named, ports);
  if (arrived === "lost" || arrived === "false-signatures" || arrived === "waiting") return arrived;
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
  const answer = await named.refill();
  if (answer === null) return "lost";
  if (answer.state === "signed") {
    const signed = mine.find((one) => proofsOf(book.state, one, answer.signatures ?? []) !== null);
    if (signed !== undefined) {
      return arrive(book, ports, signed, proofsOf(book.state, signed, answer.signatures ?? []));
    }
    if (mine.some((one) => one.outputs.length === answer.signatures?.length)) {
      return "false-signatures";
    }
  }
  if (answer.state === "waiting" && mine.some((one) => one.isLeft)) return "waiting";
  return lookAtMint(book, mint, ports);
}

/** The operator no longer has it: it was signed and replaced, withdrawn, or never came. */
async function lookAtMint(book: Book, mint: Mint, ports: Ports): Promise<Filled> {
  for (const refill of book.state.refills.filter((one) => one.isLeft)) {
    const answer = await mint.restore(refill.outputs);
    if (answer.kind !== "answered") return "lost";
    const found = signaturesByOutput(answer.value);
    const signatures = refill.outputs.flatMap(({ B_ }) => found.get(B_) ?? []);
    const proofs = proofsOf(book.state, refill, signatures);
    if (proofs !== null) return arrive(book, ports, refill, proofs);
    await book.change((state) => refillDropped(state, refill.id));
  }
  return "nothing";
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

/** The purse as the policy for refills sees it. */
export function fillingOf(state: PurseState): Purse {
  return {
    held: BigInt(sumOf(state.coins)),
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
  const made = book.state.refills.find((one) => !one.isLeft);
  if (made !== undefined) return leave(book, named, made);
  const { state } = book;
  const exponent = exponentOf(state.unit.toUpperCase());
  const moment = { now: ports.now(), isIdle };
  if (!state.isStarted || !needsRefill(POLICY, exponent, fillingOf(state), moment))
    return "nothing";
  const listing = await readList(book, mint);
  if (listing.kind !== "known") return listing.kind === "lost" ? "lost" : "no-keyset";
  const refill = newRefill(book.state, listing.active.id, exponent, ports.now());
  await book.change((before) => refillMade(before, refill));
  return leave(book, named, refill);
}

function newRefill(state: PurseState, keyset: string, exponent: number, now: number): Refill {
  const tier = chooseTier(POLICY, exponent, fillingOf(state).spendings, now);
  const outputs = refillOutputs(POLICY, tier).map((amount) => newOutput(keyset, Number(amount)));
  return { id: crypto.randomUUID(), tier: Number(tier), keyset, outputs, isLeft: false };
}

async function leave(book: Book, named: NamedSide, refill: Refill): Promise<Filled> {
  const answer = await named.leave(refill, book.state.unit);
  if (answer === "lost") return "lost";
  if (answer === "refused") {
    await book.change((state) => refillDropped(state, refill.id));
    return "refused";
  }
  await book.change((state) => refillLeft(state, refill.id));
  return "left";
}
