/**
 * Refunds of private payments: e-cash for whoever has the payment's one-time key.
 *
 * The quote's id follows from that key, so nothing else needs to be remembered, and asking tells
 * the mint no more than the key that it had from the payment.
 *
 * The outputs are the powers of two in the sum, as those of change are: the mint knows the sum, so
 * their number tells it nothing, and filling up with more would hide nothing from it. Coins divided
 * otherwise could be told from change later on.
 */

import { powersIn, refundAskAt } from "../rules/purse/refill.ts";
import { changeAvailableAt } from "../rules/purse/spend.ts";
import { POLICY } from "../rules/purse/policy.ts";
import type { Book, Ports } from "./book.ts";
import { toHex } from "./bytes.ts";
import { asked, refundBegun, refundEnded, refundRefused } from "./changes.ts";
import { type Unblinded, newOutput, pubkeyOf, quoteSignature, unblind } from "./curve.ts";
import { readList } from "./listing.ts";
import { type Mint, signaturesByOutput } from "./mint.ts";
import type { Refund, RefundAsk, Signature } from "./model.ts";
import { RANDOM_BYTES } from "./spending.ts";
import type { Refunded } from "./talk.ts";

const TAG = new TextEncoder().encode("amana-refund");
const ID_BYTES = 16;

/** SHA-256 over a tag and the key, its first 16 bytes, written as quote ids are. */
export async function refundQuoteOf(key: string): Promise<string> {
  const pubkey = pubkeyOf(key);
  const bytes = new Uint8Array(TAG.length + pubkey.length);
  bytes.set(TAG);
  bytes.set(pubkey, TAG.length);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = toHex(digest.slice(0, ID_BYTES));
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Asks once what was given back, and fetches it if there is something. */
export async function askForRefund(
  book: Book,
  mint: Mint,
  ports: Ports,
  { receipt, key }: RefundAsk,
): Promise<Refunded> {
  const quote = await refundQuoteOf(key);
  const begun = (await book.read()).refunds.find((one) => one.quote === quote);
  if (begun !== undefined) return fetchRefund(book, mint, ports, begun);
  const answer = await mint.refundQuote(quote);
  if (answer.kind === "lost") return "lost";
  const due =
    answer.kind === "answered" ? answer.value.amount_paid - answer.value.amount_issued : 0;
  if (due <= 0) {
    await book.change((state) => asked(state, receipt));
    return "none";
  }
  const listing = await readList(book, mint);
  if (listing.kind !== "known") return "lost";
  const amounts = powersIn(BigInt(due)).map(Number);
  const outputs = amounts.map((amount) => newOutput(listing.active.id, amount));
  const refund: Refund = { receipt, key, quote, outputs };
  await book.change((state) => refundBegun(state, refund));
  return fetchRefund(book, mint, ports, refund);
}

/** Sends a refund's outputs, or finds what became of them. */
export async function fetchRefund(
  book: Book,
  mint: Mint,
  ports: Ports,
  refund: Refund,
): Promise<Refunded> {
  const { key, quote, outputs } = refund;
  const answer = await mint.issueRefund(quote, outputs, quoteSignature(key, quote, outputs));
  if (answer.kind === "answered") {
    return end(book, ports, refund, provenOf(book, refund, answer.value.signatures));
  }
  const again = await mint.restore(outputs);
  if (again.kind !== "answered") return "lost";
  const found = signaturesByOutput(again.value);
  const signatures = outputs.flatMap(({ B_ }) => found.get(B_) ?? []);
  if (signatures.length > 0) return end(book, ports, refund, provenOf(book, refund, signatures));
  // Nothing was signed: a refusal ends it, silence does not.
  if (answer.kind === "lost") return "lost";
  // The keyset may have ended meanwhile: what is still due is asked for with other outputs.
  const at = refundAskAt(POLICY, ports.now(), ports.random(RANDOM_BYTES));
  await book.change((state) => refundRefused(state, refund, at));
  return "none";
}

async function end(
  book: Book,
  ports: Ports,
  refund: Refund,
  proofs: readonly Unblinded[],
): Promise<Refunded> {
  // Signed, and not proven: it is kept for the day on which the mint proves it.
  if (proofs.length < refund.outputs.length) return "lost";
  const now = ports.now();
  const availableAt = changeAvailableAt(POLICY, now, ports.random(RANDOM_BYTES));
  await book.change((state) => refundEnded(state, refund, proofs, { now, availableAt }));
  return "arrived";
}

function provenOf(
  book: Book,
  { outputs }: Refund,
  signatures: readonly Signature[],
): readonly Unblinded[] {
  return outputs.flatMap((output, at) => {
    const [signature, keys] = [signatures[at], book.state.keys[output.keyset]];
    if (signature === undefined || keys === undefined) return [];
    return unblind(output, signature, keys) ?? [];
  });
}
