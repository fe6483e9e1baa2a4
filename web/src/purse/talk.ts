/** What the page and the purse's worker say to each other; nothing in it needs the protocol. */

import type { RelayNamed, RelayUse } from "../rules/purse/relay.ts";
import type { Named, Receipt } from "./model.ts";
import type { Arrival, HandingStage, Held } from "./people-model.ts";
import type { TokenSeen, Took } from "./people-taking.ts";
import type { Slip } from "./phrase.ts";
import type { Verdict } from "./verifying.ts";

export interface Opening {
  /** The account's id: each account of a device has a purse of its own. */
  readonly account: string;
  readonly unit: string;
  readonly mint: string;
  readonly relay: RelayUse;
}

export interface OpenMoment {
  /** Whole seconds since 1970. */
  readonly openSince: number;
  readonly paying: boolean;
  /** The person pressed the button. */
  readonly isAsked: boolean;
}

/** In the place of a mint's code: its quote is not for what was asked, and is not paid. */
export const OTHER_PRICE = -1;
/** Likewise: the mint was not asked, since the coins or their order are on their way already. */
export const NOT_SENT = -2;

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
  /** Whether there is a blind token, which the mint may ask for before it exchanges anything. */
  readonly hasTokens: boolean;
  /** The next refill that waits, in minor units. */
  readonly refill: number | null;
  readonly refillMadeAt: number | null;
  /** The sum of each refill, and those that may be chosen, in minor units. */
  readonly tier: number;
  readonly tiers: readonly number[];
  readonly list: "unknown" | "known" | "broken";
  readonly keysets: number;
  readonly crowd: number | null;
  readonly depositTiers: readonly bigint[];
  /** Null without a recovery phrase; then when the last backup was left, if one was. */
  readonly backup: { readonly lastAt: number | null } | null;
  /** Of the balance, what is exchanged for fresh coins before it is spent. */
  readonly exchanging: bigint;
  /** Of the balance, what is of a revoked keyset and issued anew before it is spent. */
  readonly revoked: bigint;
  /** Of that, what is issued anew only once the person says so. */
  readonly undecided: readonly Undecided[];
  /** Of that, what came without what shows its issue: only the operator can make up for it. */
  readonly stuck: bigint;
  /** Of the balance, what rests for some hours: change, and what came from others or was exchanged. */
  readonly resting: { readonly change: bigint; readonly received: bigint };
  /** The most that is handed to a person at once. */
  readonly passedMax: bigint;
  /** The most that may wait uncounted, taken without a network. */
  readonly heldMax: bigint;
  readonly handings: readonly HandingView[];
  readonly arrivals: readonly Arrival[];
  readonly held: readonly HeldView[];
}

/** E-cash of one revoked keyset that waits for its owner's word. */
export interface Undecided {
  readonly keyset: string;
  readonly amount: bigint;
  /** Until then it is issued anew at the least; null where there is no end. */
  readonly until: number | null;
}

/** E-cash that was handed over, as a screen shows it. */
export interface HandingView {
  readonly id: string;
  /** Null for a link. */
  readonly payee: { readonly handle: string; readonly name: string } | null;
  readonly amount: number;
  readonly stage: HandingStage;
  readonly text: string | null;
  readonly refundAt: number | null;
  readonly madeAt: number;
  readonly isByHand: boolean;
  /** Until then a payee without a network takes it; null where it is not for that. */
  readonly sureUntil: number | null;
}

/** E-cash that was taken without a network and is not counted yet. */
export type HeldView = Pick<Held, "id" | "stage" | "amount" | "at">;

export type PersonSeen =
  | { readonly kind: "person"; readonly handle: string; readonly name: string }
  | { readonly kind: "nobody" | "no-token" | "lost" };

export type Given =
  | { readonly kind: "given"; readonly id: string; readonly isDelivered: boolean }
  | { readonly kind: "refused"; readonly code: number }
  | {
      readonly kind: "too-much" | "too-little" | "no-token" | "other-keys" | "lost" | "nobody";
    };

export type TokenOffer =
  | { readonly kind: "token" | "held"; readonly amount: number }
  | Exclude<TokenSeen, { readonly kind: "token" | "held" }>;

export type Kept = Took | { readonly kind: "held"; readonly amount: number };

export type Posted = "nothing" | "arrived" | "lost" | "other-device" | "not-now";

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

/** `none`: the operator keeps no backup. `other-phrase`: the words do not open the one it keeps. */
export type Restored =
  | { readonly kind: "restored"; readonly amount: number }
  | { readonly kind: "no-phrase"; readonly slip: Slip }
  | { readonly kind: "other-phrase" | "none" | "lost" };

export type Filled =
  | "nothing"
  | "waiting"
  | "left"
  | "arrived"
  | "false-signatures"
  | "no-keyset"
  | "lost"
  | "refused"
  /** Refused, as the account has paid for one of another sum that is not signed yet. */
  | "debited"
  | "not-now";

/** What the page may ask of the purse. */
export interface Calls {
  /** With `true` the relay is gone around, until it is said otherwise; the person chose so. */
  goDirect(isDirect: boolean): Promise<void>;
  /** From the next request on the mint is reached this way. */
  setRelay(relay: RelayUse): Promise<void>;
  /** Twelve new words; told once, and kept nowhere. */
  newPhrase(): Promise<string>;
  /** The person has written the words down: backups are sealed for them from now on. */
  keepPhrase(phrase: string): Promise<boolean>;
  /** Whether the operator keeps a backup of this account; null where it is not known now. */
  hasBackup(token: string): Promise<boolean | null>;
  restore(token: string, phrase: string): Promise<Restored>;
  /** Exchanges coins whose hour has come, in an opening that is for nothing else. */
  tend(moment: OpenMoment): Promise<void>;
  /** The person has e-cash of these revoked keysets issued anew, which shows how it was issued. */
  issueAnew(keysets: readonly string[]): Promise<void>;
  /** Whether each receipt is what its merchant's key has signed, by the receipt's id. */
  verdicts(): Promise<Readonly<Record<string, Verdict>>>;
  open(opening: Opening): Promise<Summary>;
  resume(): Promise<void>;
  /** Whether the account may be asked for by itself: the named side sees who was there, and when. */
  mayAsk(moment: OpenMoment): Promise<boolean>;
  start(isStarted: boolean): Promise<void>;
  /** The person chooses the sum of each refill. */
  chooseTier(tier: number): Promise<void>;
  fill(token: string, moment: OpenMoment): Promise<Filled>;
  /** Fetches blind tokens where there are none. */
  getReady(token: string): Promise<void>;
  look(code: OrderCode): Promise<Offer>;
  /** The person goes away from what is looked at. */
  forget(): Promise<void>;
  pay(offer: string): Promise<Paid>;
  deposit(token: string, tier: number): Promise<Deposited>;
  /** Everything goes back to the account: it is being closed. */
  close(token: string): Promise<Deposited>;
  /** Asks for the refund of one payment now, because the person wants to know. */
  askRefund(receipt: string): Promise<Refunded>;
  receipts(): Promise<readonly Receipt[]>;
  /** Looks somebody up at the mint by handle, without a name. */
  lookUp(handle: string): Promise<PersonSeen>;
  /**
   * Hands e-cash to somebody who was looked up, or with null to whoever gets the link; by hand it is
   * locked to that person and left nowhere.
   */
  give(handle: string | null, amount: number, isByHand?: boolean): Promise<Given>;
  seeToken(text: string): Promise<TokenOffer>;
  takeToken(text: string): Promise<Took>;
  /** Keeps e-cash that was judged without a network until the mint can count it. */
  keepToken(text: string): Promise<Kept>;
  takeBack(id: string): Promise<Took>;
  askTaken(id: string): Promise<"taken" | "waiting" | "lost">;
  fetchMail(token: string, noteKey: string | null, moment: OpenMoment): Promise<Posted>;
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
  /** Another tab of this device has changed the purse: its receipts, too, may be others. */
  | { readonly kind: "changed-elsewhere"; readonly summary: Summary }
  | { readonly kind: "doubtful" }
  | { readonly kind: "relay"; readonly isGone: boolean }
  | { readonly kind: "relay-named"; readonly named: RelayNamed }
  | { readonly kind: "ended"; readonly outcome: Paid };

export interface Note {
  readonly note: News;
}
