/**
 * Merchants' keys, and whether a receipt on this device is what the merchant's key has signed.
 *
 * The keys are public. They are asked for without a token, in an idle opening far from any payment,
 * for all merchants whose key is missing, and kept: a key never changes.
 */

import { isSigned, receiptFrom } from "../rules/receipt.ts";
import { object, text } from "../wire/check.ts";
import { ask } from "../wire/http.ts";
import { pubkeyOf } from "./curve.ts";
import type { Book, Ports } from "./book.ts";
import { toHex } from "./bytes.ts";
import type { Receipt } from "./model.ts";

/** `false`: the key did not sign it, or it is of another payment. `unknown`: the key is not here. */
export type Verdict = "proven" | "false" | "unknown" | "none";

/** Asks for a merchant's key; null where it is not known now. */
export type AskKey = (handle: string) => Promise<string | null>;

const HANDLE = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export async function verdictOf(
  receipt: Receipt,
  keys: Readonly<Record<string, string>>,
): Promise<Verdict> {
  if (receipt.signed === null || receipt.method !== "amana-merchant") return "none";
  const members = receiptFrom(receipt.signed);
  if (members === null) return "false";
  const key = Object.hasOwn(keys, members["merchant"] ?? "")
    ? keys[members["merchant"] ?? ""]
    : null;
  if (key == null) return "unknown";
  const payer = receipt.refundKey === null ? null : toHex(pubkeyOf(receipt.refundKey));
  const total = wholeOf(members["amount"]) + wholeOf(members["tip"]);
  const isOurs =
    members["payer_key"] === payer &&
    members["currency"]?.toLowerCase() === receipt.unit &&
    total === BigInt(receipt.amount);
  return isOurs && (await isSigned(members, key)) ? "proven" : "false";
}

/** Digits as a number; what is none comes to no amount that was paid. */
function wholeOf(text: string | null | undefined): bigint {
  return text != null && /^\d{1,18}$/.test(text) ? BigInt(text) : -1n << 64n;
}

/** Fetches the keys that are missing, of all merchants met. */
export async function fetchKeys(book: Book, ports: Ports, askKey: AskKey): Promise<void> {
  const known = (await book.read()).keeping.receiptKeys ?? {};
  const met = (await ports.vault.receipts()).flatMap(({ signed }) => {
    const handle = signed === null ? null : receiptFrom(signed)?.["merchant"];
    return handle != null && HANDLE.test(handle) && !Object.hasOwn(known, handle) ? [handle] : [];
  });
  for (const handle of new Set(met)) {
    const key = await askKey(handle);
    if (key === null) continue;
    await book.change((state) => {
      const receiptKeys = { ...state.keeping.receiptKeys, [handle]: key };
      return { ...state, keeping: { ...state.keeping, receiptKeys } };
    });
  }
}

const keyAnswer = object({ public_key: text });

export const askReceiptKey: AskKey = async (handle) => {
  const path = `/v1/merchants/${encodeURIComponent(handle)}/receipt-key`;
  const answer = await ask({ method: "GET", path, check: keyAnswer });
  return answer.kind === "answered" ? answer.value.public_key : null;
};
