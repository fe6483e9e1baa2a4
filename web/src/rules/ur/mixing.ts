/**
 * Which fragments a part of a multipart UR is made of (BCR-2024-001).
 *
 * The first parts are one fragment each; every later one is some of them, one over the other. Which
 * ones follows from the part's number and the message's checksum, so whoever reads knows it too.
 */

import { fourBytes } from "./bytewords.ts";

const WORD = (1n << 64n) - 1n;
const TWO_TO_64 = 2 ** 64;

/** Indexes of fragments, ascending; parts are counted from 1. */
export async function fragmentsOf(
  part: number,
  count: number,
  checksum: number,
): Promise<readonly number[]> {
  if (part <= count) return [part - 1];
  const seed = Uint8Array.from([...fourBytes(part), ...fourBytes(checksum)]);
  const next = await drawing(seed);
  const degree = sampler(Array.from({ length: count }, (_, at) => 1 / (at + 1)))(next) + 1;
  const left = Array.from({ length: count }, (_, at) => at);
  const chosen = Array.from({ length: degree }, () =>
    left.splice(Math.floor(next() * left.length), 1),
  );
  return chosen.flat().toSorted((a, b) => a - b);
}

/** Xoshiro256**, begun with the SHA-256 of a seed: numbers from 0 to below 1, the same everywhere. */
export async function drawing(seed: Uint8Array<ArrayBuffer>): Promise<() => number> {
  const digest = new DataView(await crypto.subtle.digest("SHA-256", seed));
  let [a, b, c, d] = [
    digest.getBigUint64(0),
    digest.getBigUint64(8),
    digest.getBigUint64(16),
    digest.getBigUint64(24),
  ];
  return () => {
    const drawn = (turned((b * 5n) & WORD, 7n) * 9n) & WORD;
    const carried = (b << 17n) & WORD;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= carried;
    d = turned(d, 45n);
    return Number(drawn) / TWO_TO_64;
  };
}

function turned(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & WORD;
}

/** Walker's and Vose's alias method: an index drawn with the odds that its weight gives it. */
export function sampler(weights: readonly number[]): (next: () => number) => number {
  const sum = weights.reduce((whole, weight) => whole + weight, 0);
  const odds = weights.map((weight) => (weight * weights.length) / sum);
  const aliases = odds.map(() => 0);
  const kept = odds.map(() => 1);
  const order = odds.map((_, at) => at).toReversed();
  const small = order.filter((at) => (odds[at] ?? 0) < 1);
  const large = order.filter((at) => (odds[at] ?? 0) >= 1);
  for (;;) {
    const [less, more] = [small.at(-1), large.at(-1)];
    if (less === undefined || more === undefined) break;
    small.pop();
    large.pop();
    kept[less] = odds[less] ?? 0;
    aliases[less] = more;
    const rest = (odds[more] ?? 0) + ((odds[less] ?? 0) - 1);
    odds[more] = rest;
    (rest < 1 ? small : large).push(more);
  }
  return (next) => {
    const [first, second] = [next(), next()];
    const at = Math.floor(weights.length * first);
    return second < (kept[at] ?? 1) ? at : (aliases[at] ?? at);
  };
}
