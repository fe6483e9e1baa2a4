/** What the operator's API answers, each shape with its check. */

import {
  type Checked,
  count,
  currencyCode,
  flag,
  instant,
  list,
  mapOf,
  minorUnits,
  object,
  oneOf,
  optional,
  text,
} from "./check.ts";

export const money = object({ currency: currencyCode, minor: minorUnits });
export type Money = Checked<typeof money>;

export const health = object({
  version: text,
  currency: currencyCode,
  operator: text,
  play_money: flag,
  checkout: text,
});
export type Health = Checked<typeof health>;

export const session = object({
  token: text,
  customer: object({ id: text, handle: text }),
});

/** WebAuthn options go to the browser's own parser as they came. */
export const ceremony = object({ ceremony: text, options: mapOf((value: unknown) => value) });

export const account = object({
  id: text,
  handle: text,
  display_name: text,
  language: text,
  balance: money,
  available: money,
  held: money,
  limits: object({ payment: money, day: money, day_left: money, holding: money }),
  note_key: optional(text),
});
export type Account = Checked<typeof account>;

const kindOfParty = oneOf("merchant", "person");
const names = optional(mapOf(text));

export const payee = object({
  handle: text,
  kind: kindOfParty,
  name: text,
  names,
  note_key: optional(text),
});

export const codeReading = object({
  kind: oneOf("order", "static", "foreign"),
  scheme: optional(text),
  payee: optional(object({ handle: text, kind: kindOfParty, name: text, names })),
  amount: optional(money),
  tip: optional(oneOf("none", "prompt", "fixed", "percent")),
  tip_amount: optional(money),
  tip_percent: optional(text),
  order_id: optional(text),
  reference: optional(text),
  expires_at: optional(instant),
  status: optional(text),
  capture: optional(oneOf("automatic", "manual")),
});
export type CodeReading = Checked<typeof codeReading>;

export const paymentStatus = oneOf("pending", "authorised", "paid", "refused", "voided", "expired");
const paymentKind = oneOf(
  "purchase",
  "person",
  "topup",
  "refund",
  "credit",
  "purse",
  "refill",
  "deposit",
);

/** The answer to a payment made now. */
export const concluded = object({
  id: text,
  kind: paymentKind,
  status: paymentStatus,
  amount: money,
  tip: optional(money),
  fee: money,
  order_id: optional(text),
  created_at: instant,
});
export type Concluded = Checked<typeof concluded>;

export const payment = object({
  id: text,
  kind: paymentKind,
  status: paymentStatus,
  direction: oneOf("in", "out"),
  amount: money,
  tip: optional(money),
  fee: money,
  // Nobody where money moves between a person's own account and purse.
  payee: optional(object({ handle: text, kind: kindOfParty, name: optional(text), names })),
  payer: optional(object({ handle: text, name: optional(text), names })),
  order_id: optional(text),
  captured: optional(money),
  refunded: optional(money),
  refund_of: optional(text),
  reference: optional(text),
  sealed_note: optional(text),
  receipt_note: optional(text),
  note_key: optional(text),
  reason: optional(text),
  created_at: instant,
  concluded_at: optional(instant),
});
export type Payment = Checked<typeof payment>;

export const payments = object({ items: list(payment), next: optional(text) });

export const event = object({
  number: count,
  kind: text,
  payment_id: optional(text),
  order_id: optional(text),
});
export type Event = Checked<typeof event>;

const till = object({ id: text, name: text, static_code: text });
export type Till = Checked<typeof till>;

export const merchant = object({
  id: text,
  handle: text,
  name: text,
  names,
  city: text,
  balance: money,
  fee_basis_points: count,
  sites: list(object({ id: text, name: text, tills: list(till) })),
  today: object({ count, gross: money, refunded: money, fees: money, net: money }),
});
export type Merchant = Checked<typeof merchant>;

const orderStatus = oneOf("open", "authorised", "paid", "cancelled", "voided", "expired");

export const order = object({
  id: text,
  status: orderStatus,
  pending: optional(flag),
  amount: money,
  reference: optional(text),
  basket_hash: optional(text),
  till: optional(text),
  code: optional(text),
  cashu_request: optional(text),
  expires_at: optional(instant),
  created_at: instant,
  paid: optional(money),
  tip_paid: optional(money),
  captured: optional(money),
  fee: optional(money),
  net: optional(money),
  refunded: optional(money),
  refundable: optional(flag),
  refunds: optional(list(object({ id: text, status: text, amount: money, created_at: instant }))),
  note_key: optional(text),
  concluded_at: optional(instant),
});
export type Order = Checked<typeof order>;

export const orders = object({ items: list(order), next: optional(text) });

export const refund = object({ id: text, status: text, amount: money, fee_returned: money });

export const problem = object({
  type: text,
  title: text,
  detail: optional(text),
  retry_with_same_id: optional(flag),
  scheme: optional(text),
  errors: optional(list(object({ field: text, message: text }))),
});
