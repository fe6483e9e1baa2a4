/**
 * Blind tokens (NUT-22): a ration of requests, fetched with refills and never at the till.
 *
 * They are signed blindly like e-cash, so a payment's token does not say whose it was.
 */

import { POLICY, type Seconds } from "../rules/purse/policy.ts";
import { tokensDue } from "../rules/purse/refill.ts";
import type { Book } from "./book.ts";
import { isIdOf, newOutput, unblind } from "./curve.ts";
import { readTokenList } from "./listing.ts";
import type { Mint } from "./mint.ts";
import type { Keys, Output, Token } from "./model.ts";
import type { NamedSide } from "./named.ts";

/** A payment takes two: one for its quote, one for itself. */
const TOKENS_PER_PAYMENT = 2;
/** Seconds before its end from which on a token is none: clocks differ, and a payment takes a while. */
const MARGIN = 3_600;

export interface Taken {
  readonly quote: Token | null;
  readonly payment: Token | null;
}

/**
 * Takes the tokens of one payment out of the purse; null where there are not enough.
 *
 * Where a code vouches for keysets, a token of another is not shown: it could be the keyset of one
 * person alone, and name them.
 */
export async function takeTokens(
  book: Book,
  vouched: readonly string[] | null,
): Promise<Taken | null> {
  if (book.state.asksTokens === false) return { quote: null, payment: null };
  let taken: readonly Token[] = [];
  await book.change((state) => {
    const usable = state.tokens.filter((one) => vouched?.includes(one.keyset) !== false);
    taken = usable.slice(0, TOKENS_PER_PAYMENT);
    if (taken.length < TOKENS_PER_PAYMENT) return state;
    return { ...state, tokens: state.tokens.filter((one) => !taken.includes(one)) };
  });
  const [quote, payment] = taken;
  return quote === undefined || payment === undefined ? null : { quote, payment };
}

/** Drops the tokens whose keyset has ended, or is about to: the mint takes them no more. */
export async function dropEnded(book: Book, now: Seconds): Promise<void> {
  const isGood = ({ endsAt }: Token) => endsAt === undefined || now + MARGIN < endsAt;
  if ((await book.read()).tokens.every(isGood)) return;
  await book.change((state) => ({ ...state, tokens: state.tokens.filter(isGood) }));
}

/** What a call to the named side is made for besides. */
export interface Call {
  readonly now: Seconds;
  readonly leavesRefill: boolean;
}

/** Fetches more where the policy says so: a purse without them pays nobody. */
export async function fetchTokens(
  book: Book,
  mint: Mint,
  named: NamedSide,
  { now, leavesRefill }: Call,
): Promise<void> {
  await dropEnded(book, now);
  const { tokens, tokenOutputs } = await book.read();
  const isUnanswered = tokenOutputs.length > 0;
  if (!isUnanswered && !tokensDue(POLICY, tokens.length, leavesRefill)) return;
  const signing = await tokenKeys(book, mint);
  if (signing === null) return;
  const outputs = await outputsFor(book, signing.id, POLICY.blind_tokens.per_fetch);
  const signatures = await named.tokens(signing.id, outputs);
  // No answer: the same outputs are asked for again, so that none is paid for twice.
  if (signatures === null) return;
  const fetched = outputs.flatMap((output, at): readonly Token[] => {
    const signature = signatures[at];
    const proof = signature === undefined ? null : unblind(output, signature, signing.keys);
    if (proof === null) return [];
    const { keyset, secret, C } = proof;
    return [{ keyset, secret, C, ...(signing.endsAt === null ? {} : { endsAt: signing.endsAt }) }];
  });
  await book.change((state) => ({
    ...state,
    tokens: [...state.tokens, ...fetched],
    tokenOutputs: [],
  }));
}

async function outputsFor(book: Book, keyset: string, count: number): Promise<readonly Output[]> {
  const waiting = book.state.tokenOutputs;
  if (waiting.length > 0 && waiting.every((output) => output.keyset === keyset)) return waiting;
  const outputs = Array.from({ length: count }, () => newOutput(keyset, 1));
  await book.change((state) => ({ ...state, tokenOutputs: outputs }));
  return outputs;
}

async function tokenKeys(
  book: Book,
  mint: Mint,
): Promise<{ id: string; keys: Keys; endsAt: Seconds | null } | null> {
  const keyset = await readTokenList(book, mint);
  if (keyset === null) return null;
  const answer = await mint.tokenKeys(keyset.id);
  if (answer.kind !== "answered") return null;
  const keys = answer.value.keysets.find(({ id }) => id === keyset.id)?.keys;
  if (keys === undefined || !isIdOf(keyset, keys)) return null;
  return { id: keyset.id, keys, endsAt: keyset.final_expiry };
}
