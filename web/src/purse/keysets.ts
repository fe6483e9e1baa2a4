/**
 * Checks of the mint's list of keysets.
 *
 * A mint that shows one person other keys than everybody else knows that person's e-cash again.
 * So the lists may only grow, each id must be the hash of its keys, and the hash of both lists, that
 * of e-cash and that of blind tokens, is compared with the one in merchants' codes.
 */

import { toHex } from "./bytes.ts";
import type { ListedKeyset } from "./model.ts";

/** The unit of blind tokens; their keysets stand in a list of their own (NUT-22). */
export const TOKEN_UNIT = "auth";

export type ListFault =
  "forgotten" | "changed" | "woken" | "repeated" | "two-active" | "none-active" | "id-unknown";

const ID_PATTERN = /^01[0-9a-f]{64}$/;

/** What is wrong with a new list, given the one seen before; null where nothing is. */
export function faultOf(
  seen: readonly ListedKeyset[],
  list: readonly ListedKeyset[],
  unit: string,
): ListFault | null {
  const byId = new Map(list.map((keyset) => [keyset.id, keyset]));
  if (byId.size !== list.length) return "repeated";
  for (const before of seen) {
    const now = byId.get(before.id);
    if (now === undefined) return "forgotten";
    if (!isSame(before, now)) return "changed";
    if (now.active && !before.active) return "woken";
  }
  const active = list.filter((keyset) => keyset.active);
  // Keysets of a version that comes later may stand in the list; this purse uses none of them.
  if (active.some((keyset) => keyset.unit === unit && !ID_PATTERN.test(keyset.id)))
    return "id-unknown";
  const activeUnits = active.map((keyset) => keyset.unit);
  if (new Set(activeUnits).size !== activeUnits.length) return "two-active";
  return activeUnits.includes(unit) ? null : "none-active";
}

function isSame(before: ListedKeyset, now: ListedKeyset): boolean {
  return (
    before.unit === now.unit &&
    before.input_fee_ppk === now.input_fee_ppk &&
    before.final_expiry === now.final_expiry &&
    // There is no way back from a revocation.
    (before.isRevoked !== true || now.isRevoked === true)
  );
}

/**
 * The hash of both lists as merchants' codes carry it: SHA-256, its first 16 bytes, in hexadecimal.
 *
 * Hashed is one line for each keyset, in the order of the ids: id, unit and expiry, with a colon
 * between and a line feed after; an expiry that is not there is empty.
 */
export async function listHash(
  list: readonly ListedKeyset[],
  tokens: readonly ListedKeyset[],
): Promise<string> {
  const lines = [...list, ...tokens]
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, unit, final_expiry }) => `${id}:${unit}:${final_expiry ?? ""}\n`);
  const bytes = new TextEncoder().encode(lines.join(""));
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).slice(0, 16));
}

/**
 * The ids that a code vouches for: of the first so many keysets of each list, whose hash it has.
 *
 * A code may be older than the newest keysets; null where it is of no beginning of these lists.
 */
export async function vouchedBy(
  hash: string,
  list: readonly ListedKeyset[],
  tokens: readonly ListedKeyset[],
): Promise<readonly string[] | null> {
  // A code without any keyset of tokens would say nothing of them, and so is good for none.
  const fewest = Math.min(tokens.length, 1);
  for (let some = tokens.length; some >= fewest; some -= 1) {
    for (let many = list.length; many >= 1; many -= 1) {
      const [begun, begunTokens] = [list.slice(0, many), tokens.slice(0, some)];
      if (hash === (await listHash(begun, begunTokens)))
        return [...begun, ...begunTokens].map(({ id }) => id);
    }
  }
  return null;
}

/** Whether e-cash of this keyset can only be issued anew. */
export function isRevoked(list: readonly ListedKeyset[], id: string): boolean {
  return list.some((keyset) => keyset.id === id && keyset.isRevoked === true && !keyset.active);
}

export function activeOf(list: readonly ListedKeyset[], unit: string): ListedKeyset | null {
  return list.find((keyset) => keyset.active && keyset.unit === unit) ?? null;
}
