/** Why the mint refused, in the words of which text. */

import { NOT_SENT, OTHER_PRICE } from "../purse/talk.ts";
import type { Key } from "../text/en.ts";

/** The mint's code for what it cannot pay. */
export const NOT_FOR_MERCHANTS = 20004;

/** The codes that a person can do something about. */
const REFUSALS: Readonly<Record<number, Key>> = {
  // A coin that was good is called false where its key was revoked; the purse has read the list since.
  10001: "purse.refused.coins",
  11001: "purse.refused.spent",
  // Likewise: the purse pays by the list the next time.
  12002: "purse.refused.keys",
  [NOT_FOR_MERCHANTS]: "purse.refused.account",
  20005: "problem.order-in-progress",
  20006: "problem.order-already-paid",
  20007: "problem.order-expired",
  [OTHER_PRICE]: "purse.other-price",
  [NOT_SENT]: "purse.looked.busy",
};

/** Those of the order or the e-cash: paying from the account helps with none of them. */
const FINAL: readonly number[] = [11001, 20005, 20006, 20007];

export function isFinal(code: number): boolean {
  return FINAL.includes(code);
}

export function refusalKey(code: number): Key {
  return REFUSALS[code] ?? "purse.refused";
}
