/** A payment from the purse in words: why it is private, why it was refused. */

import type { Slip } from "../purse/phrase.ts";
import type { Offer } from "../purse/talk.ts";
import type { OwnCode } from "../rules/code.ts";
import { language, t } from "../text/language.svelte.ts";
import { NOT_FOR_MERCHANTS, isFinal, refusalKey } from "./refusals.ts";

/** Below it the sentence says plainly that so few people hide nobody well. */
const CROWD_SMALL = 100;

export function crowdText(crowd: number | null): string {
  if (crowd === null) return t("purse.crowd.unknown");
  const number = new Intl.NumberFormat(language()).format(crowd);
  return t(crowd < CROWD_SMALL ? "purse.crowd.small" : "purse.crowd", { number });
}

export function refusalText(code: number): string {
  return t(refusalKey(code));
}

/** Why the purse does not pay this, or null where it does. */
export function hindrance(offer: Offer): string | null {
  switch (offer.kind) {
    case "offer":
      return offer.covers ? null : t("purse.too-small");
    case "refused":
      return refusalText(offer.code);
    case "other-keys":
      return t("purse.other-keys");
    case "no-token":
      return t("purse.no-token");
    case "lost":
      return t("purse.lost");
  }
}

/** Which of the typed words are wrong, by their numbers on paper; what can be told of it. */
export function slipText(slip: Slip): string {
  const number = (count: number): string => new Intl.NumberFormat(language()).format(count);
  if (slip.kind === "order") return t("restore.slip.order");
  if (slip.kind === "count") return t("restore.slip.count", { number: number(slip.count) });
  const words = slip.at.map((one) =>
    t("restore.slip.word", { number: number(one.number), word: one.word }),
  );
  return t("restore.slip.words", { words: new Intl.ListFormat(language()).format(words) });
}

/** Whether a code without an order is no merchant's: a person is paid in another way. */
export function isForPerson({ order }: OwnCode, offer: Offer): boolean {
  return order === null && offer.kind === "refused" && offer.code === NOT_FOR_MERCHANTS;
}

/** Whether the account could still pay what the purse does not. */
export function mayPayNamed(offer: Offer): boolean {
  return offer.kind !== "refused" || !isFinal(offer.code);
}
