/** How an order stands for the merchant, and what of it can still be given back. */

import type { Order } from "../wire/shapes.ts";
import type { Money } from "./money.ts";

export type Standing = Order["status"] | "refunded" | "part-refunded";

export function leftToRefund(order: Order): Money {
  const { currency } = order.amount;
  if (order.status !== "paid") return { currency, minor: 0n };
  const paid = order.paid ?? order.amount;
  return { currency, minor: paid.minor - (order.refunded?.minor ?? 0n) };
}

export function standing(order: Order): Standing {
  if (order.status !== "paid" || (order.refunded?.minor ?? 0n) === 0n) return order.status;
  return leftToRefund(order).minor > 0n ? "part-refunded" : "refunded";
}
