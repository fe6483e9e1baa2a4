/** How a payment is named and signed in lists and on its own screen. */

import { totalOf } from "../rules/intent.ts";
import { type Money, formatMoney } from "../rules/money.ts";
import { nameFor } from "../rules/names.ts";
import { t } from "../text/language.svelte.ts";
import type { IconName } from "../ui/Icon.svelte";
import type { Payment } from "../wire/shapes.ts";

export function partyOf(payment: Payment, language: string): string {
  // Nobody paid for a top-up, and the wallet's owner is no news to its owner.
  if (isOwnMoney(payment)) return t(`kind.${payment.kind}`);
  const other = payment.direction === "out" ? payment.payee : (payment.payer ?? payment.payee);
  return other === null ? t(`kind.${payment.kind}`) : nameFor(other, language);
}

/** Money that only changed its place, between the bank, the account and the purse. */
export function isOwnMoney({ kind }: Payment): boolean {
  return kind === "topup" || kind === "refill" || kind === "deposit";
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
    case "purse":
    case "refill":
    case "deposit":
      return payment.direction === "in" ? "in" : "out";
  }
}
