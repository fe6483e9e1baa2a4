/** What the checkout's own origin answers. */

import {
  type Checked,
  flag,
  instant,
  mapOf,
  object,
  oneOf,
  optional,
  text,
} from "../wire/check.ts";
import { money } from "../wire/shapes.ts";

const payee = object({ handle: text, name: text, names: mapOf(text) });

export const lookedOrder = object({
  id: text,
  status: oneOf("open", "authorised", "paid", "cancelled", "voided", "expired"),
  pending: flag,
  amount: money,
  reference: optional(text),
  payee,
  purse: flag,
  code: optional(text),
  cashu_request: optional(text),
  wallet: text,
  operator: text,
  play_money: flag,
  expires_at: instant,
});
export type LookedOrder = Checked<typeof lookedOrder>;

export const lookedPlace = object({ wallet: text, operator: text, play_money: flag });
export type LookedPlace = Checked<typeof lookedPlace>;

export const lookedLink = object({
  payee,
  currency: text,
  amount: optional(money),
  reference: optional(text),
  operator: text,
  play_money: flag,
});
export type LookedLink = Checked<typeof lookedLink>;
