/**
 * Whether this device reaches the mint through a relay, and which.
 *
 * It does where the operator names one, until the person turns it off. Address and key are kept here:
 * they are public. A device that knows a relay never goes without it, or by another, by itself.
 */

import { settings } from "../device/store.ts";
import { askRelay } from "../purse/relay-named.ts";
import {
  type KnownRelay,
  type RelayNamed,
  type RelayUse,
  relayUseOf,
  withAnswer,
  withNamed,
} from "../rules/purse/relay.ts";
import { kept, object, optional, origin, text } from "../wire/check.ts";

const CHOICE = "relay";
const KNOWN = "relay.known";
const place = object({ relay: text, mint: origin, keys: text });
const knownRelay = object({
  place: optional(place),
  offered: optional(place),
  declined: optional(text),
});
/** For browsers that keep no settings. */
let known: KnownRelay | null = null;

const read = (): KnownRelay | null => kept(knownRelay, settings.get(KNOWN)) ?? known;

function keep(next: KnownRelay): void {
  known = next;
  settings.set(KNOWN, JSON.stringify(next));
}

export function relayUse(): RelayUse {
  return relayUseOf(settings.get(CHOICE), read());
}

/** Also while it is not known yet whether there is a relay: nothing goes without one until then. */
export function isThroughRelay(use: RelayUse): boolean {
  return use !== "off" && use !== "none";
}

export function setRelayed(isOn: boolean): void {
  settings.set(CHOICE, isOn ? "on" : "off");
}

/** What the screens say of it: hosts, where there are any. */
export interface RelayView {
  readonly use: RelayUse;
  readonly kept: string | null;
  readonly offered: string | null;
}

export function relayView(): RelayView {
  const now = read();
  const host = (one: { relay: string } | null | undefined): string | null =>
    one == null ? null : (URL.parse(one.relay)?.host ?? one.relay);
  return { use: relayUse(), kept: host(now?.place), offered: host(now?.offered) };
}

export function hearRelay(named: RelayNamed): void {
  keep(withNamed(read(), named));
}

export function answerOffer(isTaken: boolean): void {
  const now = read();
  if (now !== null) keep(withAnswer(now, isTaken));
}

/**
 * Asks the operator now: because the person wants it, who may then have turned down what is named,
 * or while there is no purse whose payments it could be laid beside. False where it is not there.
 */
export async function findRelay(): Promise<boolean> {
  const named = await askRelay(read()?.place ?? null, fetch.bind(globalThis));
  if (named === null) return false;
  const now = read();
  keep(withNamed(now === null ? null : { ...now, declined: null }, named));
  return true;
}
