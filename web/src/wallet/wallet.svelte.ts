/** The wallet's state: who is signed in, what the operator says of them, and the payment on its way. */

import { listen } from "../device/live.ts";
import { isOnline, pauseOrOnline } from "../device/online.svelte.ts";
import { type NoteKey, newNoteKey } from "../device/seal.ts";
import { all, find, keep, settings } from "../device/store.ts";
import { mergePages } from "../rules/history.ts";
import { waitBefore } from "../rules/intent.ts";
import { type Answer, ask, isSignedOut, isUnanswered, nothing } from "../wire/http.ts";
import {
  type Account,
  type Payment,
  account as accountShape,
  health as healthShape,
  payments as paymentsShape,
} from "../wire/shapes.ts";

import { forgetBrought } from "./asked.svelte.ts";
import { type Known, forgetKnown, learnAccount, readKnown } from "./known.ts";
import { purse } from "./purse.svelte.ts";

const PAGE = 30;
/** After so long without an answer, what the device remembers is shown meanwhile. */
const PATIENCE_MS = 4_000;
/** How often a quiet opening looks whether the account may be asked for by now. */
const QUIET_LOOK_MS = 5_000;

class Wallet {
  token = $state<string | null>(settings.get("token"));
  account = $state.raw<Account | null>(null);
  /** What is shown of the account while the operator was not heard yet. */
  recalled = $state.raw<Known | null>(null);
  /** The operator was not even asked: who opens a wallet is about to pay, and it would see who. */
  isQuiet = $state(false);
  #wanted = Promise.withResolvers<void>();
  #entered = Promise.withResolvers<void>();
  payments = $state.raw<readonly Payment[]>([]);
  next = $state<string | null>(null);
  loaded = $state(false);
  lost = $state(false);
  signedOut = $state(false);
  /** Remembered, since an opening that may be one for paying asks the operator nothing. */
  playMoney = $state(settings.get("play-money") !== null);
  keyHere = $state(false);
  #stopListening: (() => void) | null = null;
  #refresh: ReturnType<typeof setTimeout> | null = null;

  /** Opens the session and returns once the account is known, or there is no session any more. */
  async open(): Promise<boolean> {
    // Whoever is about to sign in is told of play money before.
    if (this.token === null) void this.#learnOperator();
    await this.#stayQuiet();
    const slow = setTimeout(() => this.#recall(), PATIENCE_MS);
    for (let attempt = 0; this.token !== null; attempt += 1) {
      void this.#learnOperator();
      await this.refresh();
      this.#entered.resolve();
      if (this.account !== null) {
        clearTimeout(slow);
        this.recalled = null;
        this.#follow(this.token);
        void this.#settleNoteKey();
        return true;
      }
      this.#recall();
      if (this.token !== null) await pauseOrOnline(waitBefore(attempt, Math.random()));
    }
    clearTimeout(slow);
    return false;
  }

  /**
   * Opens the purse alone, and returns once the account may be asked for: the person wants it, or
   * this opening seems not to be for paying. Where an account's payment is on its way it is at once.
   */
  async #stayQuiet(): Promise<void> {
    const known = readKnown();
    if (known?.purse == null || !purse.isKept(known.account) || !isOnline()) return;
    if ((await all("intents").catch(() => [])).length > 0) return;
    this.#recall();
    this.isQuiet = this.recalled !== null;
    const looks = setInterval(() => void this.#look(), QUIET_LOOK_MS);
    await purse.whenSettled();
    await this.#look();
    await this.#wanted.promise;
    clearInterval(looks);
    this.isQuiet = false;
  }

  async #look(): Promise<void> {
    if (await purse.mayAsk()) this.#wanted.resolve();
  }

  /** The person wants what only the operator knows or does; returns once it has been asked. */
  want(): Promise<void> {
    this.#wanted.resolve();
    return this.account === null ? this.#entered.promise : Promise.resolve();
  }

  /** Without the operator the purse opens all the same, with what this device keeps. */
  #recall(): void {
    const { token } = this;
    if (token === null || this.account !== null || this.recalled !== null) return;
    const known = readKnown();
    this.recalled = known;
    if (known === null || known.purse === null) return;
    const { account, noteKey } = known;
    void purse.recall({ account, token, noteKey: () => noteKey }, known.purse);
  }

  signIn(token: string): void {
    this.token = token;
    this.signedOut = false;
    forgetKnown();
    settings.set("token", token);
  }

  /** `ended`: the operator no longer knows the session; the person did not ask to leave. */
  leave(ended: boolean): void {
    if (!ended && this.token !== null) {
      void ask({ method: "POST", path: "/v1/sign-out", token: this.token, check: nothing });
    }
    if (!ended) forgetBrought();
    // Another tab may have signed somebody else in, who has not left.
    const isKept = ended && settings.get("token") !== this.token;
    this.#stopListening?.();
    this.#stopListening = null;
    purse.close();
    this.token = null;
    this.account = null;
    this.recalled = null;
    this.#wanted.resolve();
    this.#wanted = Promise.withResolvers();
    this.#entered = Promise.withResolvers();
    this.payments = [];
    this.loaded = false;
    this.signedOut = ended;
    if (isKept) return;
    forgetKnown();
    settings.set("token", null);
  }

  /** Another tab signs in or out: this one goes with it, and nothing of who left stays in it. */
  followOtherTabs(entered: () => void): void {
    window.addEventListener("storage", () => {
      const token = settings.get("token");
      if (token === this.token) return;
      if (this.token !== null) {
        forgetBrought();
        location.reload();
      } else {
        this.token = token;
        entered();
      }
    });
  }

  async refresh(): Promise<void> {
    const { token } = this;
    const [account, page] = await Promise.all([
      this.read("/v1/account", accountShape),
      this.read(`/v1/payments?limit=${PAGE}`, paymentsShape),
    ]);
    if (account !== null && this.token === token) {
      this.account = account;
      // Another tab may have signed somebody else in: what is remembered is theirs.
      if (settings.get("token") === token) learnAccount(account, Date.now());
    }
    // Whoever was signed in when it was asked for may have left since.
    if (page === null || this.token !== token) return;
    if (!this.loaded) this.next = page.next;
    this.loaded = true;
    this.payments = mergePages(this.payments, page.items);
  }

  async more(): Promise<void> {
    if (this.next === null) return;
    const page = await this.read(
      `/v1/payments?limit=${PAGE}&cursor=${encodeURIComponent(this.next)}`,
      paymentsShape,
    );
    if (page === null) return;
    this.next = page.next;
    this.payments = mergePages(this.payments, page.items);
  }

  /** What the operator answers, or null after taking note of why not. */
  async read<T>(path: string, check: (value: unknown, path: string) => T): Promise<T | null> {
    const { token } = this;
    const answer = await ask({ method: "GET", path, token, check });
    return token === this.token ? this.#noted(answer) : null;
  }

  #noted<T>(answer: Answer<T>): T | null {
    if (answer.kind === "answered") {
      this.lost = false;
      return answer.value;
    }
    if (answer.kind === "problem" && isSignedOut(answer.problem)) this.leave(true);
    else if (isUnanswered(answer)) this.lost = true;
    return null;
  }

  async useThisDevice(): Promise<void> {
    const key = await newNoteKey();
    // Kept before it is published: a note sealed to a lost key could never be read.
    await keep("noteKeys", key);
    const answer = await ask({
      method: "PUT",
      path: "/v1/account/note-key",
      token: this.token,
      body: JSON.stringify({ note_key: key.publicKey }),
      check: nothing,
    });
    if (answer.kind === "answered") await this.refresh();
    await this.#lookForKey();
  }

  async noteKey(publicKey: string | null): Promise<NoteKey | null> {
    return publicKey === null ? null : find("noteKeys", publicKey);
  }

  async #lookForKey(): Promise<void> {
    this.keyHere = (await this.noteKey(this.account?.note_key ?? null)) !== null;
  }

  /** The first device publishes its key by itself; a later one asks, in the settings. */
  async #settleNoteKey(): Promise<void> {
    try {
      if (this.account !== null && this.account.note_key === null) await this.useThisDevice();
      else await this.#lookForKey();
    } catch {
      // A browser without X25519 or storage: messages then go unsealed nowhere, they are just not offered.
      this.keyHere = false;
    }
  }

  async #learnOperator(): Promise<void> {
    const health = await ask({ method: "GET", path: "/health", check: healthShape });
    if (health.kind !== "answered") return;
    this.playMoney = health.value.play_money;
    settings.set("play-money", this.playMoney ? "1" : null);
  }

  #follow(token: string): void {
    this.#stopListening?.();
    this.#stopListening = listen({
      token,
      happened: () => this.#refreshSoon(),
      joined: () => this.#refreshSoon(),
    });
  }

  #refreshSoon(): void {
    this.#refresh ??= setTimeout(() => {
      this.#refresh = null;
      void this.refresh();
    }, 120);
  }
}

export const wallet = new Wallet();
