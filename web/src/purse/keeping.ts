/** Leaving a backup with the operator: only when the policy lets it, never because of a payment. */

import { toBase64Url } from "../rules/note.ts";
import { POLICY } from "../rules/purse/policy.ts";
import { backupDue } from "../rules/purse/refill.ts";
import { contentsOf, seal } from "./backup.ts";
import type { Book, Ports } from "./book.ts";
import type { PurseState } from "./model.ts";
import type { NamedSide } from "./named.ts";

export interface Occasion {
  readonly leavesRefill: boolean;
  readonly isIdle: boolean;
}

/** Writes the backup if it is due; one that was not taken is written at the next occasion. */
export async function keepBackup(
  book: Book,
  named: NamedSide,
  ports: Ports,
  occasion: Occasion,
): Promise<void> {
  const state = await book.read();
  const { backup, plans } = state.keeping;
  // What is on its way to a merchant is left out of no backup: it waits until the end is known.
  if (backup === null || state.spends.length > 0) return;
  const cause = { ...occasion, exchanges: plans.map(({ at }) => at) };
  if (!backupDue(POLICY, backup.lastAt, ports.now(), cause)) return;
  const contents = contentsOf(state, await ports.vault.receipts());
  const sealed = await seal(contents, backup.key, POLICY.backup.bytes);
  if (!(await named.putBackup(toBase64Url(sealed)))) return;
  await book.change((one) => withKey(one, backup.key, ports.now()));
}

/** From now on backups are sealed with this key. */
export function withKey(state: PurseState, key: string, lastAt: number | null): PurseState {
  return { ...state, keeping: { ...state.keeping, backup: { key, lastAt } } };
}
