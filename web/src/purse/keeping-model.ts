/** What the purse keeps about its own keeping: the backup's key, and coins that are to be exchanged. */

import type { Seconds } from "../rules/purse/policy.ts";
import type { Coin, Token } from "./model.ts";
import type { SwapOutput } from "./people-model.ts";

export interface BackupKey {
  /** 32 bytes in hexadecimal, from the recovery phrase; the words are not kept. */
  readonly key: string;
  readonly lastAt: Seconds | null;
}

/** A coin that is exchanged for a fresh one at an hour that was drawn for it alone. */
export interface Plan {
  readonly secret: string;
  readonly at: Seconds;
}

/** An exchange on its way; its coin is in no other list. Stored before it is sent. */
export interface Exchange {
  readonly id: string;
  readonly coin: Coin;
  readonly outputs: readonly SwapOutput[];
  readonly token: Token | null;
}

export interface KeepingState {
  readonly backup: BackupKey | null;
  readonly plans: readonly Plan[];
  readonly exchanges: readonly Exchange[];
  /** Revoked keysets whose e-cash is issued anew because the person said so. */
  readonly agreed?: readonly string[];
  /** Merchants' keys for receipts, by handle; what an older release kept has none. */
  readonly receiptKeys?: Readonly<Record<string, string>>;
}

export function nothingKept(): KeepingState {
  return { backup: null, plans: [], exchanges: [] };
}

/** A coin that came back with a backup is not spent before it is exchanged. */
export const NOT_BEFORE_EXCHANGE: Seconds = Number.MAX_SAFE_INTEGER;
