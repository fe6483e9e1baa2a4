/** What the purse keeps of e-cash between people: what was handed over, and what is being taken. */

import type { Seconds } from "../rules/purse/policy.ts";
import type { Coin, Output, Token } from "./model.ts";

/** A proof on its way from one person to another, plain or locked to a blinded key (NUT-28). */
export interface Passed {
  readonly keyset: string;
  readonly amount: number;
  readonly secret: string;
  readonly C: string;
  /** The key of one time with which the lock was blinded; null where nothing is locked. */
  readonly ephemeral: string | null;
}

/** By these numbers whoever has a proof sees that the mint's key signed it (NUT-12). */
export interface Dleq {
  readonly e: string;
  readonly s: string;
  /** What the output was blinded with. It leaves a purse in a token handed over by codes alone. */
  readonly r: string;
}

/** An output of a swap; one with `ephemeral` is locked to somebody, one with `isPassed` leaves. */
export interface SwapOutput extends Output {
  readonly ephemeral: string | null;
  readonly isPassed: boolean;
}

/** Who a handle belongs to, and the keys by which e-cash is locked and sealed for them. */
export interface Person {
  readonly handle: string;
  readonly name: string;
  readonly purseKey: string;
  readonly noteKey: string;
}

/**
 * `swapping`: the mint was asked, and the end is not known. `ready`: the token is there, and for a
 * person not delivered yet. `delivered`: it waits for the payee. `taken`: somebody has banked it.
 * `back`: it was taken back.
 */
export type HandingStage = "swapping" | "ready" | "delivered" | "taken" | "back";

/** E-cash that was handed over, by handle or by link. Stored before its swap is sent. */
export interface Handing {
  /** 32 hexadecimal digits; the letter in the mailbox has the same. */
  readonly id: string;
  readonly person: Person | null;
  readonly amount: number;
  readonly inputs: readonly Coin[];
  readonly outputs: readonly SwapOutput[];
  readonly swapToken: Token | null;
  readonly mailToken: Token | null;
  readonly stage: HandingStage;
  readonly proofs: readonly Passed[];
  /** The token as text, once there is one. */
  readonly text: string | null;
  /** The same, as only the payee can open it. */
  readonly sealed: string | null;
  /** With this key it comes back after `refundAt`; null where it is locked to nobody. */
  readonly refundKey: string | null;
  readonly refundAt: Seconds | null;
  readonly madeAt: Seconds;
  /** Shown as codes, for a payee who may have no network: nothing is left at the mint. */
  readonly isByHand?: boolean;
}

export type Source = "mail" | "link" | "back" | "hand";
/** A refund has the id of the receipt it belongs to. */
export type ArrivalSource = Source | "refund";

export interface TakenProof extends Passed {
  readonly witness: string | null;
}

/** E-cash that is being swapped to fresh secrets of this purse. Stored before it is sent. */
export interface Taking {
  /** That of the letter, or of what was handed over and comes back. */
  readonly id: string;
  readonly source: Source;
  readonly inputs: readonly TakenProof[];
  readonly outputs: readonly SwapOutput[];
  readonly token: Token | null;
  /** Once it is tried in parts; `inputs` are then those of one part. */
  readonly parted?: Parted;
}

/** What came of the parts that were tried, and what is still to be tried. */
export interface Parted {
  readonly gained: number;
  /** Spent by somebody else, or refused by the mint singly. */
  readonly lost: readonly TakenProof[];
  /** Not tried to the end: it stays where it was, and may be taken another time. */
  readonly left: readonly TakenProof[];
  readonly rest: readonly (readonly TakenProof[])[];
}

export interface Arrival {
  readonly id: string;
  readonly source: ArrivalSource;
  readonly amount: number;
  readonly at: Seconds;
}

/**
 * E-cash that was taken without a network: judged here, and counted by the mint later.
 *
 * `lost`: it was spent before it came to be counted, or the mint refused it by itself.
 */
export interface Held {
  readonly id: string;
  readonly stage: "held" | "lost";
  readonly amount: number;
  readonly inputs: readonly TakenProof[];
  readonly until: Seconds;
  readonly at: Seconds;
}

/** Locked e-cash that this purse has taken, so that nobody shows it a second time. */
export interface Met {
  readonly C: string;
  /** The end of its lock; after that nobody takes it without a network anyway. */
  readonly until: Seconds;
}

export interface PeopleState {
  /** The key to which others lock e-cash for this purse; made when it is first published. */
  readonly key: string | null;
  /** Those of devices whose purse was taken over; without a network nothing is judged by them. */
  readonly olderKeys?: readonly string[];
  readonly handings: readonly Handing[];
  readonly takings: readonly Taking[];
  readonly arrivals: readonly Arrival[];
  /** Letters that are dealt with and still to be dropped from the mailbox. */
  readonly letters: readonly string[];
  /** Absent in what an older release kept, like `met`. */
  readonly held?: readonly Held[];
  readonly met?: readonly Met[];
}

export function nobody(): PeopleState {
  return { key: null, handings: [], takings: [], arrivals: [], letters: [], held: [], met: [] };
}
