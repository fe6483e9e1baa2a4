/** Handing e-cash over: a swap to outputs for somebody else, then a sealed letter, or a link. */

import { exponentOf } from "../rules/money.ts";
import { waitBefore } from "../rules/intent.ts";
import { division, heldMax, inputFee, lockEnd, passedMax } from "../rules/purse/people.ts";
import { POLICY } from "../rules/purse/policy.ts";
import { changeAvailableAt } from "../rules/purse/spend.ts";
import { takeForSwap, takeSome } from "./blind.ts";
import type { Book, Ports } from "./book.ts";
import { toHex } from "./bytes.ts";
import { newOneTimeKey } from "./curve.ts";
import { readList } from "./listing.ts";
import type { Mint } from "./mint.ts";
import { type Coin, type PurseState, sumOf } from "./model.ts";
import {
  handingBegun,
  handingChanged,
  handingOf,
  handingReady,
  handingReturned,
} from "./people-changes.ts";
import { lockedOutput, plainOutput, writeProvenToken, writeToken } from "./people-locks.ts";
import type { Handing, Person, SwapOutput } from "./people-model.ts";
import type { Seals } from "./people-seals.ts";
import { type Proven, passedFrom, sorted, swapOnce } from "./people-swap.ts";
import { RANDOM_BYTES, choose, drawnChance } from "./spending.ts";

const ID_BYTES = 16;
/** Letters are of one length, as the length would tell the amount. */
const LETTER_CHARACTERS = 11_900;
/** With so much change, it is divided and not what goes: few proofs make few codes to be scanned. */
const SPARE = 16;
const ALREADY_SPENT = 11001;
const TOKEN_REFUSED: readonly number[] = [31001, 31002];

export interface Parts {
  readonly book: Book;
  readonly mint: Mint;
  readonly ports: Ports;
  readonly seals: Seals;
}

export type Made =
  | { readonly kind: "made"; readonly handing: Handing }
  | {
      readonly kind: "too-much" | "too-little" | "no-token" | "other-keys" | "lost" | "nobody";
    };

export type Handed =
  | { readonly kind: "handed"; readonly handing: Handing }
  | { readonly kind: "refused"; readonly code: number };

/**
 * Makes ready what goes to a person, or to whoever has the link; nothing is stored or spent yet.
 *
 * By hand it is shown to a person as codes, so it is no more than may wait uncounted at the payee.
 */
export async function makeHanding(
  parts: Parts,
  person: Person | null,
  amount: number,
  isByHand = false,
): Promise<Made> {
  const { book, mint, ports, seals } = parts;
  const listing = await readList(book, mint);
  if (listing.kind !== "known") return { kind: listing.kind === "lost" ? "lost" : "other-keys" };
  const { state } = book;
  const most = isByHand ? heldMax : passedMax;
  if (BigInt(amount) > most(POLICY, exponentOf(state.unit.toUpperCase()))) {
    return { kind: "too-much" };
  }
  const now = ports.now();
  const inputs =
    (isByHand ? chosen(state, amount + SPARE, now) : null) ?? chosen(state, amount, now);
  if (inputs === null) return { kind: "too-little" };
  if (person !== null && (await seals.seal(person.noteKey, "")) === null) return { kind: "nobody" };
  const refundKey = person === null ? null : newOneTimeKey().secret;
  const refundAt = person === null ? null : lockEnd(ports.now());
  const kept = sumOf(inputs) - amount - feeOf(state, inputs);
  const lock = { person, refundKey, refundAt };
  const outputs = outputsFor(listing.active.id, amount, kept, lock);
  if (outputs === null) return { kind: "nobody" };
  const swapToken = await takeForSwap(book);
  const mailTokens = person === null || isByHand ? [] : await takeSome(book, 1);
  if (swapToken === "missing" || mailTokens === null) return { kind: "no-token" };
  const handing: Handing = {
    id: toHex(ports.random(ID_BYTES)),
    person,
    amount,
    inputs,
    outputs,
    swapToken,
    mailToken: mailTokens[0] ?? null,
    stage: "swapping",
    proofs: [],
    text: null,
    sealed: null,
    refundKey,
    refundAt,
    madeAt: ports.now(),
    isByHand,
  };
  return { kind: "made", handing };
}

export function feeOf(state: PurseState, inputs: readonly { readonly keyset: string }[]): number {
  const fees = new Map(state.keysets.map(({ id, input_fee_ppk }) => [id, input_fee_ppk]));
  return inputFee(inputs.map(({ keyset }) => fees.get(keyset) ?? 0));
}

function chosen(state: PurseState, amount: number, now: number): readonly Coin[] | null {
  const first = choose(state, amount, now);
  if (first === null || sumOf(first) >= amount + feeOf(state, first)) return first;
  const again = choose(state, amount + feeOf(state, first) + 1, now);
  return again !== null && sumOf(again) >= amount + feeOf(state, again) ? again : null;
}

type Lock = Pick<Handing, "person" | "refundKey" | "refundAt">;

function outputsFor(
  keyset: string,
  passed: number,
  kept: number,
  { person, refundKey, refundAt }: Lock,
): readonly SwapOutput[] | null {
  const parts = division(POLICY, BigInt(passed), BigInt(kept));
  const mine = parts.kept.map((amount) => plainOutput(keyset, Number(amount), false));
  try {
    const theirs = parts.passed.map((amount) =>
      person === null || refundKey === null || refundAt === null
        ? plainOutput(keyset, Number(amount), true)
        : lockedOutput(keyset, Number(amount), { to: person.purseKey, refundKey, refundAt }),
    );
    return sorted([...mine, ...theirs]);
  } catch {
    // A purse key that is no point of the curve.
    return null;
  }
}

const lockOf = ({ id }: Handing): string => `handing ${id}`;

/** Hands over what was made ready. */
export async function handOver(parts: Parts, handing: Handing): Promise<Handed> {
  return parts.ports.locks.hold(lockOf(handing), async () => {
    // Stored before it is sent: the coins stand with it from here on.
    await parts.book.change((state) => handingBegun(state, handing));
    return carryHanding(parts, handing);
  });
}

/** Finishes what was on its way; null where another tab is at it. */
export async function resumeHanding(parts: Parts, handing: Handing): Promise<Handed | null> {
  return parts.ports.locks.tryHold(lockOf(handing), () => carryHanding(parts, handing));
}

async function carryHanding(parts: Parts, begun: Handing): Promise<Handed> {
  const { book, mint, ports } = parts;
  const handing = handingOf(await book.read(), begun.id) ?? begun;
  if (handing.stage !== "swapping") return delivered(parts, handing);
  const { inputs, outputs, swapToken: token } = handing;
  for (let attempt = 0; ; attempt += 1) {
    const swapped = await swapOnce(book, mint, { inputs, outputs, token });
    if (swapped.kind === "signed")
      return delivered(parts, await ready(parts, handing, swapped.proofs));
    if (swapped.kind !== "unknown") {
      const spent = swapped.kind === "spent" ? swapped.spent : new Set<string>();
      await book.change((state) => handingReturned(state, handing, spent));
      return { kind: "refused", code: swapped.kind === "spent" ? ALREADY_SPENT : swapped.code };
    }
    await ports.pause(waitBefore(attempt, drawnChance(ports)));
  }
}

/** Stores the token and its sealed letter, then it may leave. */
async function ready(
  { book, mint, ports, seals }: Parts,
  handing: Handing,
  proofs: readonly Proven[],
): Promise<Handing> {
  const { person } = handing;
  const isByHand = handing.isByHand === true;
  const going = proofs.filter(({ output }) => output.isPassed);
  const passed = going.map(passedFrom);
  const kept = proofs.filter(({ output }) => !output.isPassed);
  const { unit } = book.state;
  const text = isByHand
    ? writeProvenToken(mint.address, unit, going.map(provenFrom))
    : writeToken(mint.address, unit, passed);
  const sealed =
    person === null || isByHand
      ? null
      : await seals.seal(person.noteKey, text.padEnd(LETTER_CHARACTERS));
  const now = ports.now();
  const at = { paidAt: now, changeAt: changeAvailableAt(POLICY, now, ports.random(RANDOM_BYTES)) };
  const done: Handing = { ...handing, stage: "ready", proofs: passed, text, sealed };
  await book.change((state) => handingReady(state, done, kept, at));
  return done;
}

const provenFrom = (one: Proven) => ({ ...passedFrom(one), dleq: one.dleq });

/** Leaves the letter; where that does not work now, it is tried again with the next opening. */
async function delivered(parts: Parts, handing: Handing): Promise<Handed> {
  const { id, person, sealed, mailToken, stage } = handing;
  if (person === null || sealed === null || mailToken === null || stage !== "ready") {
    return { kind: "handed", handing };
  }
  const { book, mint } = parts;
  let answer = await mint.deliver(person.handle, { id, sealed }, mailToken);
  if (answer.kind === "refused" && TOKEN_REFUSED.includes(answer.code)) {
    // The answer to an earlier attempt may have been lost: the letter is kept once in any case.
    const fresh = (await takeSome(book, 1))?.[0];
    if (fresh === undefined) return { kind: "handed", handing };
    await book.change((state) => handingChanged(state, id, { mailToken: fresh }));
    answer = await mint.deliver(person.handle, { id, sealed }, fresh);
  }
  if (answer.kind !== "answered") return { kind: "handed", handing };
  await book.change((state) => handingChanged(state, id, { stage: "delivered" }));
  return { kind: "handed", handing: { ...handing, stage: "delivered" } };
}
