/** What the page and the purse's worker say to each other; nothing in it needs the protocol. */

import type { Named, Receipt } from "./model.ts";

export interface Opening {
  /** The account's id: each account of a device has a purse of its own. */
  readonly account: string;
  readonly unit: string;
  readonly mint: string;
  /** Requests to the mint go through the operator's named relay, and in no other way. */
  readonly isRelayed: boolean;
}

export interface OpenMoment {
  /** Whole seconds since 1970. */
  readonly openSince: number;
  readonly paying: boolean;
  /** The person pressed the button. */
  readonly isAsked: boolean;
}

export interface OrderCode {
  /** An order's id, or a merchant's handle with `@` and then an amount with it. */
  readonly request: string;
  readonly amount: number | null;
  readonly tip: number;
  readonly listHash: string | null;
}

export interface Summary {
  readonly unit: string;
  readonly balance: bigint;
  /** Of the balance, what does not rest. */
  readonly ready: bigint;
  readonly onItsWay: bigint;
  readonly isStarted: boolean;
  /** The next refill that waits, in minor units. */
  readonly refill: number | null;
  readonly list: "unknown" | "known" | "broken";
  readonly keysets: number;
  readonly crowd: number | null;
  readonly depositTiers: readonly bigint[];
}

export type Offer =
  | {
      readonly kind: "offer";
      readonly id: string;
      readonly payee: Named | null;
      readonly amount: number;
      readonly unit: string;
      readonly covers: boolean;
      readonly reference: string | null;
      readonly isTipAsked: boolean;
    }
  | { readonly kind: "refused"; readonly code: number; readonly detail: string }
  | { readonly kind: "other-keys" | "no-token" | "lost" };

export type Paid =
  | { readonly kind: "paid"; readonly receipt: Receipt }
  | { readonly kind: "refused"; readonly code: number; readonly detail: string };

export type Deposited = Paid | { readonly kind: "off-menu" | "too-little" | "lost" };

export type Refunded = "none" | "arrived" | "lost";

export type Filled =
  | "nothing"
  | "waiting"
  | "left"
  | "arrived"
  | "false-signatures"
  | "no-keyset"
  | "lost"
  | "refused"
  | "not-now";

/** What the page may ask of the purse. */
export interface Calls {
  open(opening: Opening): Promise<Summary>;
  resume(): Promise<void>;
  start(isStarted: boolean): Promise<void>;
  fill(token: string, moment: OpenMoment): Promise<Filled>;
  look(code: OrderCode): Promise<Offer>;
  forget(offer: string): Promise<void>;
  pay(offer: string): Promise<Paid>;
  deposit(token: string, tier: number): Promise<Deposited>;
  /** Asks for the refund of one payment now, because the person wants to know. */
  askRefund(receipt: string): Promise<Refunded>;
  receipts(): Promise<readonly Receipt[]>;
  listHash(): Promise<string>;
}

export interface Call {
  readonly number: number;
  readonly call: keyof Calls;
  readonly args: readonly unknown[];
}

export interface Reply {
  readonly number: number;
  readonly value?: unknown;
  readonly fault?: string;
}

export type News =
  | { readonly kind: "changed"; readonly summary: Summary }
  | { readonly kind: "doubtful" }
  | { readonly kind: "ended"; readonly outcome: Paid };

export interface Note {
  readonly note: News;
}
