/**
 * Paying from the purse: one quote, one redemption, change in the same answer.
 *
 * Silence is never taken for an end. After it the mint is asked what became of exactly these
 * inputs (NUT-07) and these blank outputs (NUT-09); until that is known the same request goes again.
 */

import { waitBefore } from "../rules/intent.ts";
import { POLICY, type Seconds } from "../rules/purse/policy.ts";
import { refundAskAt } from "../rules/purse/refill.ts";
import { blankOutputs, changeAvailableAt, chooseCoins } from "../rules/purse/spend.ts";
import type { Book, Ports } from "./book.ts";
import { begun, changeOwed, concluded, receiptOf, returned } from "./changes.ts";
import { type Unblinded, newOneTimeKey, newOutput, pointOf, unblind } from "./curve.ts";
import { activeOf, isRevoked } from "./keysets.ts";
import { type Mint, type MintAnswer, signaturesByOutput } from "./mint.ts";
import {
  type Coin,
  type PurseState,
  type Receipt,
  type RedeemMethod,
  type Signature,
  type Spend,
  sumOf,
} from "./model.ts";
import { OTHER_PRICE } from "./talk.ts";
import { takeTokens } from "./tokens.ts";
import type { RedeemQuote, Redeemed } from "./wire.ts";

export type Asked =
  | {
      readonly kind: "quoted";
      readonly spend: Spend;
      readonly covers: boolean;
      readonly quote: RedeemQuote;
    }
  | { readonly kind: "refused"; readonly code: number; readonly detail: string }
  | { readonly kind: "no-keyset" }
  | { readonly kind: "no-token" }
  | { readonly kind: "lost" };

export interface Target {
  readonly method: RedeemMethod;
  readonly request: string;
  /** Only where the quote is free to choose: in a deposit. */
  readonly amount: number | null;
  readonly tip: number;
  /** Every coin goes, rested or not: the account is being closed. */
  readonly isAll?: boolean;
  /** Keysets that merchants' codes vouch for; left out, any that this purse knows is used. */
  readonly vouched?: readonly string[];
}

export type Outcome =
  | { readonly kind: "paid"; readonly receipt: Receipt }
  | { readonly kind: "refused"; readonly code: number; readonly detail: string };

export const RANDOM_BYTES = 8;

/** Asks what a payment would be, and makes it ready; nothing is stored and nothing is spent yet. */
export async function prepare(
  book: Book,
  mint: Mint,
  ports: Ports,
  target: Target,
): Promise<Asked> {
  const state = await book.read();
  const keyset = activeOf(state.keysets, state.unit);
  if (keyset === null || state.isListBroken || state.isTokenListBroken)
    return { kind: "no-keyset" };
  const key = target.method === "amana-merchant" ? newOneTimeKey() : null;
  const vouched = target.vouched ?? null;
  const tokens = await takeTokens(book, vouched);
  if (tokens === null) {
    const isForeign = state.tokens.some((one) => vouched?.includes(one.keyset) === false);
    return { kind: isForeign ? "no-keyset" : "no-token" };
  }
  const body = {
    request: target.request,
    unit: state.unit,
    ...(target.amount === null ? {} : { amount: target.amount }),
    ...(target.tip === 0 ? {} : { tip: target.tip }),
    ...(key === null ? {} : { refund_key: key.pubkey }),
  };
  const answer = await mint.redeemQuote(target.method, body, tokens.quote);
  if (answer.kind !== "answered") return answer.kind === "lost" ? { kind: "lost" } : answer;
  const quote = answer.value;
  if (!isAsAsked(target, quote)) return { kind: "refused", code: OTHER_PRICE, detail: "" };
  const chosen =
    target.isAll === true
      ? payable(state).toSorted((a, b) => a.amount - b.amount)
      : choose(onlyOf(state, vouched), quote.amount, ports.now());
  // The money is there, but of keysets that perhaps nobody else sees.
  if (chosen === null && choose(state, quote.amount, ports.now()) !== null)
    return { kind: "no-keyset" };
  const blanks = Array.from({ length: blankOutputs(POLICY) }, () => newOutput(keyset.id, 0));
  const spend: Spend = {
    id: crypto.randomUUID(),
    method: target.method,
    quote: quote.quote,
    request: target.request,
    amount: quote.amount,
    fee: 0,
    payee: quote.payee,
    inputs: chosen ?? [],
    blanks,
    refundKey: key?.secret ?? null,
    token: tokens.payment,
    madeAt: ports.now(),
  };
  return { kind: "quoted", spend, covers: chosen !== null, quote };
}

/**
 * Whether a quote is for what was asked, and for nothing that no screen shows: this operator's mint
 * takes no fee of a payer, and one that wrote one into a quote would be paid it unseen.
 */
function isAsAsked({ amount, tip }: Target, quote: RedeemQuote): boolean {
  return (quote.fee_reserve ?? 0) === 0 && (amount === null || quote.amount === amount + tip);
}

function onlyOf(state: PurseState, vouched: readonly string[] | null): PurseState {
  if (vouched === null) return state;
  return { ...state, coins: state.coins.filter(({ keyset }) => vouched.includes(keyset)) };
}

/** What the mint takes: coins of a revoked keyset are issued anew first. */
export function payable(state: PurseState): readonly Coin[] {
  return state.coins.filter(({ keyset }) => !isRevoked(state.keysets, keyset));
}

/** Coins for an amount, ascending; null where the purse has not enough that is rested. */
export function choose(state: PurseState, amount: number, now: Seconds): readonly Coin[] | null {
  const expiries = new Map(state.keysets.map(({ id, final_expiry }) => [id, final_expiry]));
  const coins = payable(state).map((coin) => ({
    ...coin,
    amount: BigInt(coin.amount),
    expiresAt: expiries.get(coin.keyset) ?? null,
    coin,
  }));
  const choice = chooseCoins(POLICY, coins, BigInt(amount), now);
  if (choice === null) return null;
  return choice.coins.map(({ coin }) => coin).toSorted((a, b) => a.amount - b.amount);
}

/** Pays what was prepared, or says that the coins went elsewhere in the meantime. */
export async function pay(
  book: Book,
  mint: Mint,
  ports: Ports,
  spend: Spend,
  doubtful: () => void,
): Promise<Outcome> {
  return ports.locks.hold(lockOf(spend), async () => {
    // Stored before it is sent: the coins stand with the payment from here on.
    await book.change((state) => begun(state, spend));
    return carry(book, mint, ports, spend, doubtful);
  });
}

export const lockOf = ({ id }: Spend): string => `spend ${id}`;

/** Sends until the end is known. */
export async function carry(
  book: Book,
  mint: Mint,
  ports: Ports,
  spend: Spend,
  doubtful: () => void,
): Promise<Outcome> {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await mint.redeem(
      spend.method,
      spend.quote,
      spend.inputs,
      spend.blanks,
      spend.token,
    );
    const outcome = await endOf(book, mint, ports, spend, answer);
    if (outcome !== null) return outcome;
    doubtful();
    await ports.pause(waitBefore(attempt, drawnChance(ports)));
  }
}

export function drawnChance(ports: Ports): number {
  return (ports.random(1)[0] ?? 0) / 256;
}

async function endOf(
  book: Book,
  mint: Mint,
  ports: Ports,
  spend: Spend,
  answer: MintAnswer<Redeemed>,
): Promise<Outcome | null> {
  if (answer.kind === "answered" && answer.value.state === "PAID") {
    const told = inOrder(spend, answer.value.change ?? []);
    const isWhole = sumOf(provenChange(book.state, spend, [told])) >= changeOwed(spend);
    // Less came than is owed: what was signed is given again.
    const again = isWhole ? null : await mint.restore(spend.blanks);
    if (again !== null && again.kind !== "answered") return null;
    const found = again === null ? [told] : [told, signaturesByOutput(again.value)];
    return paid(book, ports, spend, found, answer.value.receipt);
  }
  const states = await mint.states(spend.inputs.map(({ secret }) => pointOf(secret)));
  if (states.kind !== "answered") return null;
  const byPoint = new Map(states.value.states.map(({ Y, state }) => [Y, state]));
  const stateOf = (coin: Coin) => byPoint.get(pointOf(coin.secret)) ?? "PENDING";
  if (spend.inputs.every((coin) => stateOf(coin) === "SPENT")) {
    return lookForChange(book, mint, ports, spend);
  }
  if (answer.kind !== "refused" || spend.inputs.some((coin) => stateOf(coin) === "PENDING")) {
    return null;
  }
  // The mint says that nothing was done and where each coin stands: what is unspent comes back.
  await book.change((state) => returned(state, spend, (coin) => stateOf(coin) === "SPENT"));
  return { kind: "refused", code: answer.code, detail: answer.detail };
}

/** The inputs are spent: by this payment, if its quote is paid; the change is asked for again. */
async function lookForChange(
  book: Book,
  mint: Mint,
  ports: Ports,
  spend: Spend,
): Promise<Outcome | null> {
  const quote = await mint.findRedeemQuote(spend.method, spend.quote);
  if (quote.kind === "lost") return null;
  // Old quotes are forgotten, paid or not; whatever was signed as change is still given again.
  const forgotten = { state: changeOwed(spend) > 0 ? "UNPAID" : "PAID", receipt: null } as const;
  const { state, receipt } = quote.kind === "answered" ? quote.value : forgotten;
  if (state === "PENDING") return null;
  const again = await mint.restore(spend.blanks);
  if (again.kind !== "answered") return null;
  const found = signaturesByOutput(again.value);
  if (state === "UNPAID" && found.size === 0) {
    await book.change((before) => returned(before, spend, () => true));
    return { kind: "refused", code: ALREADY_SPENT, detail: "" };
  }
  return paid(book, ports, spend, [found], receipt);
}

const ALREADY_SPENT = 11001;

async function paid(
  book: Book,
  ports: Ports,
  spend: Spend,
  found: readonly SignaturesByOutput[],
  signed: string | null,
): Promise<Outcome> {
  const now = ports.now();
  const change = provenChange(book.state, spend, found);
  const missing = Math.max(0, changeOwed(spend) - sumOf(change));
  const receipt = receiptOf(spend, book.state.unit, { at: now, signed, missing });
  const at = {
    paidAt: now,
    changeAt: changeAvailableAt(POLICY, now, ports.random(RANDOM_BYTES)),
    askAt: refundAskAt(POLICY, now, ports.random(RANDOM_BYTES)),
  };
  await book.change((state) => concluded(state, spend, change, at), receipt);
  return { kind: "paid", receipt };
}

type SignaturesByOutput = ReadonlyMap<string, Signature>;

/** Change is laid on the blank outputs from the first on, in their order. */
function inOrder(spend: Spend, change: readonly Signature[]): SignaturesByOutput {
  return new Map(
    change.slice(0, spend.blanks.length).map((one, at) => [spend.blanks[at]?.B_ ?? "", one]),
  );
}

/** Of each output the first signature that is proven. */
function provenChange(
  state: PurseState,
  { blanks }: Spend,
  found: readonly SignaturesByOutput[],
): readonly Unblinded[] {
  return blanks.flatMap((output): readonly Unblinded[] => {
    const keys = state.keys[output.keyset];
    const proofs = found.flatMap((one) => {
      const signature = one.get(output.B_);
      const isNone = signature === undefined || keys === undefined;
      return isNone ? [] : (unblind(output, signature, keys) ?? []);
    });
    return proofs.slice(0, 1);
  });
}
