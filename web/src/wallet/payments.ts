/** How a payment is named and signed in lists and on its own screen. */

import { totalOf } from "../rules/intent.ts";
import { type Money, formatMoney } from "../rules/money.ts";
import { nameFor } from "../rules/names.ts";
import { t } from "../text/language.svelte.ts";
import type { IconName } from "../ui/Icon.svelte";
import type { Payment } from "../wire/shapes.ts";

export function partyOf(payment: Payment, language: string): string {
  // Nobody paid for a top-up, and the wallet's owner is no news to its owner.
  if (payment.kind === "topup") return t("kind.topup");
  if (payment.direction === "out") return nameFor(payment.payee, language);
  if (payment.payer !== null) return nameFor(payment.payer, language);
  return nameFor(payment.payee, language);
}

export function totalPaid(payment: Payment): Money {
  return payment.captured ?? totalOf(payment.amount, payment.tip);
}

export function amountShown(payment: Payment, locale: string): string {
  return formatMoney(totalPaid(payment), locale, payment.direction === "in" ? "plus" : "auto");
}

export function iconOf(payment: Payment): IconName {
  switch (payment.kind) {
    case "refund":
      return "undo";
    case "topup":
      return "plus";
    case "purchase":
    case "person":
    case "credit":
      return payment.direction === "in" ? "in" : "out";
  }
}
