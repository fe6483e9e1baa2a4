/** How an order stands for the merchant, and what of it can still be given back. */

import type { Order } from "../wire/shapes.ts";
import type { Money } from "./money.ts";

export type Standing = Order["status"] | "refunded" | "part-refunded";

/** Why an order that was scanned cannot be paid any more; null while it can. */
export function closedBecause(status: string | null): string | null {
  switch (status) {
    case "paid":
    case "authorised":
      return "order-already-paid";
    case "cancelled":
    case "voided":
      return "order-cancelled";
    case "expired":
      return "order-expired";
    default:
      return null;
  }
}

/** What the payer gave: of a hold only the part that was captured. */
export function taken(order: Order): Money {
  const captured = order.status === "paid" ? order.captured : null;
  return captured ?? order.paid ?? order.amount;
}

export function leftToRefund(order: Order): Money {
  const { currency } = order.amount;
  if (order.status !== "paid") return { currency, minor: 0n };
  return { currency, minor: taken(order).minor - (order.refunded?.minor ?? 0n) };
}

export function standing(order: Order): Standing {
  if (order.status !== "paid" || (order.refunded?.minor ?? 0n) === 0n) return order.status;
  return leftToRefund(order).minor > 0n ? "part-refunded" : "refunded";
}
