/**
 * Which relay the wallet uses: it stays with the one that it knows until its owner agrees to another.
 *
 * An operator that named a relay of its own to one customer would see that customer's address with
 * each payment. So the first relay that is named is kept, and no other takes its place by itself.
 */

/** A relay, and the key of a mint: `application/ohttp-keys` in base64url. All of it is public. */
export interface RelayPlace {
  readonly relay: string;
  readonly mint: string;
  readonly keys: string;
}

/** What the device keeps of relays, once the operator was heard about them. */
export interface KnownRelay {
  /** The one that is used. */
  readonly place: RelayPlace | null;
  /** The one that the operator names since; its owner has not answered yet. */
  readonly offered: RelayPlace | null;
  /** The address of the one that its owner did not want. */
  readonly declined: string | null;
}

const NOTHING: KnownRelay = { place: null, offered: null, declined: null };

/** What the operator names; `isTold`: the relay in use tells that key to everybody, too. */
export interface RelayNamed {
  readonly relay: string | null;
  readonly mint: string;
  readonly keys: string;
  readonly isTold: boolean;
}

/**
 * How the mint is reached: through a relay; directly, because its owner said so (`off`) or because
 * the operator names none (`none`); or in no way until the relay is known.
 */
export type RelayUse = RelayPlace | "off" | "none" | "unknown";

export function relayUseOf(choice: string | null, known: KnownRelay | null): RelayUse {
  if (choice === "off") return "off";
  if (known !== null && known.place !== null) return known.place;
  return known === null || choice === "on" ? "unknown" : "none";
}

/** What the device keeps after the operator was heard. */
export function withNamed(known: KnownRelay | null, named: RelayNamed): KnownRelay {
  const { place, declined } = known ?? NOTHING;
  const { relay, mint, keys, isTold } = named;
  if (relay === null) return { place, offered: null, declined };
  const next = { relay, mint, keys };
  if (place === null) return { place: next, offered: null, declined };
  // A key that the relay does not tell may have been made for this customer alone.
  if (place.relay === relay) return { place: isTold ? next : place, offered: null, declined };
  return { place, offered: relay === declined ? null : next, declined };
}

/** What the device keeps after its owner has answered; the same is not asked again. */
export function withAnswer(known: KnownRelay, isTaken: boolean): KnownRelay {
  const { place, offered } = known;
  if (offered === null) return known;
  return isTaken
    ? { place: offered, offered: null, declined: null }
    : { place, offered: null, declined: offered.relay };
}
