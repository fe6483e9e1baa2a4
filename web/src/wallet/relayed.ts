/**
 * Whether this device reaches the mint through a relay.
 *
 * It does where the operator names one, until the person turns it off. A device that has used a
 * relay never goes without one by itself: an operator that names none any more is asked about.
 */

import { settings } from "../device/store.ts";
import type { RelayUse } from "../purse/relay.ts";
import { object, optional, text } from "../wire/check.ts";
import { ask } from "../wire/http.ts";

const NAME = "relay";
const relayFacts = object({ relay: optional(text) });
/** For browsers that keep no settings. */
let isNamed = false;

export function relayUse(): RelayUse {
  if (settings.get(NAME) === "off") return "never";
  return isRelayed() ? "always" : "named";
}

export function isRelayed(): boolean {
  const kept = settings.get(NAME);
  return kept === "on" || (kept !== "off" && isNamed);
}

export function setRelayed(isOn: boolean): void {
  settings.set(NAME, isOn ? "on" : "off");
}

/** Asks the operator for its relay, without a token; null where it names none, or is not there. */
export async function findRelay(): Promise<string | null> {
  const answer = await ask({ method: "GET", path: "/v1/relay-key", check: relayFacts });
  const relay = answer.kind === "answered" ? answer.value.relay : null;
  isNamed = relay !== null;
  if (isNamed && settings.get(NAME) === null) setRelayed(true);
  return relay;
}
