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
import { pubkeyOf } from "./curve.ts";
import { type PurseState, sumOf } from "./model.ts";
import { heldKept, heldOf, metOf } from "./people-changes.ts";
import { type TokenRead, keysFor, proofOf, witnessFor } from "./people-locks.ts";
import type { Dleq, Held, Passed, TakenProof } from "./people-model.ts";

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
    ...takings.flatMap((one) => one.inputs),
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

/** Tags that leave the lock with its one key, until its end. */
const PLAIN_TAGS: ReadonlySet<string> = new Set(["locktime", "refund", "sigflag"]);

/**
 * Until when nobody but the owner of this key can spend it; null where that is not plain to see.
 *
 * The one way of writing it that cashu-ts has is taken and no other: where two readers could
 * disagree, the mint might read another lock than the payee did.
 */
export function lockedUntil(passed: Passed, key: string): Seconds | null {
  try {
    const [kind, { nonce, data, tags }] = JSON.parse(passed.secret) as [
      string,
      { nonce: string; data: string; tags: string[][] },
    ];
    if (JSON.stringify([kind, { nonce, data, tags }]) !== passed.secret) return null;
    const names = tags.map(([name = ""]) => name);
    const isPlain =
      names.every((name) => PLAIN_TAGS.has(name)) && new Set(names).size === names.length;
    const values = new Map(tags.map(([name = "", ...rest]) => [name, rest.join()]));
    const end = values.get("locktime") ?? "";
    if (kind !== "P2PK" || !isPlain || !/^[1-9][0-9]{0,15}$/.test(end)) return null;
    if ((values.get("sigflag") ?? "SIG_INPUTS") !== "SIG_INPUTS") return null;
    const own = keysFor(passed, key).map((one) => toHex(pubkeyOf(one)).slice(2));
    return own.includes(data.slice(2)) ? Number(end) : null;
  } catch {
    // No lock, or none that can be read.
    return null;
  }
}
