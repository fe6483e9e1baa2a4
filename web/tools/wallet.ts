/** One person's wallet living by the shipped policy; every decision is the policy's. */

import { division, mayFetchLetters, passedMax } from "../src/rules/purse/people.ts";
import { DAY, MINUTE, type Policy, type Seconds, scaled } from "../src/rules/purse/policy.ts";
import {
  type Purse,
  type Spending,
  backupDue,
  chooseTier,
  depositDelayMinutes,
  depositTier,
  exchangeAt,
  isIdleOpening,
  isShortOfTokens,
  isUrgent,
  maySpeakNamed,
  needsRefill,
  refillOutputs,
  signingDelayMinutes,
  tokensDue,
} from "../src/rules/purse/refill.ts";
import {
  type Choice,
  type Coin,
  changeAvailableAt,
  changeOf,
  chooseCoins,
  held,
  lineageName,
  rested,
} from "../src/rules/purse/spend.ts";
import type { Chance } from "./chance.ts";
import type { Gift, Opening, Purchase } from "./people.ts";

/** `shipped` is the policy; the others are what the attacker must be able to see through. */
export type Habit = "shipped" | "exact" | "till";

export type Event = {
  readonly at: number;
  readonly kind: string;
  readonly person: number;
} & Record<string, unknown>;

export interface Surroundings {
  readonly policy: Policy;
  readonly habit: Habit;
  readonly emit: (event: Event) => void;
  readonly post: Post;
}

/** What was sent to somebody: in their mailbox at the mint, or as a link. */
export interface Letter {
  readonly number: number;
  readonly at: Seconds;
  readonly passed: readonly bigint[];
}

/** How letters get from wallet to wallet. */
export interface Post {
  send(gift: Gift, passed: readonly bigint[]): number;
  /** What waits in the mailbox at this moment; it is gone once it was looked at. */
  fetch(person: number, now: Seconds): readonly Letter[];
  /** What a link holds. */
  open(number: number): Letter;
}

/** A refill that was left, and the coins that came of it. */
interface Waiting {
  readonly outputs: readonly bigint[];
  readonly amount: bigint;
  readonly signedAt: Seconds;
  coins: readonly Coin[] | null;
}

/** What a backup brings back. */
interface Kept {
  readonly coins: readonly Coin[];
  readonly waiting: Waiting | null;
  readonly spendings: readonly Spending[];
  /** When it was left, or last brought back. */
  readonly at: Seconds;
}

const KEYSET = "town";
const EXPONENT = 2;
const DEPOSIT_CHANCE = 0.01;
/** Blind tokens: for a quote and what it is for, a look-up of a handle, a swap, a letter. */
const TOKENS = { pay: 2, deposit: 2, give: { handle: 3, link: 1 }, swap: 1 } as const;
/** How often the open app looks whether something is to be done. */
const LOOK_SECONDS = 30;

export class Wallet {
  private coins: Coin[] = [];
  private waiting: Waiting | null = null;
  private spendings: Spending[] = [];
  private tokens = 0;
  private kept: Kept | null = null;
  private readonly gone = new Set<Coin>();
  private readonly plans = new Map<Coin, Seconds>();
  private lastBackupAt: number | null = null;
  private lineages = 0;
  private readonly person: number;
  private readonly policy: Policy;
  private readonly chance: Chance;
  private readonly habit: Habit;
  private readonly emit: (event: Event) => void;
  private readonly post: Post;

  constructor(person: number, { policy, habit, emit, post }: Surroundings, chance: Chance) {
    this.person = person;
    this.policy = policy;
    this.chance = chance;
    this.habit = habit;
    this.emit = emit;
    this.post = post;
  }

  /** The day the purse is set up: the first refill is signed at once, and fetched at the next look. */
  begin(at: number): void {
    if (this.habit !== "shipped") return;
    this.tell(at, "key", {});
    this.speakNamed(at, true);
    if (this.policy.refill.first_at_once) this.speakNamed(at + LOOK_SECONDS, true);
  }

  live(opening: Opening): void {
    const { from, to, does } = opening;
    this.tell(from, "open", { to, to_pay: does?.kind === "pay" });
    if (this.habit !== "shipped") {
      if (does?.kind === "pay") this.payAtTill(does);
      return;
    }
    // When the app opens nobody knows yet what for.
    this.look(Math.min(from + 1, (does?.at ?? to) - 1), from, false);
    if (does?.kind === "pay") this.pay(does);
    else if (does?.kind === "give") this.give(does);
    else this.linger(opening);
  }

  /** The app stands open: every half minute it looks whether something is to be done. */
  private linger({ from, to, does }: Opening): void {
    if (does?.kind === "take") this.take(this.post.open(does.letter), does.at);
    if (does?.kind === "restore") this.restore(does.at);
    const since = does?.at ?? from;
    const idle = since + this.policy.refill.idle_seconds;
    for (let now = idle; now <= to; now += LOOK_SECONDS) this.look(now, from, now === idle);
  }

  private look(now: Seconds, openSince: Seconds, isFirstIdle: boolean): void {
    const isIdle = isIdleOpening(this.policy, openSince, now);
    const may = this.may(now, openSince);
    if (may && (!isIdle || isFirstIdle)) this.speakNamed(now, isIdle);
    else if (may) this.fetchTokens(now);
    this.fetchMail(now, openSince);
    this.exchange(now, openSince);
  }

  private may(now: Seconds, openSince: Seconds, urgent = this.isUrgent(now)): boolean {
    const lastSpentAt = this.spendings.at(-1)?.at ?? null;
    return maySpeakNamed(this.policy, { now, openSince, paying: false, lastSpentAt, urgent });
  }

  private isUrgent(now: Seconds): boolean {
    const isShort = isShortOfTokens(this.policy, this.tokens);
    return isShort || isUrgent(this.policy, EXPONENT, this.purse(), now);
  }

  private purse(): Purse {
    const { spendings } = this;
    return { held: held(this.coins), isWaiting: this.waiting !== null, spendings };
  }

  private speakNamed(now: number, isIdle: boolean): void {
    this.tell(now, "contact", {});
    if (this.waiting !== null && this.waiting.signedAt <= now) this.fetch(now);
    const isNeeded = needsRefill(this.policy, EXPONENT, this.purse(), { now, isIdle });
    if (isNeeded) this.leave(now);
    this.fetchTokens(now, isNeeded);
    const exchanges = this.coins.flatMap((one) => this.plans.get(one) ?? []);
    const cause = { leavesRefill: isNeeded, isIdle, exchanges };
    if (backupDue(this.policy, this.lastBackupAt, now, cause)) {
      this.lastBackupAt = now;
      const spendings = [...this.spendings];
      this.kept = { coins: this.coins, waiting: this.waiting, spendings, at: now };
      this.tell(now, "backup", { bytes: this.policy.backup.bytes });
    }
    if (this.chance.uniform() < DEPOSIT_CHANCE) this.deposit(now);
  }

  private fetch(now: Seconds): void {
    this.coins = [...this.coins, ...this.signedCoins(this.waiting as Waiting, now)];
    this.waiting = null;
  }

  /** The coins of a refill, fetched now if they were not before. */
  private signedCoins(waiting: Waiting, now: Seconds): readonly Coin[] {
    if (waiting.coins !== null) return waiting.coins;
    const lineage = lineageName("refill", this.lineages++);
    waiting.coins = waiting.outputs.map((amount) => coin(amount, lineage, now));
    this.tell(now, "fetch", {});
    return waiting.coins;
  }

  private fetchTokens(now: Seconds, leavesRefill = false): void {
    if (!tokensDue(this.policy, this.tokens, leavesRefill)) return;
    const { per_fetch: count } = this.policy.blind_tokens;
    this.tokens += count;
    this.tell(now, "tokens", { count });
  }

  /** Blind tokens go to the mint, as many as there are of them; returns how many. */
  private show(tokens: number): number {
    const shown = Math.min(tokens, this.tokens);
    this.tokens -= shown;
    return shown;
  }

  private leave(now: number): void {
    const amount = chooseTier(this.policy, EXPONENT, this.spendings, now);
    const outputs = refillOutputs(this.policy, amount);
    const isFirst = this.lineages === 0;
    const draw = this.chance.bytes();
    const signedAt = dueAt(now, signingDelayMinutes(this.policy, draw, isFirst));
    this.waiting = { outputs, amount, signedAt, coins: null };
    this.tell(now, "leave", { amount, outputs, draw: hex(draw), due: signedAt });
    this.tell(signedAt, "sign", { amount });
  }

  private deposit(now: number): void {
    const spare =
      held(rested(this.coins, now)) - scaled(this.policy, this.policy.refill.low_water, 2);
    const amount = spare > 0n ? depositTier(this.policy, EXPONENT, spare) : null;
    const choice = amount === null ? null : chooseCoins(this.policy, this.coins, amount, now);
    if (amount === null || choice === null || this.tokens < TOKENS.deposit) return;
    const draw = this.chance.bytes();
    const due = dueAt(now, depositDelayMinutes(this.policy, draw));
    const tokens = this.show(TOKENS.deposit);
    const [change, rests_until] = this.spend(choice.coins, choice.overpaid, now);
    const inputs = amounts(choice.coins);
    const paid = { amount, inputs, change, rests_until, tokens };
    this.tell(now, "deposit", { ...paid, draw: hex(draw), due });
    this.tell(due, "credit", { amount });
  }

  private pay({ at, shop, amount }: Purchase): void {
    const choice = chooseCoins(this.policy, this.coins, amount, at);
    if (choice === null || this.tokens < TOKENS.pay) {
      this.tell(at, "named", { shop, amount, lacks: choice === null ? "coins" : "tokens" });
      return;
    }
    this.tellPaid(choice, { at, shop, amount }, this.show(TOKENS.pay));
    this.spent(at, amount);
  }

  private spent(at: Seconds, amount: bigint): void {
    this.spendings = this.spendings.filter((spending) => spending.at > at - 28 * DAY);
    this.spendings.push({ at, amount });
  }

  /** Where the purse cannot, or may not give so much at once, the account pays, by name. */
  private give(gift: Gift): void {
    const { at, to, way, amount } = gift;
    const isTooMuch = amount > passedMax(this.policy, EXPONENT);
    const choice = isTooMuch ? null : chooseCoins(this.policy, this.coins, amount, at);
    if (choice === null || this.tokens < TOKENS.give[way]) {
      this.tell(at, "named_gift", { to, amount });
      return;
    }
    const tokens = this.show(TOKENS.give[way]);
    const { passed, kept } = division(this.policy, amount, choice.overpaid);
    const rests_until = this.changed(choice.coins, kept, "change", at);
    const letter = this.post.send(gift, passed);
    const inputs = amounts(choice.coins);
    this.tell(at, "give", { to, way, letter, amount, inputs, passed, kept, rests_until, tokens });
    this.spent(at, amount);
  }

  /** Letters wait in the mailbox until this side has banked what is in them. */
  private fetchMail(now: Seconds, openSince: Seconds): void {
    const lastSpentAt = this.spendings.at(-1)?.at ?? null;
    const moment = { now, openSince, paying: false, lastSpentAt };
    if (!mayFetchLetters(this.policy, moment)) return;
    for (const letter of this.post.fetch(this.person, now)) this.take(letter, now);
  }

  private take({ number, passed }: Letter, at: Seconds): void {
    const amount = passed.reduce((sum, one) => sum + one, 0n);
    const { kept } = division(this.policy, 0n, amount);
    const tokens = this.show(TOKENS.swap);
    const rests_until = this.changed([], kept, "received", at);
    this.tell(at, "take", { letter: number, amount, inputs: passed, kept, rests_until, tokens });
  }

  /** Another device: what the backup holds and the mint does not call spent. */
  private restore(now: Seconds): void {
    const { kept } = this;
    this.tell(now, "contact", {});
    if (kept === null) return;
    this.tell(now, "restore", { since: kept.at });
    const { waiting } = kept;
    const isWaiting = waiting !== null && waiting.signedAt > now;
    const refilled = waiting === null || isWaiting ? [] : this.signedCoins(waiting, now);
    this.coins = [...kept.coins, ...refilled]
      .filter((one) => !this.gone.has(one))
      .map((one) => ({ ...one, availableAt: Infinity }));
    for (const one of this.coins) {
      this.plans.set(one, exchangeAt(this.policy, now, this.chance.bytes()));
    }
    [this.waiting, this.spendings, this.tokens] = [
      isWaiting ? waiting : null,
      [...kept.spendings],
      0,
    ];
    this.lastBackupAt = null;
    this.kept = { ...kept, coins: this.coins, waiting: this.waiting, at: now };
    this.fetchTokens(now);
  }

  /** Coins that came back with a backup, each by itself when its hour has come. */
  private exchange(now: Seconds, openSince: Seconds): void {
    const due = this.coins
      .filter((one) => (this.plans.get(one) ?? Infinity) <= now)
      .slice(0, this.policy.restore.at_once);
    if (due.length === 0) return;
    const left = this.coins.filter(({ availableAt }) => availableAt !== Infinity);
    const purse = { ...this.purse(), held: held(left) };
    const isStuck = isUrgent(this.policy, EXPONENT, purse, now);
    if (!this.may(now, openSince, isStuck)) return;
    for (const one of due) {
      if (this.tokens < TOKENS.swap) return;
      const tokens = this.show(TOKENS.swap);
      this.gone.add(one);
      this.coins = this.coins.filter((other) => other !== one);
      this.coins.push(coin(one.amount, lineageName("received", this.lineages++), now));
      const same = [one.amount];
      this.tell(now, "exchange", { inputs: same, kept: same, rests_until: now, tokens });
    }
  }

  private spend(spent: readonly Coin[], overpaid: bigint, at: number): [bigint[], number] {
    const change = changeOf(overpaid);
    return [change, this.changed(spent, change, "change", at)];
  }

  /** Coins go and others come; returns when those may be used. */
  private changed(
    spent: readonly Coin[],
    fresh: readonly bigint[],
    kind: "change" | "received",
    at: Seconds,
  ): Seconds {
    for (const one of spent) this.gone.add(one);
    const lineage = lineageName(kind, this.lineages++);
    const availableAt = changeAvailableAt(this.policy, at, this.chance.bytes());
    this.coins = [
      ...this.coins.filter((one) => !this.gone.has(one)),
      ...fresh.map((amount) => coin(amount, lineage, availableAt)),
    ];
    return availableAt;
  }

  /** What a careless wallet does: draws at the till what it lacks, exactly or in round sums. */
  private payAtTill({ at, shop, amount }: Omit<Purchase, "kind">): void {
    const step = this.habit === "exact" ? 1n : BigInt(this.policy.refill.tiers[0] ?? 1);
    const lacking = amount - held(this.coins);
    if (lacking > 0n) {
      const drawn = ((lacking + step - 1n) / step) * step;
      const before = at - (this.habit === "exact" ? 30 : 60);
      const outputs = changeOf(drawn);
      const lineage = lineageName("refill", this.lineages++);
      this.coins = [...this.coins, ...outputs.map((one) => coin(one, lineage, before))];
      this.tell(before, "leave", { amount: drawn, outputs, draw: "", due: before });
      this.tell(before, "sign", { amount: drawn });
      this.tell(before, "fetch", {});
    }
    const choice = chooseCoins(this.policy, this.coins, amount, at + DAY);
    if (choice === null) {
      this.tell(at, "named", { shop, amount });
      return;
    }
    this.tellPaid(choice, { at, shop, amount }, 0);
  }

  private tellPaid(
    choice: Choice<Coin>,
    { at, shop, amount }: Omit<Purchase, "kind">,
    tokens: number,
  ): void {
    const [change, rests_until] = this.spend(choice.coins, choice.overpaid, at);
    const inputs = amounts(choice.coins);
    this.tell(at, "pay", { shop, amount, inputs, change, rests_until, tokens });
  }

  private tell(at: number, kind: string, more: Record<string, unknown>): void {
    this.emit({ at, kind, person: this.person, ...more });
  }
}

function coin(amount: bigint, lineage: string, availableAt: number): Coin {
  return { amount, keyset: KEYSET, expiresAt: null, lineage, availableAt };
}

function amounts(coins: readonly Coin[]): bigint[] {
  return coins.map(({ amount }) => amount);
}

/** When the operator does what is asked for now: at once, or a whole minute after its delay. */
function dueAt(now: Seconds, minutes: number): Seconds {
  return minutes === 0 ? now : (Math.floor(now / MINUTE) + minutes + 1) * MINUTE;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
