/**
 * What the operator names as its relay.
 *
 * It is asked at the operator's own origin, without a token but from this device's address: close to
 * a payment that would join the two. So only an idle opening asks by itself, or the person does.
 */

import type { RelayNamed, RelayPlace } from "../rules/purse/relay.ts";
import { object, optional, origin, text } from "../wire/check.ts";
import { ask } from "../wire/http.ts";
import { fromBase64Url } from "../rules/note.ts";
import type { Fetch } from "./mint.ts";

const KEYS_TYPE = "application/ohttp-keys";
const relayFacts = object({ mint: origin, relay: optional(text), keys: text });

export class RelayFault extends Error {
  override readonly name = "RelayFault";
}

/** Null where it is not known now. No relay is asked but the one in use. */
export async function askRelay(used: RelayPlace | null, send: Fetch): Promise<RelayNamed | null> {
  const answer = await ask({ method: "GET", path: "/v1/relay-key", check: relayFacts });
  if (answer.kind !== "answered") return null;
  const { relay, mint, keys } = answer.value;
  const isUsed = relay !== null && relay === used?.relay;
  return { relay, mint, keys, isTold: isUsed && (await tells({ relay, mint, keys }, send)) };
}

async function tells(place: RelayPlace, send: Fetch): Promise<boolean> {
  const keys = fromBase64Url(place.keys);
  if (keys === null) return false;
  return compareKeys(doorOf(place), keys, send).then(
    () => true,
    () => false,
  );
}

/** The relay's address for one mint. */
export function doorOf({ relay, mint }: Pick<RelayPlace, "relay" | "mint">): string {
  return `${relay.replace(/\/+$/, "")}/${new URL(mint).host}`;
}

/**
 * An operator that gave each customer another key would know them by it; the relay tells the key
 * that it was told, which is the same for all who use it.
 */
export async function compareKeys(door: string, keys: Uint8Array, send: Fetch): Promise<void> {
  const response = await send(door, plain("GET", { Accept: KEYS_TYPE }, null));
  if (!response.ok) throw new RelayFault(`the relay answered ${response.status}`);
  const told = new Uint8Array(await response.arrayBuffer());
  if (told.length !== keys.length || told.some((byte, at) => byte !== keys[at]))
    throw new RelayFault("the relay knows another key of this mint");
}

/** A request that names nobody. */
export function plain(
  method: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | null | undefined,
): RequestInit {
  return {
    method,
    // The same language for everybody: the browser's own would tell people apart.
    headers: { "Accept-Language": "en", ...headers },
    cache: "no-store",
    credentials: "omit",
    mode: "cors",
    redirect: "error",
    referrerPolicy: "no-referrer",
    signal: signal ?? null,
  };
}
