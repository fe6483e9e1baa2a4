/**
 * The purse as it is left with the operator: sealed, and of one size whatever is in it.
 *
 * In it is what cannot be had again: coins, the refill that waits, keys for refunds and letters,
 * the mint's keysets as seen, receipts. The state is packed (deflate), filled up with zeros and
 * sealed with AES-256-GCM: 12 bytes of nonce, then the ciphertext with its tag.
 */

import { fromHex } from "./bytes.ts";
import type { PurseState, Receipt, RefundAsk } from "./model.ts";

export interface Contents {
  readonly version: 1;
  readonly state: Omit<
    PurseState,
    | "version"
    | "keys"
    | "vouched"
    | "spends"
    | "refunds"
    | "tokens"
    | "tokenOutputs"
    | "keeping"
    | "crowd"
  >;
  readonly receipts: readonly Receipt[];
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LENGTH_BYTES = 4;
const LABEL = new TextEncoder().encode("amana/purse-backup/1");

/**
 * What of the purse goes into a backup.
 *
 * A refund that is being fetched is written as one to ask for: whoever restores must not take for
 * coins what the lost device may have fetched and spent.
 */
export function contentsOf(state: PurseState, receipts: readonly Receipt[]): Contents {
  const { version, keys, vouched, spends, refunds, keeping, crowd, ...rest } = state;
  const { tokens, tokenOutputs, ...kept } = rest;
  const again = refunds.map(({ receipt, key }): RefundAsk => ({ receipt, key, at: 0 }));
  const changing = keeping.exchanges.map(({ coin }) => coin);
  return {
    version: 1,
    state: {
      ...kept,
      coins: [...kept.coins, ...spends.flatMap(({ inputs }) => inputs), ...changing],
      asks: [...kept.asks, ...again],
    },
    receipts,
  };
}

/** Sealed to exactly so many bytes: the oldest receipts, then the smallest coins find no room. */
export async function seal(contents: Contents, key: string, bytes: number): Promise<Uint8Array> {
  const room = bytes - NONCE_BYTES - TAG_BYTES - LENGTH_BYTES;
  const packed = await packedInto(contents, room);
  const plain = new Uint8Array(room + LENGTH_BYTES);
  new DataView(plain.buffer).setUint32(0, packed.length);
  plain.set(packed, LENGTH_BYTES);
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(howTo(iv), await imported(key), plain);
  const whole = new Uint8Array(bytes);
  whole.set(iv);
  whole.set(new Uint8Array(sealed), NONCE_BYTES);
  return whole;
}

/** Null where the key is another one, or the bytes are not what was sealed. */
export async function unseal(sealed: Uint8Array, key: string): Promise<Contents | null> {
  const bytes = Uint8Array.from(sealed);
  const iv = bytes.slice(0, NONCE_BYTES);
  let plain: Uint8Array<ArrayBuffer>;
  try {
    const opened = await crypto.subtle.decrypt(
      howTo(iv),
      await imported(key),
      bytes.slice(NONCE_BYTES),
    );
    plain = new Uint8Array(opened);
  } catch {
    // A seal that does not open says no more than that.
    return null;
  }
  const length = new DataView(plain.buffer).getUint32(0);
  const text = await through(
    new DecompressionStream("deflate-raw"),
    plain.slice(LENGTH_BYTES, LENGTH_BYTES + length),
  );
  const contents = JSON.parse(new TextDecoder().decode(text)) as Contents;
  return contents.version === 1 ? contents : null;
}

async function packedInto(contents: Contents, room: number): Promise<Uint8Array> {
  let [receipts, coins] = [
    contents.receipts.toSorted((a, b) => b.paidAt - a.paidAt),
    contents.state.coins.toSorted((a, b) => b.amount - a.amount),
  ];
  for (;;) {
    const fitting = { ...contents, receipts, state: { ...contents.state, coins } };
    const text = new TextEncoder().encode(JSON.stringify(fitting));
    const packed = await through(new CompressionStream("deflate-raw"), text);
    if (packed.length <= room) return packed;
    if (receipts.length > 0) receipts = receipts.slice(0, Math.floor(receipts.length / 2));
    else if (coins.length > 0) coins = coins.slice(0, Math.floor((coins.length * 3) / 4));
    else throw new RangeError("a backup has no room for what must be in it");
  }
}

async function through(
  packing: CompressionStream | DecompressionStream,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(packing);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function howTo(iv: Uint8Array<ArrayBuffer>): AesGcmParams {
  return { name: "AES-GCM", iv, additionalData: LABEL };
}

async function imported(key: string): Promise<CryptoKey> {
  const bytes = fromHex(key);
  if (bytes === null) throw new RangeError("a key is hexadecimal digits");
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}
