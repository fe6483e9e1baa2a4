/** The proof of the mint's key: checked the short way, with the same verdict as cashu-ts. */

import assert from "node:assert/strict";
import test from "node:test";
import {
  createBlindSignature,
  createDLEQProof,
  getPubKeyFromPrivKey,
  pointFromHex,
  verifyDLEQProof,
} from "@cashu/cashu-ts";
import { fromHex, toHex } from "../src/purse/bytes.ts";
import { isProven, newOutput, unblind } from "../src/purse/curve.ts";

const KEY = new Uint8Array(32).fill(7);
const OTHER_KEY = new Uint8Array(32).fill(8);
const KEYSET = "00";
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

function signed(key: Uint8Array) {
  const output = newOutput(KEYSET, 1);
  const point = pointFromHex(output.B_);
  const { e, s } = createDLEQProof(point, key);
  const C_ = createBlindSignature(point, key, KEYSET).C_.toHex(true);
  return { output, signature: { id: KEYSET, amount: 1, C_, dleq: { e: toHex(e), s: toHex(s) } } };
}

const announced = (key: Uint8Array) => ({ "1": toHex(getPubKeyFromPrivKey(key)) });

const hexOf = (scalar: bigint) => scalar.toString(16).padStart(64, "0");

const changed = (hex: string) => hex.slice(0, -1) + (hex.endsWith("0") ? "1" : "0");

test("a proof of the announced key is taken, whichever signature of that key it is", () => {
  for (const _ of [1, 2, 3]) {
    const { output, signature } = signed(KEY);
    assert.equal(unblind(output, signature, announced(KEY))?.secret, output.secret);
  }
});

test("a signature by a key of somebody's own is refused, the first and those after it", () => {
  for (const _ of [1, 2, 3]) {
    const { output, signature } = signed(OTHER_KEY);
    assert.equal(unblind(output, signature, announced(KEY)), null);
  }
});

test("each number and each point of a proof counts, as for cashu-ts", () => {
  const [one, another] = [signed(KEY), signed(KEY)];
  const { e, s } = one.signature.dleq;
  const A = pointFromHex(announced(KEY)["1"]);
  const [B_, C_] = [one.output.B_, one.signature.C_].map(pointFromHex);
  const [otherB, otherC] = [another.output.B_, another.signature.C_].map(pointFromHex);
  const otherA = pointFromHex(announced(OTHER_KEY)["1"]);
  assert.ok(B_ && C_ && otherB && otherC);
  const rows = [
    [true, { e, s }, A, B_, C_],
    [false, { e: changed(e), s }, A, B_, C_],
    [false, { e, s: changed(s) }, A, B_, C_],
    [false, { e, s }, otherA, B_, C_],
    [false, { e, s }, A, otherB, C_],
    [false, { e, s }, A, B_, otherC],
  ] as const;
  for (const [expected, dleq, ...points] of rows) {
    assert.equal(isProven(dleq, ...points), expected);
    const [a, b, c] = points;
    const [challenge, answer] = [fromHex(dleq.e), fromHex(dleq.s)];
    assert.ok(challenge && answer);
    assert.equal(verifyDLEQProof({ e: challenge, s: answer }, b, c, a), expected);
  }
});

test("a number that is written otherwise or is out of range proves nothing", () => {
  const { output, signature } = signed(KEY);
  const { e, s } = signature.dleq;
  const beyond = hexOf(ORDER);
  for (const dleq of [
    { e: e.toUpperCase(), s: s.toUpperCase() + "AB" },
    { e, s: `00${s}` },
    { e, s: "" },
    { e: beyond, s },
    { e, s: beyond },
  ]) {
    assert.equal(unblind(output, { ...signature, dleq }, announced(KEY)), null);
  }
});
