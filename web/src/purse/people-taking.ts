/** Taking e-cash: whatever comes from somebody else is swapped to secrets of this purse alone. */

import { waitBefore } from "../rules/intent.ts";
import { division } from "../rules/purse/people.ts";
import { POLICY } from "../rules/purse/policy.ts";
import { changeAvailableAt } from "../rules/purse/spend.ts";
import { takeForSwap } from "./blind.ts";
import { newOneTimeKey } from "./curve.ts";
import { readList } from "./listing.ts";
import { type PurseState, sumOf } from "./model.ts";
import { takingBegun, takingEnded } from "./people-changes.ts";
import { type Parts, feeOf } from "./people-handing.ts";
import { isPlain, plainOutput, readToken, witnessFor } from "./people-locks.ts";
import { type Judged, judge } from "./people-offline.ts";
import type { Handing, Held, Passed, Source, TakenProof, Taking } from "./people-model.ts";
import { sorted, swapOnce } from "./people-swap.ts";
import { RANDOM_BYTES, drawnChance } from "./spending.ts";

const PROOF_FALSE = 10001;

export type TokenSeen =
  | { readonly kind: "token"; readonly amount: number; readonly inputs: readonly TakenProof[] }
  /** The mint was not reached, and the device itself judged it; it may be kept until it is. */
  | { readonly kind: "held"; readonly amount: number; readonly held: Held }
  | { readonly kind: "not-a-token" | "other-mint" | "locked" | "other-keys" | "lost" }
  | { readonly kind: Exclude<Judged["kind"], "sure"> };

export type Took =
  | { readonly kind: "taken"; readonly amount: number }
  | {
      readonly kind:
        "spent" | "refused" | "no-token" | "not-yet" | Exclude<TokenSeen["kind"], "token" | "held">;
    };

/** Reads a token and sees whether this purse could take it; nothing is spent. */
export async function seeToken(parts: Parts, text: string): Promise<TokenSeen> {
  const { book, mint } = parts;
  const listing = await readList(book, mint);
  if (listing.kind === "broken") return { kind: "other-keys" };
  const { state } = book;
  const ids = state.keysets.filter(({ unit }) => unit === state.unit).map(({ id }) => id);
  const read = readToken(text, mint.address, state.unit, ids);
  if (read.kind !== "token") return { kind: read.kind === "no-token" ? "not-a-token" : read.kind };
  const inputs = opened(read.proofs, state.people.key);
  if (inputs === null) return { kind: "locked" };
  const amount = sumOf(inputs) - feeOf(state, inputs);
  if (listing.kind === "known") return { kind: "token", amount, inputs };
  // Nobody can say without the mint whether e-cash that is locked to nobody was spent.
  if (inputs.some(isPlain)) return { kind: "lost" };
  const judged = judge(state, { ...read, amount }, parts.ports);
  return judged.kind === "sure" ? { kind: "held", amount, held: judged.held } : judged;
}

/** Each proof with the signature that its lock asks for; null where one asks for another key's. */
function opened(proofs: readonly Passed[], key: string | null): readonly TakenProof[] | null {
  const inputs: TakenProof[] = [];
  for (const proof of proofs) {
    const witness = isPlain(proof) || key === null ? null : witnessFor(proof, key);
    if (witness === null && !isPlain(proof)) return null;
    inputs.push({ ...proof, witness });
  }
  return inputs.toSorted((a, b) => a.amount - b.amount);
}

/** Takes a token that was seen. */
export async function take(
  parts: Parts,
  { id, source }: { readonly id: string; readonly source: Source },
  inputs: readonly TakenProof[],
): Promise<Took> {
  const { book, ports } = parts;
  const keyset = book.state.keysets.find(isActiveIn(book.state));
  if (keyset === undefined) return { kind: "other-keys" };
  const waiting = book.state.people.takings.find((one) => one.id === id);
  if (waiting !== undefined) return (await resumeTaking(parts, waiting)) ?? { kind: "lost" };
  const sum = sumOf(inputs) - feeOf(book.state, inputs);
  if (sum <= 0) return { kind: "refused" };
  const token = await takeForSwap(book);
  if (token === "missing") return { kind: "no-token" };
  const amounts = division(POLICY, 0n, BigInt(sum)).kept;
  const outputs = sorted(amounts.map((one) => plainOutput(keyset.id, Number(one), false)));
  const taking: Taking = { id, source, inputs, outputs, token };
  return ports.locks.hold(lockOf(taking), async () => {
    await book.change((state) => takingBegun(state, taking));
    return carryTaking(parts, taking);
  });
}

const isActiveIn =
  ({ unit }: PurseState) =>
  (keyset: { readonly active: boolean; readonly unit: string }): boolean =>
    keyset.active && keyset.unit === unit;

const lockOf = ({ id }: Taking): string => `taking ${id}`;

export async function resumeTaking(parts: Parts, taking: Taking): Promise<Took | null> {
  return parts.ports.locks.tryHold(lockOf(taking), () => carryTaking(parts, taking));
}

async function carryTaking(parts: Parts, taking: Taking): Promise<Took> {
  const { book, mint, ports } = parts;
  for (let attempt = 0; ; attempt += 1) {
    const swapped = await swapOnce(book, mint, taking);
    if (swapped.kind === "unknown") {
      await ports.pause(waitBefore(attempt, drawnChance(ports)));
      continue;
    }
    const proofs = swapped.kind === "signed" ? swapped.proofs : [];
    const now = ports.now();
    const availableAt = changeAvailableAt(POLICY, now, ports.random(RANDOM_BYTES));
    if (swapped.kind === "refused" && swapped.code !== PROOF_FALSE) {
      // Nothing is wrong with the e-cash: it stays where it was, and may be taken another time.
      await book.change((state) => ({ ...state, people: without(state, taking) }));
    } else {
      await book.change((state) => takingEnded(state, taking, proofs, { now, availableAt }));
    }
    if (swapped.kind !== "signed") return { kind: swapped.kind };
    return { kind: "taken", amount: sumOf(proofs) };
  }
}

function without({ people }: PurseState, { id }: Taking): PurseState["people"] {
  return { ...people, takings: people.takings.filter((one) => one.id !== id) };
}

/** Takes back what was handed over: a link as long as nobody has used it, a lock once it has ended. */
export async function takeBack(parts: Parts, handing: Handing): Promise<Took> {
  const { id, refundKey, refundAt, proofs, stage } = handing;
  if (stage !== "ready" && stage !== "delivered") return { kind: "refused" };
  if (refundAt !== null && parts.ports.now() < refundAt) return { kind: "not-yet" };
  const listing = await readList(parts.book, parts.mint);
  if (listing.kind !== "known") return { kind: listing.kind === "lost" ? "lost" : "other-keys" };
  const inputs = opened(proofs, refundKey);
  return inputs === null ? { kind: "locked" } : take(parts, { id, source: "back" }, inputs);
}

/** A key to which others lock e-cash for this purse. */
export function newPurseKey(): string {
  return newOneTimeKey().secret;
}
