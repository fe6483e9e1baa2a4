/** The blind signature, done by cashu-ts: blinding and unblinding; the proof of the key is checked here. */

import {
  Amount,
  blindMessage,
  createRandomSecretKey,
  deriveKeysetId,
  getPubKeyFromPrivKey,
  hash_e,
  hashToCurve,
  pointFromHex,
  signMintQuote,
  unblindSignature,
} from "@cashu/cashu-ts";
import { fromHex, toHex } from "./bytes.ts";
import type { Keys, ListedKeyset, Output, Signature } from "./model.ts";

const encoder = new TextEncoder();
const SECRET_BYTES = 32;
/** The curve's generator (SEC 2). */
const GENERATOR = pointFromHex(
  "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
);
const KEYS_KEPT_MAX = 64;
/** Bits that a table's row stands for: so few that it has paid by the second signature. */
const TABLE_BITS = 4;
/** The id's version: the hash of keys, unit, fee and expiry (NUT-02). */
const ID_VERSION = 1;
const SCALAR_PATTERN = /^[0-9a-f]{64}$/;
const ID_PATTERN = /^01[0-9a-f]{64}$/;

/** An output with a fresh secret of 64 hexadecimal digits; `amount` is 0 for a blank one. */
export function newOutput(keyset: string, amount: number): Output {
  const secret = toHex(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
  const { B_, r } = blindMessage(encoder.encode(secret));
  return { amount, keyset, secret, r: r.toString(16).padStart(64, "0"), B_: B_.toHex(true) };
}

/** The point by which the mint knows a secret, for asking after its state (NUT-07). */
export function pointOf(secret: string): string {
  return hashToCurve(encoder.encode(secret)).toHex(true);
}

/** Whether it is a point of the curve, in its short form. */
export function isPoint(hex: string): boolean {
  if (!/^0[23][0-9a-f]{64}$/.test(hex)) return false;
  try {
    pointFromHex(hex);
    return true;
  } catch {
    // The library throws at what is not on the curve.
    return false;
  }
}

export interface Unblinded {
  readonly keyset: string;
  readonly amount: number;
  readonly secret: string;
  readonly C: string;
  readonly r: string;
}

/**
 * The proof that a signature makes of an output, or null when it proves nothing.
 *
 * Refused is a signature by another keyset, of another amount than asked (a blank takes the mint's),
 * of an amount without a key, and any whose DLEQ does not show the announced key (NUT-12):
 * with a key of its own for each person the mint would know them all again.
 */
export function unblind(output: Output, signature: Signature, keys: Keys): Unblinded | null {
  const { amount } = signature;
  if (signature.id !== output.keyset || amount <= 0) return null;
  if (output.amount !== 0 && output.amount !== amount) return null;
  const key = keys[String(amount)];
  if (key === undefined || signature.dleq === null) return null;
  try {
    const A = keyPoint(key);
    const C_ = pointFromHex(signature.C_);
    if (!isProven(signature.dleq, A, pointFromHex(output.B_), C_)) return null;
    const C = unblindSignature(C_, BigInt(`0x${output.r}`), A).toHex(true);
    return { keyset: output.keyset, amount, secret: output.secret, C, r: output.r };
  } catch {
    // The library throws at points that are not on the curve and numbers that are out of range.
    return null;
  }
}

type Point = ReturnType<typeof pointFromHex>;

/**
 * Whether a proof shows that the key signed (NUT-12).
 *
 * Its numbers and points are the mint's and no secret, so that this may take the short way, whose
 * time depends on them: cashu-ts multiplies as if they were, and takes five times as long.
 */
export function isProven(
  { e, s }: { readonly e: string; readonly s: string },
  A: Point,
  B_: Point,
  C_: Point,
): boolean {
  if (![e, s].every((scalar) => SCALAR_PATTERN.test(scalar))) return false;
  const [challenge, answer] = [BigInt(`0x${e}`), BigInt(`0x${s}`)];
  const R1 = GENERATOR.mulAddUnsafe(answer, A.negate(), challenge);
  const R2 = B_.mulAddUnsafe(answer, C_.negate(), challenge);
  return toHex(hash_e([R1, R2, A, C_])) === e;
}

const keyPoints = new Map<string, Point>();
const tabled = new WeakSet<Point>();

/** A mint's key; one that comes again is given a table, as many signatures are by the same key. */
function keyPoint(hex: string): Point {
  const known = keyPoints.get(hex);
  if (known === undefined) {
    if (keyPoints.size >= KEYS_KEPT_MAX) keyPoints.clear();
    const point = pointFromHex(hex);
    keyPoints.set(hex, point);
    return point;
  }
  if (!tabled.has(known)) tabled.add(known.precompute(TABLE_BITS));
  return known;
}

/** Whether a keyset's id is the hash of these keys (NUT-02, version 01). */
export function isIdOf(keyset: ListedKeyset, keys: Keys): boolean {
  if (!ID_PATTERN.test(keyset.id)) return false;
  const options = {
    unit: keyset.unit,
    input_fee_ppk: keyset.input_fee_ppk,
    versionByte: ID_VERSION,
    ...(keyset.final_expiry === null ? {} : { expiry: keyset.final_expiry }),
  };
  return deriveKeysetId(keys, options) === keyset.id;
}

/** A key for one payment alone: the private half stays, the public half goes with the quote. */
export function newOneTimeKey(): { readonly secret: string; readonly pubkey: string } {
  const secret = createRandomSecretKey();
  return { secret: toHex(secret), pubkey: toHex(getPubKeyFromPrivKey(secret)) };
}

export function pubkeyOf(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = fromHex(secret);
  if (bytes === null) throw new RangeError("a key is hexadecimal digits");
  return new Uint8Array(getPubKeyFromPrivKey(bytes));
}

/** Asks for the outputs of a quote that is locked to a key (NUT-20). */
export function quoteSignature(key: string, quote: string, outputs: readonly Output[]): string {
  const messages = outputs.map(({ amount, keyset, B_ }) => ({
    amount: Amount.from(amount),
    id: keyset,
    B_,
  }));
  return signMintQuote(key, quote, messages);
}
