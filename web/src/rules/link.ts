/** Text that came in from outside: what stands after `#`, and what somebody scanned or typed. */

/** Secrets come after `#` only, which browsers never send to a server. */
export function secretFrom(hash: string, name: string): string | null {
  const value = new URLSearchParams(hash.replace(/^#/, "")).get(name);
  return value === null || !/^[\x21-\x7e]{1,512}$/.test(value) ? null : value;
}

const ECASH_LENGTH_MAX = 16_384;

/** E-cash that somebody sent as a link; it is money, so it comes after `#` like any secret. */
export function ecashFrom(hash: string): string | null {
  const token = new URLSearchParams(hash.replace(/^#/, "")).get("token");
  return token !== null && isEcash(token) && token.length <= ECASH_LENGTH_MAX ? token : null;
}

/** Whether a text is e-cash in one of its written forms (NUT-00). */
export function isEcash(text: string): boolean {
  return /^(?:cashu:)?cashu[AB][A-Za-z0-9_=-]+$/.test(text);
}

/** E-cash out of what was scanned or pasted: a link of any wallet of ours, or the bare text. */
export function ecashIn(typed: string): string | null {
  const trimmed = typed.trim();
  const at = trimmed.indexOf("#");
  return at >= 0 ? ecashFrom(trimmed.slice(at)) : isEcash(trimmed) ? trimmed : null;
}

const ASKED_LENGTH_MAX = 512;

/** A payment code that another page opened the wallet with; it, too, comes after `#`. */
export function codeAskedFor(hash: string): string | null {
  const code = new URLSearchParams(hash.replace(/^#/, "")).get("pay");
  return code === null || code === "" || code.length > ASKED_LENGTH_MAX ? null : code;
}

/** The same out of what was scanned or pasted: a link to this operator's wallet, and no other's. */
export function askedIn(typed: string, origin: string): string | null {
  const [page = "", ...rest] = typed.trim().split("#");
  return page === `${origin}/wallet` ? codeAskedFor(rest.join("#")) : null;
}

/** The link by which a person is paid: what stands after `#` reaches no server. */
export function linkToPay(handle: string, origin: string): string {
  return `${origin}/wallet#pay=@${handle}`;
}

export type Target =
  | { readonly kind: "code"; readonly code: string }
  | { readonly kind: "handle"; readonly handle: string }
  | { readonly kind: "empty" };

const HANDLE = /^@?([a-z0-9](?:[a-z0-9._-]{0,62}))$/i;
const CODE_MARK = /^0002/;

/** One field for both: what looks like a handle is one, everything else goes to the reader of codes. */
export function targetFrom(typed: string): Target {
  const trimmed = typed.trim();
  if (trimmed === "") return { kind: "empty" };
  const match = HANDLE.exec(trimmed);
  if (match !== null && !CODE_MARK.test(trimmed)) {
    return { kind: "handle", handle: (match[1] ?? "").toLowerCase() };
  }
  return { kind: "code", code: trimmed };
}
