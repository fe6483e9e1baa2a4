/**
 * What this device remembers of the account it is signed in to, so that its purse opens without a
 * network: whose purse it is and of which mint. No balance, no payment, nothing that is worth money.
 */

import { settings } from "../device/store.ts";
import { type Checked, count, kept, object, optional, origin, text } from "../wire/check.ts";
import type { Account } from "../wire/shapes.ts";

const NAME = "known";

const purseKnown = object({ mint: origin, unit: text });
export type PurseKnown = Checked<typeof purseKnown>;

const known = object({
  account: text,
  handle: text,
  /** Public: to it messages and e-cash for this account are sealed. */
  noteKey: optional(text),
  /** When the operator was last heard, in milliseconds since 1970. */
  heardAt: count,
  purse: optional(purseKnown),
});
export type Known = Checked<typeof known>;

export function readKnown(): Known | null {
  return kept(known, settings.get(NAME));
}

const keep = (one: Known): void => settings.set(NAME, JSON.stringify(one));

export function learnAccount({ id, handle, note_key }: Account, heardAt: number): void {
  const before = readKnown();
  const purse = before?.account === id ? before.purse : null;
  keep({ account: id, handle, noteKey: note_key, heardAt, purse });
}

export function learnPurse(account: string, { mint, unit }: PurseKnown): void {
  const before = readKnown();
  if (before?.account === account) keep({ ...before, purse: { mint, unit } });
}

/** Another session begins, or this one ends: what is remembered is of no other account. */
export function forgetKnown(): void {
  settings.set(NAME, null);
}
