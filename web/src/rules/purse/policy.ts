/** The purse's habits as the wallet reads them: the one file that mint and town read too. */

import shipped from "../../../../src/amana/purse/policy/policy.json" with { type: "json" };

export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Policy {
  readonly version: number;
  readonly scale: Readonly<Record<string, number>>;
  readonly denomination_exponent_max: number;
  readonly refill: {
    readonly tiers: readonly number[];
    readonly default_tier: number;
    readonly first_at_once: boolean;
    readonly low_water: number;
    readonly low_water_days: number;
    readonly urgent_water: number;
    readonly urgent_water_days: number;
    readonly young_days: number;
    readonly young_low_water: number;
    readonly young_urgent_water: number;
    readonly tier_days: number;
    readonly outputs: number;
    readonly ladder_exponent_max: number;
    readonly signing_delay_hours: Span;
    readonly idle_seconds: number;
    readonly quiet_minutes: number;
  };
  readonly spend: {
    readonly proofs_max: number;
    readonly blanks: number;
    readonly change_rest_minutes: Span;
  };
  readonly refresh: { readonly window_days: number; readonly margin_days: number };
  readonly backup: { readonly bytes: number; readonly slot_days: number };
  readonly blind_tokens: {
    readonly per_fetch: number;
    readonly low_mark: number;
    readonly urgent_mark: number;
  };
  readonly restore: { readonly exchange_minutes: Span; readonly at_once: number };
  readonly refund_ask_hours: Span;
  readonly offline: { readonly held_max: number; readonly lock_days_min: number };
  readonly deposit: { readonly tiers: readonly number[]; readonly delay_hours: Span };
}

export const POLICY: Policy = shipped;

/** Instants are whole seconds since 1970. */
export type Seconds = number;

export const MINUTE = 60;
export const HOUR = 3_600;
export const DAY = 86_400;

/** An amount of the file in minor units of a currency with so many digits after the point. */
export function scaled(policy: Policy, amount: number, exponent: number): bigint {
  const scale = policy.scale[exponent.toString()];
  if (scale === undefined) throw new RangeError("no purse holds this currency");
  return BigInt(amount * scale);
}

const DRAW_BYTES = 8;

/** A whole number of the span, each alike, from eight random bytes. */
export function drawn(span: Span, random: Uint8Array): number {
  if (random.length !== DRAW_BYTES) throw new RangeError("a draw takes eight bytes");
  const value = new DataView(random.buffer, random.byteOffset, DRAW_BYTES).getBigUint64(0);
  const count = BigInt(span.to - span.from + 1);
  return span.from + Number((value * count) >> 64n);
}
