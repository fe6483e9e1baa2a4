/** The recovery phrase on the screens: shown once, and typed to take a purse over. */

import type { Restored } from "../purse/talk.ts";
import { purse } from "./purse.svelte.ts";

class KeepOnScreen {
  /** The words while they are shown; nothing keeps them after that. */
  phrase = $state<string | null>(null);
  /** Whether the operator keeps a backup already, which new words would replace. */
  replaces = $state(false);
  /** What came over from another device, in minor units, as long as the purse stays on the screen. */
  restored = $state<bigint | null>(null);

  /** A purse is being taken over: no other is begun meanwhile. */
  isRestoring = $state(false);

  async show(): Promise<void> {
    const calls = await purse.worker();
    const { token } = purse;
    if (calls === null || token === null) return;
    this.replaces = (await calls.hasBackup(token).catch(() => null)) !== false;
    this.phrase = await calls.newPhrase();
  }

  hide(): void {
    this.phrase = null;
  }

  /** The person has written the words down; the first backup is left with the next look. */
  async keep(): Promise<void> {
    const calls = await purse.worker();
    if (calls === null || this.phrase === null) return;
    if (await calls.keepPhrase(this.phrase)) this.phrase = null;
    await purse.fill(true);
  }

  async restore(phrase: string): Promise<Restored> {
    const calls = await purse.worker();
    const { token } = purse;
    if (calls === null || token === null) return { kind: "lost" };
    this.isRestoring = true;
    const restored = await calls.restore(token, phrase).catch((): Restored => ({ kind: "lost" }));
    this.isRestoring = false;
    if (restored.kind === "restored") {
      this.restored = BigInt(restored.amount);
      await purse.readReceipts();
    }
    return restored;
  }

  leave(): void {
    this.restored = null;
  }
}

export const keep = new KeepOnScreen();
