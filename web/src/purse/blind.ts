/** Blind tokens for what goes on between people; each is good for one request, and is used once. */

import type { Book } from "./book.ts";
import type { Token } from "./model.ts";

/** Takes so many tokens out of the purse, all or none. */
export async function takeSome(book: Book, count: number): Promise<readonly Token[] | null> {
  let taken: readonly Token[] = [];
  await book.change((state) => {
    // A list of their keysets that lost or changed one may be there to know this person again.
    if (state.isTokenListBroken) return state;
    taken = state.tokens.slice(0, count);
    return taken.length < count ? state : { ...state, tokens: state.tokens.slice(count) };
  });
  return taken.length < count ? null : taken;
}

/** The token of a swap: null where the mint asks for none; `"missing"` where it may and none is left. */
export async function takeForSwap(book: Book): Promise<Token | null | "missing"> {
  if (book.state.asksTokens === false) return null;
  return (await takeSome(book, 1))?.[0] ?? "missing";
}
