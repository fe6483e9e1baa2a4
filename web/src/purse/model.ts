/** What the purse keeps: coins, refills and payments on their way, and the mint's keysets as seen. */

import type { Seconds } from "../rules/purse/policy.ts";
import { type KeepingState, nothingKept } from "./keeping-model.ts";
import { type PeopleState, nobody } from "./people-model.ts";

/** A proof the purse holds. */
export interface Coin {
  readonly keyset: string;
  readonly amount: number;
  readonly secret: string;
  readonly C: string;
  /**
   * The blinding factor. Whoever has it could join issue and spend, so it is shown only where the
   * keyset was revoked, to have the coin issued anew; coins kept by an older release have none.
   */
  readonly r?: string;
  /** What opens its lock, where it was locked to somebody and came back. */
  readonly witness?: string;
  /** Which refill or payment it came from; coins of two lineages are kept apart where they can be. */
  readonly lineage: string;
  /** Change rests before it is spent again. */
  readonly availableAt: Seconds;
}

/** An output with what unblinds its signature. `amount` is 0 for one that is still blank. */
export interface Output {
  readonly amount: number;
  readonly keyset: string;
  readonly secret: string;
  readonly r: string;
  readonly B_: string;
}

/** A blind signature as the mint answers it. */
export interface Signature {
  readonly id: string;
  readonly amount: number;
  readonly C_: string;
  /** Null where the mint left it out; such a signature proves nothing and is refused. */
  readonly dleq: { readonly e: string; readonly s: string } | null;
}

/** A keyset of the mint's list, as it was first seen. */
export interface ListedKeyset {
  readonly id: string;
  readonly unit: string;
  readonly active: boolean;
  readonly input_fee_ppk: number;
  readonly final_expiry: Seconds | null;
  /** Its key may be in other hands: what it signed neither swaps nor pays, and is issued anew. */
  readonly isRevoked?: boolean;
}

/** Public keys by amount, points in hex. */
export type Keys = Readonly<Record<string, string>>;

/** A refill: made, then left with the operator, then signed there at an hour nobody chose. */
export interface Refill {
  readonly id: string;
  readonly tier: number;
  readonly keyset: string;
  readonly outputs: readonly Output[];
  /** Refills of an older release have none. */
  readonly madeAt?: Seconds;
  /** The operator has confirmed that it waits. */
  readonly isLeft: boolean;
  /** The purse is being closed: it is to be taken back from the operator if it still waits. */
  readonly isWithdrawn?: boolean;
}

export type RedeemMethod = "amana-merchant" | "amana-account";

export interface Named {
  readonly name: string;
  readonly names: Readonly<Record<string, string>> | null;
}

/** A redemption on its way; its inputs are in no other list. Stored before it is sent. */
export interface Spend {
  readonly id: string;
  readonly method: RedeemMethod;
  readonly quote: string;
  readonly request: string;
  readonly amount: number;
  readonly fee: number;
  readonly payee: Named | null;
  readonly inputs: readonly Coin[];
  readonly blanks: readonly Output[];
  /** The private half of the one-time key that a refund or a dispute of this payment needs. */
  readonly refundKey: string | null;
  /** The blind token that goes with it, the same at each attempt; null where none is asked for. */
  readonly token: Token | null;
  readonly madeAt: Seconds;
}

/** What stays of a payment, on this device alone. */
export interface Receipt {
  readonly id: string;
  readonly method: RedeemMethod;
  readonly quote: string;
  readonly request: string;
  readonly amount: number;
  readonly unit: string;
  readonly payee: Named | null;
  readonly paidAt: Seconds;
  readonly refundKey: string | null;
  /** The merchant's receipt as the mint handed it over, if there was one. */
  readonly signed: string | null;
  /** Minor units of change that the mint owed and did not prove; 0 is how it should be. */
  readonly missing: number;
}

/** A blind token: good for one request to the mint, and for nothing that could be told from it. */
export interface Token {
  readonly keyset: string;
  readonly secret: string;
  readonly C: string;
  /** When its keyset ends, and the token with it. */
  readonly endsAt?: Seconds | undefined;
}

/** A payment whose refund is asked for, once, at an hour that follows from nothing. */
export interface RefundAsk {
  readonly receipt: string;
  readonly key: string;
  readonly at: Seconds;
}

/** A refund being fetched: stored before its outputs are sent. */
export interface Refund {
  readonly receipt: string;
  readonly key: string;
  readonly quote: string;
  readonly outputs: readonly Output[];
}

export interface PurseState {
  readonly version: 1;
  readonly unit: string;
  /** The person agreed to refills from the account. */
  readonly isStarted: boolean;
  /** The sum of each refill where the person chose one; the policy's otherwise. */
  readonly tier?: number;
  readonly coins: readonly Coin[];
  readonly refills: readonly Refill[];
  readonly spends: readonly Spend[];
  readonly asks: readonly RefundAsk[];
  readonly refunds: readonly Refund[];
  /** Whether a blind token goes with each payment; null until the mint's list of them was read. */
  readonly asksTokens: boolean | null;
  readonly tokens: readonly Token[];
  /** Outputs of tokens that were asked for and not answered yet. */
  readonly tokenOutputs: readonly Output[];
  readonly keysets: readonly ListedKeyset[];
  /** The list of blind tokens' keysets, as it was first seen. */
  readonly tokenKeysets: readonly ListedKeyset[];
  /** Keysets that some merchant's code was made with, so that everybody else sees them too. */
  readonly vouched: readonly string[];
  readonly keys: Readonly<Record<string, Keys>>;
  /** The list contradicted what was seen before: nothing is sent to this mint any more. */
  readonly isListBroken: boolean;
  readonly isTokenListBroken: boolean;
  readonly nextLineage: number;
  /** Amounts and instants of what was paid in the last weeks, for choosing a tier. */
  readonly spendings: readonly { readonly at: Seconds; readonly amount: number }[];
  /** How many people have a purse at this operator, as it says. */
  readonly crowd: number | null;
  readonly people: PeopleState;
  readonly keeping: KeepingState;
}

export function newPurse(unit: string): PurseState {
  return {
    version: 1,
    unit,
    isStarted: false,
    coins: [],
    refills: [],
    spends: [],
    asks: [],
    refunds: [],
    asksTokens: null,
    tokens: [],
    tokenOutputs: [],
    keysets: [],
    tokenKeysets: [],
    vouched: [],
    keys: {},
    isListBroken: false,
    isTokenListBroken: false,
    nextLineage: 1,
    spendings: [],
    crowd: null,
    people: nobody(),
    keeping: nothingKept(),
  };
}

export function sumOf(items: readonly { readonly amount: number }[]): number {
  return items.reduce((sum, { amount }) => sum + amount, 0);
}
