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

/** The backup's key in hexadecimal; null where the words are no phrase of twelve, or hold a slip. */
export async function keyOfPhrase(typed: string): Promise<string | null> {
  const words = typed.normalize("NFKD").toLowerCase().split(/\s+/u).filter(Boolean).join(" ");
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
