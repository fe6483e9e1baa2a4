/**
 * What a payee judges without a network: that the mint signed it, that nobody else can spend it for
 * days, and that it was not shown before. What is taken so counts once the mint has exchanged it.
 */

import { hasValidDleq } from "@cashu/cashu-ts";
import { exponentOf } from "../rules/money.ts";
import { heldMax, sureUntil } from "../rules/purse/people.ts";
import { POLICY, type Seconds } from "../rules/purse/policy.ts";
import type { Book, Ports } from "./book.ts";
import { toHex } from "./bytes.ts";
import { isPoint, pubkeyOf } from "./curve.ts";
import { type PurseState, sumOf } from "./model.ts";
import { heldKept, heldOf, metOf } from "./people-changes.ts";
import { type TokenRead, keysFor, proofOf, witnessFor } from "./people-locks.ts";
import type { Dleq, Held, Passed, TakenProof } from "./people-model.ts";
import { wholeOf } from "./people-parting.ts";

const ID_BYTES = 16;

export type Judged =
  | { readonly kind: "sure"; readonly held: Held }
  /** `unsure`: not signed as the keys known here sign, or somebody else might spend it. */
  | { readonly kind: "unsure" | "met" | "too-much" };

/** Judges a token that was read, with what this device knows. */
export function judge(
  state: PurseState,
  read: Extract<TokenRead, { kind: "token" }>,
  { now, random }: Pick<Ports, "now" | "random">,
): Judged {
  const { key } = state.people;
  const until = sureUntil(POLICY, now());
  const inputs: TakenProof[] = [];
  let end = Infinity;
  for (const [at, passed] of read.proofs.entries()) {
    const witness = key === null ? null : witnessFor(passed, key);
    const locked = key === null ? null : lockedUntil(passed, key);
    if (witness === null || locked === null || locked < until) return { kind: "unsure" };
    if (!isSigned(state, passed, read.dleqs[at] ?? null, until)) return { kind: "unsure" };
    end = Math.min(end, locked);
    inputs.push({ ...passed, witness });
  }
  const id = toHex(random(ID_BYTES));
  const amount = read.amount;
  return placeFor(state, { id, stage: "held", amount, inputs, until: end, at: now() });
}

/** Whether it may be added to what waits. */
function placeFor(state: PurseState, held: Held): Judged {
  if (isMet(state, held.inputs)) return { kind: "met" };
  const waiting = heldOf(state).filter(({ stage }) => stage === "held");
  const most = heldMax(POLICY, exponentOf(state.unit.toUpperCase()));
  if (BigInt(sumOf(waiting) + held.amount) > most) return { kind: "too-much" };
  return { kind: "sure", held };
}

/** Keeps what was judged; judged again where it is stored, as another tab may have taken it. */
export async function keepHeld(book: Book, held: Held): Promise<Judged> {
  let judged: Judged = { kind: "met" };
  await book.change((state) => {
    judged = placeFor(state, held);
    return judged.kind === "sure" ? heldKept(state, held) : state;
  });
  return judged;
}

/** Whether this purse took one of these before, in whatever way. */
function isMet(state: PurseState, inputs: readonly TakenProof[]): boolean {
  const { takings } = state.people;
  const known = [
    ...metOf(state),
    ...heldOf(state).flatMap((one) => one.inputs),
    ...takings.flatMap(wholeOf),
  ];
  const met = new Set(known.map(({ C }) => C));
  return inputs.some(({ C }) => met.has(C));
}

function isSigned(state: PurseState, passed: Passed, dleq: Dleq | null, until: Seconds): boolean {
  const keyset = state.keysets.find(({ id }) => id === passed.keyset);
  const keys = state.keys[passed.keyset];
  if (dleq === null || keyset === undefined || keys === undefined) return false;
  if ((keyset.final_expiry ?? Infinity) < until) return false;
  try {
    return hasValidDleq({ ...proofOf(passed), dleq }, { id: keyset.id, keys }, { require: true });
  } catch {
    // The library throws at an amount without a key.
    return false;
  }
}

const KEY = "0[23][0-9a-f]{64}";
const DIGITS = "[1-9][0-9]{9}";
const TAGS = `\\[\\["locktime","(${DIGITS})"\\],\\["refund","(${KEY})"\\]\\]`;
/** A lock, letter by letter as `lockedOutput` has it written. */
const LOCK = new RegExp(`^\\["P2PK",{"nonce":"[0-9a-f]{64}","data":"(${KEY})","tags":${TAGS}}\\]$`);

/**
 * Until when nobody but the owner of this key can spend it; null where that is not plain to see.
 *
 * The one way in which this wallet locks is taken and no other, blinded keys included. A mint takes
 * more; but a lock that it finds malformed is nobody's money, and one that it reads in another way
 * than the payee is another's. The vectors in `tests/golden/locks.json` hold both to each other.
 */
export function lockedUntil(passed: Passed, key: string): Seconds | null {
  const [, data = "", end = "", refund = ""] = LOCK.exec(passed.secret) ?? [];
  if (passed.ephemeral === null || !isPoint(refund)) return null;
  try {
    const own = keysFor(passed, key).map((one) => toHex(pubkeyOf(one)).slice(2));
    return own.includes(data.slice(2)) ? Number(end) : null;
  } catch {
    // No key with which it could have been blinded.
    return null;
  }
}
