/** Taking e-cash: whatever comes from somebody else is swapped to secrets of this purse alone. */

import { waitBefore } from "../rules/intent.ts";
import { division } from "../rules/purse/people.ts";
import { POLICY } from "../rules/purse/policy.ts";
import { changeAvailableAt } from "../rules/purse/spend.ts";
import { takeForSwap } from "./blind.ts";
import type { Book } from "./book.ts";
import { newOneTimeKey, pointOf } from "./curve.ts";
import { isRevoked } from "./keysets.ts";
import { readList } from "./listing.ts";
import { type PurseState, sumOf } from "./model.ts";
import { handingSaved, keysOf, takingBegun, takingEnded, takingParted } from "./people-changes.ts";
import { type Parts, feeOf } from "./people-handing.ts";
import { isPlain, plainOutput, readToken, witnessOf } from "./people-locks.ts";
import { type Judged, judge } from "./people-offline.ts";
import type { Handing, Held, Parted, Passed, Source, TakenProof, Taking } from "./people-model.ts";
import { partedBy } from "./people-parting.ts";
import { sorted, swapOnce } from "./people-swap.ts";
import { RANDOM_BYTES, drawnChance } from "./spending.ts";

/** Blind tokens that stay for payments, two for each. */
const TOKENS_KEPT = 20;

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
  const inputs = opened(read.proofs, keysOf(state));
  if (inputs === null) return { kind: "locked" };
  const amount = sumOf(inputs) - feeOf(state, inputs);
  if (listing.kind === "known") return { kind: "token", amount, inputs };
  // Nobody can say without the mint whether e-cash that is locked to nobody was spent.
  if (inputs.some(isPlain)) return { kind: "lost" };
  const judged = judge(state, { ...read, amount }, parts.ports);
  return judged.kind === "sure" ? { kind: "held", amount, held: judged.held } : judged;
}

/** Each proof with the signature that its lock asks for; null where one asks for another key's. */
function opened(proofs: readonly Passed[], keys: readonly string[]): readonly TakenProof[] | null {
  const inputs: TakenProof[] = [];
  for (const proof of proofs) {
    const witness = isPlain(proof) ? null : witnessOf(proof, keys);
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
  const waiting = takingOf(book.state, id);
  if (waiting !== undefined) return (await resumeTaking(parts, waiting)) ?? { kind: "lost" };
  const taking = await makeTaking(book, { id, source }, inputs);
  if (typeof taking === "string") return { kind: taking };
  return ports.locks.hold(lockOf(taking), async () => {
    await book.change((state) => takingBegun(state, taking));
    return carryTaking(parts, taking);
  });
}

const takingOf = ({ people }: PurseState, id: string): Taking | undefined =>
  people.takings.find((one) => one.id === id);

/** `refused`: it is worth less than the mint charges. */
async function makeTaking(
  book: Book,
  { id, source }: { readonly id: string; readonly source: Source },
  inputs: readonly TakenProof[],
): Promise<Taking | "other-keys" | "refused" | "no-token"> {
  const keyset = book.state.keysets.find(isActiveIn(book.state));
  if (keyset === undefined) return "other-keys";
  const sum = sumOf(inputs) - feeOf(book.state, inputs);
  if (sum <= 0) return "refused";
  const token = await takeForSwap(book);
  if (token === "missing") return "no-token";
  const amounts = division(POLICY, 0n, BigInt(sum)).kept;
  const outputs = sorted(amounts.map((one) => plainOutput(keyset.id, Number(one), false)));
  return { id, source, inputs, outputs, token };
}

const isActiveIn =
  ({ unit }: PurseState) =>
  (keyset: { readonly active: boolean; readonly unit: string }): boolean =>
    keyset.active && keyset.unit === unit;

const lockOf = ({ id }: Taking): string => `taking ${id}`;

export async function resumeTaking(parts: Parts, taking: Taking): Promise<Took | null> {
  return parts.ports.locks.tryHold(lockOf(taking), () => carryTaking(parts, taking));
}

async function carryTaking(parts: Parts, begun: Taking): Promise<Took> {
  const { book, mint, ports } = parts;
  let taking = takingOf(await book.read(), begun.id) ?? begun;
  for (let attempt = 0; ; attempt += 1) {
    const swapped = await swapOnce(book, mint, taking);
    if (swapped.kind === "unknown") {
      await ports.pause(waitBefore(attempt, drawnChance(ports)));
      continue;
    }
    const proofs = swapped.kind === "signed" ? swapped.proofs : [];
    const { parted, next, why } = await nextPart(book, taking, partedBy(taking, swapped));
    const now = ports.now();
    const availableAt = changeAvailableAt(POLICY, now, ports.random(RANDOM_BYTES));
    const [part, at] = [taking, { now, availableAt }];
    if (next === null) {
      await book.change((state) => takingEnded(state, part, proofs, at, parted));
      if (parted.gained > 0) return { kind: "taken", amount: parted.gained };
      return { kind: why ?? (swapped.kind === "spent" ? "spent" : "refused") };
    }
    await book.change((state) => takingParted(state, part, proofs, at, next));
    const stored = takingOf(book.state, begun.id);
    if (stored === undefined) return { kind: "lost" };
    taking = stored;
  }
}

interface NextPart {
  readonly parted: Parted;
  /** Null where nothing is to be tried any more. */
  readonly next: Taking | null;
  /** Why what is left was not tried. */
  readonly why?: "other-keys" | "no-token";
}

/**
 * The part to try next, where the mint refused some or somebody else has spent some.
 *
 * With outputs and a blind token of its own: the mint has seen those that it refused.
 */
async function nextPart(book: Book, taking: Taking, parted: Parted): Promise<NextPart> {
  const [inputs, ...rest] = parted.rest;
  if (inputs === undefined) return { parted, next: null };
  const made = mayTryApart(book.state) ? await makeTaking(book, taking, inputs) : "no-token";
  if (made === "refused") {
    // Less than the mint charges for it.
    return nextPart(book, taking, { ...parted, lost: [...parted.lost, ...inputs], rest });
  }
  if (typeof made !== "string") return { parted, next: { ...made, parted: { ...parted, rest } } };
  return { parted: { ...parted, left: parted.rest.flat(), rest: [] }, next: null, why: made };
}

/** Bad e-cash, which anybody can send, must not use up the tokens that payments need. */
function mayTryApart({ asksTokens, tokens }: PurseState): boolean {
  return asksTokens === false || tokens.length > TOKENS_KEPT;
}

/** Takes back what was handed over: a link as long as nobody has used it, a lock once it has ended. */
export async function takeBack(parts: Parts, handing: Handing): Promise<Took> {
  const { id, refundKey, refundAt, proofs, stage } = handing;
  if (stage !== "ready" && stage !== "delivered") return { kind: "refused" };
  if (refundAt !== null && parts.ports.now() < refundAt) return { kind: "not-yet" };
  const listing = await readList(parts.book, parts.mint);
  if (listing.kind !== "known") return { kind: listing.kind === "lost" ? "lost" : "other-keys" };
  const inputs = opened(proofs, refundKey === null ? [] : [refundKey]);
  if (inputs === null) return { kind: "locked" };
  const { state } = parts.book;
  const isBad = inputs.some(({ keyset }) => isRevoked(state.keysets, keyset));
  if (isBad && takingOf(state, id) === undefined) return save(parts, handing, inputs);
  return take(parts, { id, source: "back" }, inputs);
}

/**
 * What is of a revoked keyset cannot be swapped: it goes into the purse as it is, with the factors
 * by which it is issued anew like the purse's other coins of that keyset, each at an hour of its own.
 */
async function save(
  { book, mint, ports }: Parts,
  handing: Handing,
  inputs: readonly TakenProof[],
): Promise<Took> {
  const states = await mint.states(inputs.map(({ secret }) => pointOf(secret)));
  if (states.kind !== "answered") return { kind: "lost" };
  const found = new Map(states.value.states.map(({ Y, state }) => [Y, state]));
  const stateOf = ({ secret }: TakenProof) => found.get(pointOf(secret)) ?? "PENDING";
  if (inputs.some((one) => stateOf(one) === "PENDING")) return { kind: "lost" };
  const left = inputs.filter((one) => stateOf(one) === "UNSPENT");
  await book.change((state) => handingSaved(state, handing, left, ports.now()));
  return left.length === 0 ? { kind: "spent" } : { kind: "taken", amount: sumOf(left) };
}

/** A key to which others lock e-cash for this purse. */
export function newPurseKey(): string {
  return newOneTimeKey().secret;
}
