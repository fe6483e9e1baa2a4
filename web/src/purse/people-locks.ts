/** Locks between people, done by cashu-ts: blinded keys (NUT-28) over keys with a refund (NUT-11). */

import {
  Amount,
  type Proof,
  blindMessage,
  createP2PKsecret,
  deriveP2BKBlindedPubkeys,
  getDataField,
  getDecodedToken,
  getEncodedToken,
  maybeDeriveP2BKPrivateKeys,
  schnorrSignMessage,
} from "@cashu/cashu-ts";
import type { Seconds } from "../rules/purse/policy.ts";
import { toHex } from "./bytes.ts";
import { isPoint, newOutput, pubkeyOf } from "./curve.ts";
import type { Dleq, Passed, SwapOutput } from "./people-model.ts";

const encoder = new TextEncoder();

export function plainOutput(keyset: string, amount: number, isPassed: boolean): SwapOutput {
  return { ...newOutput(keyset, amount), ephemeral: null, isPassed };
}

/** Locked to a person, until `refundAt`; then also to whoever has the refund's key. */
export function lockedOutput(
  keyset: string,
  amount: number,
  lock: { readonly to: string; readonly refundKey: string; readonly refundAt: Seconds },
): SwapOutput {
  const refund = toHex(pubkeyOf(lock.refundKey));
  // Blinded anew for each output: the mint sees keys that it never saw and never sees again.
  const { blinded, Ehex } = deriveP2BKBlindedPubkeys([lock.to, refund]);
  const [payee, payer] = blinded;
  if (payee === undefined || payer === undefined) throw new RangeError("two keys were blinded");
  const secret = createP2PKsecret(payee, [
    ["locktime", lock.refundAt.toString()],
    ["refund", payer],
  ]);
  return { ...blindedAs(keyset, amount, secret), ephemeral: Ehex };
}

/** An output that leaves, with a secret that is a lock of any kind. */
export function blindedAs(keyset: string, amount: number, secret: string): SwapOutput {
  const { B_, r } = blindMessage(encoder.encode(secret));
  const output = { amount, keyset, secret, r: r.toString(16).padStart(64, "0") };
  return { ...output, B_: B_.toHex(true), ephemeral: null, isPassed: true };
}

export function proofOf({ keyset, amount, secret, C, ephemeral }: Passed): Proof {
  const proof = { id: keyset, amount: Amount.from(amount), secret, C };
  return ephemeral === null ? proof : { ...proof, p2pk_e: ephemeral };
}

/**
 * The signature that opens a lock, or null where this key does not.
 *
 * Whether it is time for a refund is the mint's to say.
 */
export function witnessFor(passed: Passed, key: string): string | null {
  try {
    const keys = keysFor(passed, key);
    if (keys.length === 0) return null;
    return JSON.stringify({
      signatures: keys.map((one) => schnorrSignMessage(passed.secret, one)),
    });
  } catch {
    // The library throws at a lock that it cannot read.
    return null;
  }
}

/** The same of whichever of these keys opens it. */
export function witnessOf(passed: Passed, keys: readonly string[]): string | null {
  for (const key of keys) {
    const witness = witnessFor(passed, key);
    if (witness !== null) return witness;
  }
  return null;
}

/** The secret keys by which one of a lock's keys is this key's. */
export function keysFor(passed: Passed, key: string): readonly string[] {
  if (passed.ephemeral !== null) return maybeDeriveP2BKPrivateKeys(key, proofOf(passed));
  return getDataField(passed.secret) === toHex(pubkeyOf(key)) ? [key] : [];
}

/** When a lock ends; null where there is none, or none that ends. */
export function lockEndIn(secret: string): Seconds | null {
  const end = /\["locktime","([0-9]{1,16})"\]/.exec(secret)?.[1];
  return end === undefined ? null : Number(end);
}

export const isPlain = ({ secret }: Passed): boolean => !secret.trimStart().startsWith("[");

/** A token as any Cashu wallet reads it. What a proof's DLEQ was made with is not in it. */
export function writeToken(mint: string, unit: string, proofs: readonly Passed[]): string {
  return getEncodedToken({ mint, unit, proofs: proofs.map(proofOf) }, { removeDleq: true });
}

/** The same with what a payee needs to judge it without a network. */
export function writeProvenToken(
  mint: string,
  unit: string,
  proofs: readonly (Passed & { readonly dleq: Dleq })[],
): string {
  const whole = proofs.map(({ dleq, ...passed }): Proof => ({ ...proofOf(passed), dleq }));
  return getEncodedToken({ mint, unit, proofs: whole });
}

export type TokenRead =
  | {
      readonly kind: "token";
      readonly proofs: readonly Passed[];
      /** In the same order; null where a proof comes without. */
      readonly dleqs: readonly (Dleq | null)[];
      readonly amount: number;
    }
  | { readonly kind: "no-token" | "other-mint" };

const PROOFS_MAX = 64;
/** As the mint reads them. */
const SECRET_BYTES_MAX = 1_024;

/** Reads a token of this mint; `keysets` are the ids by which shortened ones are told. */
export function readToken(
  text: string,
  mint: string,
  unit: string,
  keysets: readonly string[],
): TokenRead {
  try {
    const token = getDecodedToken(text.trim().replace(/^cashu:/i, ""), keysets);
    if (bare(token.mint) !== bare(mint) || token.unit !== unit) return { kind: "other-mint" };
    const proofs = token.proofs.map(passedOf);
    const isGood =
      proofs.length > 0 &&
      proofs.length <= PROOFS_MAX &&
      proofs.every(({ keyset, amount }) => keysets.includes(keyset) && amount > 0) &&
      new Set(proofs.map(({ secret }) => secret)).size === proofs.length;
    if (!isGood) return { kind: "no-token" };
    const amount = proofs.reduce((sum, one) => sum + one.amount, 0);
    return { kind: "token", proofs, dleqs: token.proofs.map(dleqOf), amount };
  } catch {
    return { kind: "no-token" };
  }
}

function dleqOf({ dleq }: Proof): Dleq | null {
  return dleq?.r === undefined ? null : { e: dleq.e, s: dleq.s, r: dleq.r };
}

const bare = (address: string): string => address.replace(/\/+$/, "").toLowerCase();

function passedOf({ id, amount, secret, C, p2pk_e }: Proof): Passed {
  // Where the form is not that of the specifications, the mint refuses the request for it.
  if (!isPoint(C)) throw new RangeError("a proof is a point of the curve");
  const isText = secret.isWellFormed() && encoder.encode(secret).length <= SECRET_BYTES_MAX;
  if (!isText) throw new RangeError("a secret is a text of bounded length");
  return { keyset: id, amount: amount.toNumber(), secret, C, ephemeral: p2pk_e ?? null };
}
