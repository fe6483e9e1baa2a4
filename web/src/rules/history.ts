/** History as a person reads it: by day, with refunds standing beside what they refund. */

import type { Payment } from "../wire/shapes.ts";

export interface Entry {
  readonly payment: Payment;
  readonly refunds: readonly Payment[];
}

export interface Day {
  readonly date: string;
  readonly entries: readonly Entry[];
}

/** A refund whose payment is on the page goes with it; one whose payment is not stands alone. */
export function entriesOf(payments: readonly Payment[]): Entry[] {
  const present = new Set(payments.map((payment) => payment.id));
  const refundsOf = Map.groupBy(
    payments.filter((payment) => payment.refund_of !== null && present.has(payment.refund_of)),
    (payment) => payment.refund_of,
  );
  return payments
    .filter((payment) => payment.refund_of === null || !present.has(payment.refund_of))
    .map((payment) => ({ payment, refunds: refundsOf.get(payment.id) ?? [] }));
}

/** `dayOf` gives the local date, since a day is what the reader's clock says. */
export function byDay(entries: readonly Entry[], dayOf: (instant: Date) => string): Day[] {
  const days = Map.groupBy(entries, (entry) => dayOf(entry.payment.created_at));
  return [...days].map(([date, group]) => ({ date, entries: group }));
}

/** Later pages may repeat what a live update already brought; the newest reading wins. */
export function mergePages(known: readonly Payment[], read: readonly Payment[]): Payment[] {
  const byId = new Map([...known, ...read].map((payment) => [payment.id, payment]));
  return [...byId.values()].toSorted(
    (a, b) => b.created_at.getTime() - a.created_at.getTime() || (a.id < b.id ? 1 : -1),
  );
}

/** Whether the account has paid for the refill that was made then, so that it waits to be fetched. */
export function isDebited(
  refill: { readonly amount: bigint; readonly madeAt: number | null },
  payments: readonly Payment[],
): boolean {
  const { amount, madeAt } = refill;
  if (madeAt === null) return false;
  return payments.some(
    (one) =>
      one.kind === "refill" &&
      one.status === "paid" &&
      one.amount.minor === amount &&
      one.created_at.getTime() >= madeAt * 1000,
  );
}
