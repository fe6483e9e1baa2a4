/** The recovery phrase: twelve words of the English BIP-39 list, from which the backup's key follows. */

import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { toHex } from "./bytes.ts";

const ENTROPY_BYTES = 16;
const INFO = new TextEncoder().encode("amana/purse-backup-key/1");
const KEY_BITS = 256;

/** Twelve new words; they are told once and kept nowhere. */
export function newPhrase(random: (bytes: number) => Uint8Array): string {
  return entropyToMnemonic(random(ENTROPY_BYTES), wordlist);
}

/** Why typed words are no phrase: which are in no phrase at all, or how many there are. */
export type Slip =
  | { readonly kind: "words"; readonly at: readonly Misspelt[] }
  | { readonly kind: "count"; readonly count: number }
  /** The words are there and the checksum is not theirs: one is another, or two changed places. */
  | { readonly kind: "order" };

export interface Misspelt {
  /** From 1, as on paper. */
  readonly number: number;
  readonly word: string;
}

const PHRASE_WORDS = 12;

function wordsOf(typed: string): string[] {
  // The words are shown with numbers; whoever copies these too means the words.
  return typed
    .normalize("NFKD")
    .toLowerCase()
    .split(/[\s\d.,]+/u)
    .filter(Boolean);
}

/** What is wrong with words of which `keyOfPhrase` makes nothing. */
export function slipOf(typed: string): Slip {
  const words = wordsOf(typed);
  const at = words.flatMap((word, before) =>
    wordlist.includes(word) ? [] : [{ number: before + 1, word }],
  );
  if (at.length > 0) return { kind: "words", at };
  return words.length === PHRASE_WORDS ? { kind: "order" } : { kind: "count", count: words.length };
}

/** The backup's key in hexadecimal; null where the words are no phrase of twelve, or hold a slip. */
export async function keyOfPhrase(typed: string): Promise<string | null> {
  const words = wordsOf(typed).join(" ");
  let entropy: Uint8Array<ArrayBuffer>;
  try {
    entropy = Uint8Array.from(mnemonicToEntropy(words, wordlist));
  } catch {
    // The library throws at words that are not in the list and at a checksum that is wrong.
    return null;
  }
  if (entropy.length !== ENTROPY_BYTES) return null;
  const base = await crypto.subtle.importKey("raw", entropy, "HKDF", false, ["deriveBits"]);
  const derived = await crypto.subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: INFO },
    base,
    KEY_BITS,
  );
  return toHex(new Uint8Array(derived));
}
