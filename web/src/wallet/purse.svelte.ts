/** The purse on the screens: what it holds, and the private payment on its way. */

import { isOnline } from "../device/online.svelte.ts";
import { settings } from "../device/store.ts";
import type { Money } from "../rules/money.ts";
import { POLICY } from "../rules/purse/policy.ts";
import { isForPaying } from "../rules/purse/refill.ts";
import type { RelayNamed } from "../rules/purse/relay.ts";
import { startPurse } from "../purse/client.ts";
import type { Receipt } from "../purse/model.ts";
import type {
  Calls,
  Deposited,
  Filled,
  News,
  Offer,
  OpenMoment,
  Opening,
  OrderCode,
  Paid,
  Posted,
  Refunded,
  Summary,
} from "../purse/talk.ts";
import { type PurseFacts, purseFacts } from "../purse/wire.ts";
import { ask } from "../wire/http.ts";
import type { Verdict } from "../purse/verifying.ts";
import { type PurseKnown, learnPurse } from "./known.ts";
import {
  answerOffer,
  findRelay,
  hearRelay,
  isThroughRelay,
  relayUse,
  relayView,
  type RelayView,
} from "./relayed.ts";

/** A person's own account and session, as the named side of the purse needs them. */
export interface Holder {
  readonly account: string;
  readonly token: string;
  /** To which messages and e-cash for this account are sealed; null where there is none yet. */
  readonly noteKey: () => string | null;
}

export type PrivateStage =
  | { readonly name: "working" | "unknown"; readonly resumed: boolean }
  | { readonly name: "paid"; readonly receipt: Receipt }
  | { readonly name: "refused"; readonly code: number };

const IDLE_LOOK_MS = 30_000;
const seconds = (): number => Math.floor(Date.now() / 1000);

class PurseOnScreen {
  /** What the operator says; null where it has no purse, or is not known yet. */
  facts = $state.raw<PurseFacts | null>(null);
  /** How many people have a purse, as it was read last: with the purse's facts, or by its worker. */
  crowd = $state<number | null>(null);
  summary = $state.raw<Summary | null>(null);
  receipts = $state.raw<readonly Receipt[]>([]);
  stage = $state.raw<PrivateStage | null>(null);
  shown = $state.raw<{ readonly payee: string; readonly total: Money } | null>(null);
  /** What went back to the account when the purse was closed; until it is started again. */
  closed = $state.raw<bigint | null>(null);
  filled = $state.raw<Filled | null>(null);
  isFilling = $state(false);
  isDirect = $state(false);
  /** The relay could not be used last. */
  isRelayGone = $state(false);
  relay = $state.raw<RelayView>(relayView());
  verdicts = $state.raw<Readonly<Record<string, Verdict>>>({});
  /** Whether it is known if this device has a purse: before that, no payment is looked at. */
  isSettled = $state(false);
  #settled = Promise.withResolvers<void>();
  #holder: Holder | null = null;
  #calls: Calls | null = null;
  /** What the worker has open, as text; null where nothing. */
  #opened: string | null = null;
  /** The operator was heard in this opening: until then nothing is asked by itself. */
  #isHeard = false;
  #openSince = seconds();
  /** When something to be paid was last looked at in this opening. */
  #lookedAt: number | null = null;
  /** The next payment to end is the one on the screen. */
  #isShownEnding = false;
  #looks: ReturnType<typeof setInterval> | null = null;

  /** Learns of the purse; its worker is started only where this device has used it before. */
  async open(holder: Holder): Promise<void> {
    this.#holder = holder;
    this.#openSince = seconds();
    const [answer] = await Promise.all([
      ask({ method: "GET", path: "/v1/purse", token: holder.token, check: purseFacts }),
      this.#isRelayDue(holder.account) ? findRelay() : null,
    ]);
    this.relay = relayView();
    this.#isHeard = true;
    if (answer.kind === "answered") {
      this.facts = answer.value;
      this.crowd = answer.value.crowd;
      learnPurse(holder.account, answer.value);
    } else if (answer.kind === "problem") this.facts = null;
    await this.#enter();
  }

  /** With a purse an idle moment asks, and its thread finds one; without there is nothing to hide. */
  #isRelayDue(account: string): boolean {
    return relayView().kept === null && !this.isKept(account);
  }

  /** Opens what the device keeps while the operator is not reached. */
  async recall(holder: Holder, { mint, unit }: PurseKnown): Promise<void> {
    this.#holder = holder;
    this.#openSince = seconds();
    this.facts = { mint, unit, crowd: null, refill: null };
    await this.#enter();
    this.verdicts = (await this.#calls?.verdicts().catch(() => null)) ?? this.verdicts;
  }

  /** Whether this device keeps a purse of the account. */
  isKept(account: string): boolean {
    return settings.get(`purse.${account}`) !== null;
  }

  /** Whether the account may be asked for by itself; without a purse there is nothing to hide. */
  async mayAsk(): Promise<boolean> {
    if (this.isSettled && this.#calls === null) return true;
    const moment = this.#moment(false);
    return (await this.#calls?.mayAsk(moment).catch(() => true)) ?? false;
  }

  #moment(isAsked: boolean): OpenMoment {
    const paying = isForPaying(POLICY, this.#lookedAt, seconds());
    return { openSince: this.#openSince, paying, isAsked };
  }

  async #enter(): Promise<void> {
    try {
      if (settings.get(this.#mark) !== null) await this.#begin();
    } catch {
      // A browser that keeps nothing (private mode) has no purse; the account is there all the same.
      this.summary = null;
    } finally {
      this.isSettled = true;
      this.#settled.resolve();
    }
  }

  close(): void {
    if (this.#looks !== null) clearInterval(this.#looks);
    this.#looks = null;
    this.#holder = null;
    this.#opened = null;
    this.#isHeard = false;
    this.isSettled = false;
    this.#settled = Promise.withResolvers();
    this.facts = null;
    this.crowd = null;
    this.summary = null;
    this.closed = null;
    this.stage = null;
    this.receipts = [];
    this.verdicts = {};
  }

  /** Until then nobody may be asked about an order: the named side would learn who looks at it. */
  whenSettled(): Promise<void> {
    return this.#settled.promise;
  }

  get #mark(): string {
    return `purse.${this.#holder?.account ?? ""}`;
  }

  /** Whether a payment may come from the purse. */
  get isReady(): boolean {
    return this.summary !== null && this.summary.list !== "broken" && this.summary.balance > 0n;
  }

  /** Whether the mint is asked through the relay just now: a person may go on without it for once. */
  get isBehindRelay(): boolean {
    return isThroughRelay(this.relay.use) && !this.isDirect;
  }

  /** Whether going on without the relay could help: not where the device itself has no network. */
  get mayGoDirect(): boolean {
    return this.isBehindRelay && isOnline();
  }

  async #begin(): Promise<Calls | null> {
    const { facts } = this;
    if (facts === null || this.#holder === null) return null;
    this.#calls ??= startPurse((news) => this.#heard(news));
    const { account } = this.#holder;
    const { unit, mint } = facts;
    await this.#openOnce(this.#calls, { account, unit, mint, relay: relayUse() });
    if (this.#isHeard) {
      this.#looks ??= setInterval(() => void this.#tick(), IDLE_LOOK_MS);
      void this.#tick();
    }
    return this.#calls;
  }

  /** What was opened without the operator stays open when it is heard, unless something is other. */
  async #openOnce(calls: Calls, opening: Opening): Promise<void> {
    const asked = JSON.stringify(opening);
    if (asked === this.#opened) return;
    this.#opened = asked;
    try {
      this.summary = await calls.open(opening);
      this.crowd ??= this.summary.crowd;
      this.receipts = await calls.receipts();
    } catch (error) {
      this.#opened = null;
      throw error;
    }
    void calls.resume();
  }

  async #tick(): Promise<void> {
    await this.fill(false);
    await this.fetchMail(false);
    const moment = this.#moment(false);
    await this.#calls?.tend(moment).catch(() => undefined);
    this.verdicts = (await this.#calls?.verdicts().catch(() => null)) ?? this.verdicts;
  }

  /** Fetches e-cash that others sent: by itself while nothing is paid, or because it is asked for. */
  async fetchMail(isAsked: boolean): Promise<Posted> {
    const holder = this.#holder;
    if (this.#calls === null || holder === null) return "lost";
    const moment = this.#moment(isAsked);
    if (isAsked) await this.getReady();
    return this.#calls.fetchMail(holder.token, holder.noteKey(), moment).catch(() => "lost");
  }

  /** What others sent is exchanged, for which the mint may ask for a blind token: so there is one. */
  async getReady(): Promise<void> {
    if (this.summary?.hasTokens === true || this.#holder === null) return;
    await this.#calls?.getReady(this.#holder.token).catch(() => undefined);
  }

  /** The purse's worker, for e-cash between people; this device has a purse from now on. */
  async worker(): Promise<Calls | null> {
    if (this.#calls !== null) return this.#calls;
    await this.whenSettled();
    if (this.facts === null) return null;
    settings.set(this.#mark, "1");
    await navigator.storage.persist().catch(() => false);
    return this.#begin().catch(() => null);
  }

  /** The session by which the named side is asked. */
  get token(): string | null {
    return this.#holder?.token ?? null;
  }

  async readReceipts(): Promise<void> {
    this.receipts = (await this.#calls?.receipts()) ?? [];
  }

  /** From here on nothing is asked of the named side by itself, for as long as after a payment. */
  pays(): void {
    this.#lookedAt = seconds();
  }

  #heard(news: News): void {
    if (news.kind === "changed") this.#changed(news.summary);
    else if (news.kind === "changed-elsewhere") this.#changedElsewhere(news.summary);
    else if (news.kind === "ended") this.#ended(news.outcome);
    else if (news.kind === "relay") this.isRelayGone = news.isGone && isOnline();
    else if (news.kind === "relay-named") this.#relayNamed(news.named);
    else if (this.stage?.name === "working") this.stage = { ...this.stage, name: "unknown" };
  }

  #relayNamed(named: RelayNamed): void {
    hearRelay(named);
    void this.#useRelay();
  }

  async #useRelay(): Promise<void> {
    this.relay = relayView();
    this.isRelayGone = false;
    await this.#calls?.setRelay(relayUse()).catch(() => undefined);
  }

  /** The person says whether the relay that the operator names now takes the place of the other. */
  async answerRelay(isTaken: boolean): Promise<void> {
    answerOffer(isTaken);
    await this.#useRelay();
  }

  /** Asks the operator for its relay now; false where it is not there. */
  async lookForRelay(): Promise<boolean> {
    const isHeard = await findRelay();
    await this.#useRelay();
    return isHeard;
  }

  /** What the worker keeps of the crowd may be older than the page's own reading. */
  #changed(summary: Summary): void {
    if (summary.crowd !== this.summary?.crowd) this.crowd = summary.crowd;
    this.summary = summary;
  }

  #changedElsewhere(summary: Summary): void {
    this.#changed(summary);
    void this.readReceipts();
  }

  #ended(outcome: Paid): void {
    if (outcome.kind === "paid") this.#keepReceipt(outcome.receipt);
    if (!this.#isShownEnding) return;
    this.#isShownEnding = false;
    this.stage =
      outcome.kind === "paid"
        ? { name: "paid", receipt: outcome.receipt }
        : { name: "refused", code: outcome.code };
  }

  /** The list may have been read since, with this receipt in it. */
  #keepReceipt(receipt: Receipt): void {
    this.receipts = [receipt, ...this.receipts.filter(({ id }) => id !== receipt.id)];
  }

  /** The person agrees to refills; this device has a purse from now on. */
  async start(): Promise<void> {
    settings.set(this.#mark, "1");
    // Asked so that the browser does not throw e-cash away when it runs short of room.
    await navigator.storage.persist().catch(() => false);
    const calls = await this.#begin();
    this.closed = null;
    await calls?.start(true);
    await this.fill(true);
  }

  async stop(): Promise<void> {
    await this.#calls?.start(false);
  }

  /** The person chose the sum of each refill: what waits is replaced by one of it. */
  async chooseTier(tier: number): Promise<void> {
    await this.#calls?.chooseTier(tier);
    await this.fill(true);
  }

  /** Speaks to the named side: by itself as the policy lets it, or because the person asks. */
  async fill(isAsked: boolean): Promise<void> {
    if (this.#calls === null || this.#holder === null || this.isFilling) return;
    this.isFilling = true;
    const moment = this.#moment(isAsked);
    const filled = await this.#calls.fill(this.#holder.token, moment).catch(() => "lost" as const);
    if (filled !== "not-now" || isAsked) this.filled = filled;
    this.isFilling = false;
  }

  /** Looks at an order without a name; from here on this opening is one for paying. */
  async look(code: OrderCode): Promise<Offer> {
    this.#lookedAt = seconds();
    if (this.#calls === null) return { kind: "lost" };
    return this.#calls.look(code).catch(() => ({ kind: "lost" }) as const);
  }

  async forget(): Promise<void> {
    await this.#calls?.forget();
  }

  /** Pays once, however often it is called while it runs. */
  async pay(offer: string, payee: string, total: Money): Promise<void> {
    if (this.stage !== null || this.#calls === null) return;
    this.stage = { name: "working", resumed: false };
    this.shown = { payee, total };
    const paid = await this.#calls.pay(offer).catch(() => null);
    this.#isShownEnding = true;
    if (paid !== null) {
      this.#ended(paid);
      return;
    }
    // It may have been sent: what is stored of it is carried on, and its end comes as news.
    this.stage = { name: "unknown", resumed: false };
    await this.#calls.resume().catch(() => undefined);
  }

  async deposit(tier: bigint): Promise<Deposited> {
    if (this.#calls === null || this.#holder === null) return { kind: "lost" };
    const ended = await this.#calls
      .deposit(this.#holder.token, Number(tier))
      .catch(() => ({ kind: "lost" }) as const);
    if (ended.kind === "paid") this.#keepReceipt(ended.receipt);
    return ended;
  }

  /** False where the purse could not be reached. */
  async issueAnew(keysets: readonly string[]): Promise<boolean> {
    if (this.#calls === null) return false;
    return this.#calls.issueAnew(keysets).then(
      () => true,
      () => false,
    );
  }

  async closeDown(): Promise<Deposited> {
    if (this.#calls === null || this.#holder === null) return { kind: "lost" };
    const ended = await this.#calls
      .close(this.#holder.token)
      .catch(() => ({ kind: "lost" }) as const);
    if (ended.kind === "paid") {
      this.#keepReceipt(ended.receipt);
      this.closed = BigInt(ended.receipt.amount);
    }
    return ended;
  }

  async askRefund(receipt: string): Promise<Refunded> {
    if (this.#calls === null) return "lost";
    return this.#calls.askRefund(receipt).catch(() => "lost" as const);
  }

  /** Whether the mint is asked without the relay: for one payment, because the person said so. */
  async goDirect(isDirect: boolean): Promise<void> {
    if (this.isDirect === isDirect) return;
    this.isDirect = isDirect;
    await this.#calls?.goDirect(isDirect).catch(() => undefined);
  }

  clear(): void {
    if (this.stage?.name === "working" || this.stage?.name === "unknown") return;
    void this.goDirect(false);
    this.stage = null;
    this.shown = null;
  }
}

export const purse = new PurseOnScreen();
