/** The payment on its way: at most one on the screen, and none lost between two openings of the page. */

import { pause } from "../device/live.ts";
import { type NoteKey, newNoteKey, sealNote } from "../device/seal.ts";
import { all, forget, keepIntent } from "../device/store.ts";
import { type Intent, type PaymentDraft, bodyOf, carryThrough, totalOf } from "../rules/intent.ts";
import { type Problem, ask } from "../wire/http.ts";
import { type Concluded, concluded } from "../wire/shapes.ts";
import { wallet } from "./wallet.svelte.ts";

export type Stage =
  | { readonly name: "working" | "unknown"; readonly resumed: boolean }
  | { readonly name: "concluded"; readonly payment: Concluded }
  | { readonly name: "refused"; readonly problem: Problem }
  | { readonly name: "not-kept" };

export interface Message {
  readonly text: string;
  readonly to: string;
}

class Flight {
  stage = $state.raw<Stage | null>(null);
  shown = $state.raw<Intent["shown"] | null>(null);
  #carrying = false;
  #session = $state.raw<string | null>(null);

  /** Whether it is of this session: to nobody else is anything shown of it. */
  isOf(token: string | null): boolean {
    return this.#session === token;
  }

  /**
   * Pays once, however often it is called while it runs: the second tap finds the first one flying.
   */
  async pay(
    draft: Omit<PaymentDraft, "sealedNote" | "noteKey">,
    payee: string,
    message: Message | null,
  ): Promise<void> {
    const { account, token } = wallet;
    if (this.stage !== null || this.#carrying || account === null) return;
    this.#session = token;
    this.stage = { name: "working", resumed: false };
    this.shown = { payee, total: totalOf(draft.amount, draft.tip) };
    const intent = await this.#prepare(draft, account.handle, message);
    if (intent === null) this.stage = { name: "not-kept" };
    else await this.#carry(intent, token, false);
  }

  /** Goes on with what was on its way when the page was last closed. */
  async resume(): Promise<void> {
    const { account, token } = wallet;
    const waiting = await all("intents").catch(() => []);
    for (const intent of waiting.filter((one) => one.handle === account?.handle)) {
      if (this.#carrying) return;
      this.#session = token;
      this.shown = intent.shown;
      this.stage = { name: "working", resumed: true };
      await this.#carry(intent, token, true);
    }
  }

  clear(): void {
    if (this.#carrying) return;
    this.stage = null;
    this.shown = null;
  }

  async #prepare(
    draft: Omit<PaymentDraft, "sealedNote" | "noteKey">,
    handle: string,
    message: Message | null,
  ): Promise<Intent | null> {
    // Without X25519 in the browser the payment goes through; only its receipt cannot be sealed.
    const noteKey: NoteKey | null = await newNoteKey().catch(() => null);
    const sealedNote =
      message === null ? null : await sealNote(message.to, { text: message.text, salt: null });
    const body = bodyOf({ ...draft, sealedNote, noteKey: noteKey?.publicKey ?? null });
    const shown = this.shown ?? { payee: "", total: draft.amount };
    const intent = { key: crypto.randomUUID(), handle, body, shown };
    try {
      await keepIntent(intent, noteKey);
      return intent;
    } catch {
      return null;
    }
  }

  /** Carries it by the session that it is of: who signs in meanwhile may be somebody else. */
  async #carry(intent: Intent, token: string | null, resumed: boolean): Promise<void> {
    this.#carrying = true;
    const verdict = await carryThrough<Concluded>({
      send: () =>
        ask({
          method: "POST",
          path: "/v1/payments",
          token,
          body: intent.body,
          idempotencyKey: intent.key,
          check: concluded,
        }),
      pause,
      chance: Math.random,
      doubtful: () => (this.stage = { name: "unknown", resumed }),
    });
    this.#carrying = false;
    const isSignedOut = verdict.kind === "signed-out";
    if (!isSignedOut) await forget("intents", intent.key);
    if (wallet.token !== token) {
      this.clear();
      // Whoever signed in meanwhile may be who it is of.
      await this.resume();
      return;
    }
    if (isSignedOut) {
      this.clear();
      wallet.leave(true);
      return;
    }
    this.stage =
      verdict.kind === "concluded"
        ? { name: "concluded", payment: verdict.value }
        : { name: "refused", problem: verdict.problem };
    await wallet.refresh();
  }
}

export const flight = new Flight();
