/** Whether a receipt is what the merchant's key has signed (RFC 8785, Ed25519). */

import { fromBase64Url } from "./note.ts";

export type Members = Readonly<Record<string, string | null>>;

const TYPE = "amana-receipt-v1";
const NAMES =
  "amount currency merchant merchant_name operator order paid_at payer_key reference signature tip type";

/** The receipt's members, or null where it is not of this kind. */
export function receiptFrom(text: string): Members | null {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) return null;
  const members = read as Readonly<Record<string, unknown>>;
  const isFlat = Object.values(members).every((one) => one === null || typeof one === "string");
  if (!isFlat || Object.keys(members).toSorted().join(" ") !== NAMES) return null;
  return members["type"] === TYPE ? (members as Members) : null;
}

/** What is signed: the members without the signature, in the order of their names, no blanks. */
function canonical(members: Members): Uint8Array<ArrayBuffer> {
  const names = Object.keys(members)
    .filter((name) => name !== "signature")
    .toSorted();
  const text = JSON.stringify(Object.fromEntries(names.map((name) => [name, members[name]])));
  return new TextEncoder().encode(text);
}

/** Whether the key, in base64url, has signed these members. */
export async function isSigned(members: Members, key: string): Promise<boolean> {
  const [raw, signature] = [fromBase64Url(key), fromBase64Url(members["signature"] ?? "")];
  if (raw === null || signature === null) return false;
  try {
    const verifying = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", verifying, signature, canonical(members));
  } catch {
    // A key of another length, or a browser without this signature: nothing is proven.
    return false;
  }
}
