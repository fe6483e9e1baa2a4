/** What the page is about: it stands after `#`, which browsers send to nobody. */

export type Place =
  | { readonly kind: "order"; readonly id: string }
  | { readonly kind: "link"; readonly secret: string }
  /** Somebody came without an order or a link. */
  | { readonly kind: "front" }
  | { readonly kind: "nothing" };

const ORDER = /^ord_[0-9a-z]{26}$/;
const SECRET = /^[\w-]{22}$/;

export function placeFrom(pathname: string, hash: string): Place {
  const named = hash.replace(/^#/, "");
  if (/^\/l\/?$/.test(pathname) && SECRET.test(named)) return { kind: "link", secret: named };
  if (/^\/o\/?$/.test(pathname) && ORDER.test(named)) return { kind: "order", id: named };
  return { kind: pathname === "/" ? "front" : "nothing" };
}

/** The wallet opens with the code as if it had scanned it; the code, too, is sent to nobody. */
export function walletAddress(wallet: string, code: string): string {
  return `${wallet}#pay=${encodeURIComponent(code)}`;
}
