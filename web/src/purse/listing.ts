/** Fetching the mint's list of keysets and the keys, and refusing what contradicts them. */

import type { Checked } from "../wire/check.ts";
import type { Book } from "./book.ts";
import { isIdOf } from "./curve.ts";
import { type ListFault, TOKEN_UNIT, activeOf, faultOf, vouchedBy } from "./keysets.ts";
import type { Mint } from "./mint.ts";
import type { ListedKeyset, PurseState } from "./model.ts";
import type { keysetList } from "./wire.ts";

export type Listing =
  | { readonly kind: "known"; readonly active: ListedKeyset }
  | { readonly kind: "lost" }
  | { readonly kind: "broken"; readonly fault: ListFault | "false-keys" };

/** Reads the list anew. A list that contradicts the one before is kept out, for good. */
export async function readList(book: Book, mint: Mint): Promise<Listing> {
  const answer = await mint.keysets();
  if (answer.kind !== "answered") return { kind: "lost" };
  const { unit } = book.state;
  const list = answer.value.keysets.map(listed);
  const fault = faultOf((await book.read()).keysets, list, unit);
  if (fault !== null) return broken(book, fault);
  const active = activeOf(list, unit);
  if (active === null) return broken(book, "none-active");
  const needed = list.filter((keyset) => keyset.unit === unit && isUsed(book.state, keyset));
  for (const keyset of needed) {
    const found = await fetchKeys(book, mint, keyset);
    if (found === "lost") return { kind: "lost" };
    if (found === "false") return broken(book, "false-keys");
  }
  await book.change((state) => ({ ...state, keysets: list, isListBroken: false }));
  return { kind: "known", active };
}

function listed({ revoked, ...one }: Checked<typeof keysetList>["keysets"][number]): ListedKeyset {
  const known = { ...one, input_fee_ppk: one.input_fee_ppk ?? 0 };
  return revoked === true ? { ...known, isRevoked: true } : known;
}

function isUsed(state: PurseState, keyset: ListedKeyset): boolean {
  return (
    keyset.active ||
    state.refills.some((refill) => refill.keyset === keyset.id) ||
    state.spends.some(({ blanks }) => blanks.some((output) => output.keyset === keyset.id))
  );
}

async function broken(book: Book, fault: ListFault | "false-keys"): Promise<Listing> {
  await book.change((state) => ({ ...state, isListBroken: true }));
  return { kind: "broken", fault };
}

async function fetchKeys(
  book: Book,
  mint: Mint,
  keyset: ListedKeyset,
): Promise<"known" | "lost" | "false"> {
  if (book.state.keys[keyset.id] !== undefined) return "known";
  const answer = await mint.keys(keyset.id);
  if (answer.kind !== "answered") return "lost";
  const found = answer.value.keysets.find(({ id }) => id === keyset.id);
  if (found === undefined || !isIdOf(keyset, found.keys)) return "false";
  await book.change((state) => ({ ...state, keys: { ...state.keys, [keyset.id]: found.keys } }));
  return "known";
}

/**
 * Reads the list of blind tokens' keysets anew, and answers the one that signs; null where there is
 * none. A list that contradicts the one before is kept out, for good.
 *
 * A mint that ever had such a keyset has tokens shown to it for ever, by everybody.
 */
export async function readTokenList(book: Book, mint: Mint): Promise<ListedKeyset | null> {
  const answer = await mint.tokenKeysets();
  if (answer.kind !== "answered") return null;
  const list = answer.value.keysets.map(listed);
  const seen = (await book.read()).tokenKeysets;
  // A mint that asks for no tokens has no keyset of theirs.
  if (list.length === 0 && seen.length === 0) {
    await book.change((state) => ({ ...state, asksTokens: state.asksTokens === true }));
    return null;
  }
  const isTokenListBroken = faultOf(seen, list, TOKEN_UNIT) !== null;
  await book.change((state) => ({
    ...state,
    isTokenListBroken,
    asksTokens: true,
    tokenKeysets: isTokenListBroken ? state.tokenKeysets : list,
  }));
  return isTokenListBroken ? null : activeOf(list, TOKEN_UNIT);
}

/** Notes which keysets a merchant's code vouches for; false where it is of other lists than ours. */
export async function agreesWith(book: Book, mint: Mint, hash: string): Promise<boolean> {
  let found = await vouched(book, hash);
  if (found === null) {
    // The lists may have grown since they were last read.
    await readList(book, mint);
    await readTokenList(book, mint);
    found = await vouched(book, hash);
  }
  if (found === null) return false;
  const fresh = found.filter((id) => !book.state.vouched.includes(id));
  if (fresh.length > 0)
    await book.change((state) => ({
      ...state,
      vouched: [...new Set([...state.vouched, ...fresh])],
    }));
  return true;
}

function vouched({ state }: Book, hash: string): Promise<readonly string[] | null> {
  return vouchedBy(hash, state.keysets, state.tokenKeysets);
}
