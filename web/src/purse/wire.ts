/** What the mint answers, each shape with its check; the names are those of the specifications. */

import {
  type Check,
  type Checked,
  Malformed,
  count,
  flag,
  list,
  mapOf,
  object,
  oneOf,
  optional,
  origin,
  text,
} from "../wire/check.ts";
import type { Keys, Signature } from "./model.ts";

function hexOf(characters: number): Check<string> {
  const pattern = new RegExp(`^[0-9a-f]{${characters}}$`);
  return (value, path) => {
    const found = text(value, path);
    if (!pattern.test(found)) throw new Malformed(path, `${characters} hexadecimal digits`);
    return found;
  };
}

const point = hexOf(66);
const scalar = hexOf(64);

/** Amounts are numbers in these specifications; below 2^53, and none is negative. */
export const wholeAmount: Check<number> = (value, path) => {
  const amount = count(value, path);
  if (amount < 0) throw new Malformed(path, "an amount");
  return amount;
};

export const keysetList = object({
  keysets: list(
    object({
      id: text,
      unit: text,
      active: flag,
      input_fee_ppk: optional(wholeAmount),
      final_expiry: optional(wholeAmount),
      revoked: optional(flag),
    }),
  ),
});

const keysByAmount: Check<Keys> = mapOf(point);

export const keysAnswer = object({
  keysets: list(object({ id: text, unit: text, keys: keysByAmount })),
});

/** One without its DLEQ is read, so that what it belongs to is known, and then refused. */
export const signature: Check<Signature> = object({
  id: text,
  amount: wholeAmount,
  C_: point,
  dleq: optional(object({ e: scalar, s: scalar })),
});

const payee = object({ name: text, names: optional(mapOf(text)) });

/** Kept as it came: what a merchant signed is judged by whoever it is shown to. */
const asItCame: Check<string> = (value) =>
  typeof value === "string" ? value : JSON.stringify(value);

/** How a redemption stands. Only what decides about money is checked strictly. */
const redemption = {
  quote: text,
  state: oneOf("UNPAID", "PENDING", "PAID"),
  receipt: optional(asItCame),
  change: optional(list(signature)),
};

export const redeemed = object(redemption);
export type Redeemed = Checked<typeof redeemed>;

export const redeemQuote = object({
  ...redemption,
  amount: wholeAmount,
  fee_reserve: optional(wholeAmount),
  payee: optional(payee),
  reference: optional(text),
  tip_asked: optional(flag),
});
export type RedeemQuote = Checked<typeof redeemQuote>;

export const issueQuote = object({
  quote: text,
  amount_paid: wholeAmount,
  amount_issued: wholeAmount,
});

export const issued = object({ signatures: list(signature) });

export const proofStates = object({
  states: list(object({ Y: point, state: oneOf("UNSPENT", "PENDING", "SPENT") })),
});

export const restored = object({
  outputs: list(object({ B_: point })),
  signatures: list(signature),
});
export type Restored = Checked<typeof restored>;

/** To which keys e-cash for a handle is locked and sealed. */
export const person = object({ handle: text, name: text, purse_key: point, note_key: scalar });

export const delivered = object({ id: text });

export const mintFault = object({ detail: optional(text), code: optional(count) });

/** The named side: what the operator says of this account's purse. */
export const purseFacts = object({
  mint: origin,
  unit: text,
  crowd: optional(wholeAmount),
  refill: optional(object({ state: oneOf("waiting", "signed") })),
});
export type PurseFacts = Checked<typeof purseFacts>;

export const refillAnswer = object({
  state: oneOf("none", "waiting", "signed"),
  signatures: optional(list(signature)),
});
export type RefillAnswer = Checked<typeof refillAnswer>;

export const depositAnswer = object({ request: text });

export const backupAnswer = object({ sealed: optional(text) });

export const letters = object({ items: list(object({ id: hexOf(32), sealed: text })) });
