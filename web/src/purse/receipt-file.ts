/** A receipt as a file: what a person shows to the merchant, to the operator, or to whoever decides. */

import { receiptFrom } from "../rules/receipt.ts";
import type { Receipt } from "./model.ts";

export interface ReceiptFile {
  readonly name: string;
  readonly text: string;
}

/** The order's own number; a code without an order names the merchant until the receipt names it. */
export function orderOf({ signed, request }: Receipt): string {
  return (signed === null ? null : receiptFrom(signed)?.["order"]) ?? request;
}

export function referenceOf({ signed }: Receipt): string | null {
  const reference = signed === null ? null : receiptFrom(signed)?.["reference"];
  return reference == null || reference === "" ? null : reference;
}

/** What of the amount is a tip, in minor units; 0 where the receipt names none. */
export function tipOf({ signed }: Receipt): number {
  const tip = signed === null ? null : receiptFrom(signed)?.["tip"];
  return tip != null && /^\d{1,15}$/.test(tip) ? Number(tip) : 0;
}

/**
 * The payment as this device knows it, and the signed receipt as it came.
 *
 * The one-time key goes along only where it is asked for: whoever has it can fetch the refund.
 */
export function receiptFile(receipt: Receipt, isWithKey: boolean): ReceiptFile {
  const { payee, amount, unit, paidAt, signed, refundKey } = receipt;
  const order = orderOf(receipt);
  const file = {
    type: "amana-payment-v1",
    payee: payee?.name ?? null,
    payee_names: payee?.names ?? {},
    amount: amount.toString(),
    currency: unit.toUpperCase(),
    paid_at: new Date(paidAt * 1000).toISOString(),
    order,
    reference: referenceOf(receipt),
    receipt: signed === null ? null : (receiptFrom(signed) ?? signed),
    ...(isWithKey && refundKey !== null ? { one_time_key: refundKey } : {}),
  };
  const safe = order.replace(/[^A-Za-z0-9_-]/g, "");
  return { name: `receipt-${safe}.json`, text: `${JSON.stringify(file, null, 2)}\n` };
}
