/**
 * E-cash of a revoked keyset: it cannot be spent, and is issued anew once its owner says so.
 *
 * Issuing anew shows the mint which refill or payment each coin came from. The list could call a
 * keyset revoked to one purse alone and so find out whose it is; so the purse does nothing by itself
 * on the list's word, and a person compares with what is announced to everybody.
 */

import { isRevoked } from "./keysets.ts";
import type { Coin, PurseState } from "./model.ts";
import type { Undecided } from "./talk.ts";

/** A coin of a revoked keyset that came without what shows its issue. */
export function isStuck({ keysets }: PurseState, { keyset, r }: Coin): boolean {
  return r === undefined && isRevoked(keysets, keyset);
}

/** Whether the mint may be shown how this coin was issued. */
export function mayBeIssuedAnew(
  { keysets, keeping }: PurseState,
  coin: Coin,
): coin is Coin & { readonly r: string } {
  const isAgreed = keeping.agreed?.includes(coin.keyset) === true;
  return isAgreed && coin.r !== undefined && isRevoked(keysets, coin.keyset);
}

/** A coin of a revoked keyset that waits for its owner's word. */
export function isUndecided(state: PurseState, coin: Coin): boolean {
  const isBad = coin.r !== undefined && isRevoked(state.keysets, coin.keyset);
  return isBad && !mayBeIssuedAnew(state, coin);
}

/** What the owner is asked about, a keyset each, in the order of the list. */
export function undecidedOf(state: PurseState): readonly Undecided[] {
  const coins = state.coins.filter((coin) => isUndecided(state, coin));
  return state.keysets.flatMap(({ id, final_expiry: until }): readonly Undecided[] => {
    const own = coins.filter(({ keyset }) => keyset === id);
    const amount = own.reduce((sum, coin) => sum + BigInt(coin.amount), 0n);
    return own.length === 0 ? [] : [{ keyset: id, amount, until }];
  });
}

/** The owner agrees for these keysets and no others: another that is revoked later is asked about. */
export function agreedTo(state: PurseState, ids: readonly string[]): PurseState {
  const fresh = ids.filter((id) => isRevoked(state.keysets, id));
  const agreed = [...new Set([...(state.keeping.agreed ?? []), ...fresh])];
  return { ...state, keeping: { ...state.keeping, agreed } };
}
