/** One person's wallet living by the shipped policy; every decision is the policy's. */

import { DAY, MINUTE, type Policy, scaled } from "../src/rules/purse/policy.ts";
import {
  type Purse,
  type Spending,
  backupDue,
  chooseTier,
  depositDelayMinutes,
  depositTier,
  isUrgent,
  maySpeakNamed,
  needsRefill,
  refillOutputs,
  signingDelayMinutes,
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
import type { Opening } from "./people.ts";

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
}

const KEYSET = "town";
const EXPONENT = 2;
const DEPOSIT_CHANCE = 0.01;

export class Wallet {
  private coins: Coin[] = [];
  private waiting: { outputs: bigint[]; amount: bigint; signedAt: number } | null = null;
  private spendings: Spending[] = [];
  private lastSpentAt: number | null = null;
  private lastBackupAt: number | null = null;
  private lineages = 0;
  private readonly person: number;
  private readonly policy: Policy;
  private readonly chance: Chance;
  private readonly habit: Habit;
  private readonly emit: (event: Event) => void;

  constructor(person: number, { policy, habit, emit }: Surroundings, chance: Chance) {
    this.person = person;
    this.policy = policy;
    this.chance = chance;
    this.habit = habit;
    this.emit = emit;
  }

  /** The day the purse is set up: the first refill is signed and fetched while the app is open. */
  begin(at: number): void {
    if (this.habit !== "shipped") return;
    this.speakNamed(at, true);
    if (this.policy.refill.first_at_once) this.speakNamed(at + 2 * MINUTE, true);
  }

  live({ from, to, payment }: Opening): void {
    this.tell(from, "open", { to, to_pay: payment !== null });
    if (this.habit !== "shipped") {
      if (payment !== null) this.payAtTill(payment);
      return;
    }
    // When the app opens nobody knows yet whether it is to pay.
    const early = Math.min(from + 1, (payment?.at ?? to) - 1);
    if (payment !== null && this.may(early, from, false)) this.speakNamed(early, false);
    if (payment !== null) {
      this.pay(payment);
      return;
    }
    const idle = from + this.policy.refill.idle_seconds;
    if (idle <= to && this.may(idle, from, false)) this.speakNamed(idle, true);
  }

  private may(now: number, openSince: number, paying: boolean): boolean {
    const { lastSpentAt } = this;
    const urgent = isUrgent(this.policy, EXPONENT, this.purse(), now);
    return maySpeakNamed(this.policy, { now, openSince, paying, lastSpentAt, urgent });
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
    if (backupDue(this.policy, this.lastBackupAt, now, { leavesRefill: isNeeded, isIdle })) {
      this.lastBackupAt = now;
      this.tell(now, "backup", { bytes: this.policy.backup.bytes });
    }
    if (this.chance.uniform() < DEPOSIT_CHANCE) this.deposit(now);
  }

  private fetch(now: number): void {
    const { outputs } = this.waiting as { outputs: bigint[] };
    const lineage = lineageName("refill", this.lineages++);
    this.coins.push(...outputs.map((amount) => coin(amount, lineage, now)));
    this.waiting = null;
    this.tell(now, "fetch", {});
  }

  private leave(now: number): void {
    const amount = chooseTier(this.policy, EXPONENT, this.spendings, now);
    const outputs = refillOutputs(this.policy, amount);
    const isFirst = this.lineages === 0;
    const draw = this.chance.bytes();
    const signedAt = now + signingDelayMinutes(this.policy, draw, isFirst) * MINUTE;
    this.waiting = { outputs, amount, signedAt };
    this.tell(now, "leave", { amount, outputs, draw: hex(draw), due: signedAt });
    this.tell(signedAt, "sign", { amount });
    this.tell(now, "tokens", { count: this.policy.blind_tokens.per_refill });
  }

  private deposit(now: number): void {
    const spare =
      held(rested(this.coins, now)) - scaled(this.policy, this.policy.refill.low_water, 2);
    const amount = spare > 0n ? depositTier(this.policy, EXPONENT, spare) : null;
    const choice = amount === null ? null : chooseCoins(this.policy, this.coins, amount, now);
    if (amount === null || choice === null) return;
    const draw = this.chance.bytes();
    const due = now + depositDelayMinutes(this.policy, draw) * MINUTE;
    const [change, rests_until] = this.spend(choice.coins, choice.overpaid, now);
    const inputs = amounts(choice.coins);
    this.tell(now, "deposit", { amount, inputs, change, rests_until, draw: hex(draw), due });
    this.tell(due, "credit", { amount });
  }

  private pay({ at, shop, amount }: NonNullable<Opening["payment"]>): void {
    const choice = chooseCoins(this.policy, this.coins, amount, at);
    if (choice === null) {
      this.tell(at, "named", { shop, amount });
      return;
    }
    this.tellPaid(choice, { at, shop, amount });
    this.lastSpentAt = at;
    this.spendings = this.spendings.filter((spending) => spending.at > at - 28 * DAY);
    this.spendings.push({ at, amount });
  }

  private spend(spent: readonly Coin[], overpaid: bigint, at: number): [bigint[], number] {
    const gone = new Set(spent);
    const lineage = lineageName("change", this.lineages++);
    const change = changeOf(overpaid);
    const availableAt = changeAvailableAt(this.policy, at, this.chance.bytes());
    this.coins = this.coins.filter((one) => !gone.has(one));
    this.coins.push(...change.map((amount) => coin(amount, lineage, availableAt)));
    return [change, availableAt];
  }

  /** What a careless wallet does: draws at the till what it lacks, exactly or in round sums. */
  private payAtTill({ at, shop, amount }: NonNullable<Opening["payment"]>): void {
    const step = this.habit === "exact" ? 1n : BigInt(this.policy.refill.tiers[0] ?? 1);
    const lacking = amount - held(this.coins);
    if (lacking > 0n) {
      const drawn = ((lacking + step - 1n) / step) * step;
      const before = at - (this.habit === "exact" ? 30 : 60);
      const outputs = changeOf(drawn);
      const lineage = lineageName("refill", this.lineages++);
      this.coins.push(...outputs.map((one) => coin(one, lineage, before)));
      this.tell(before, "leave", { amount: drawn, outputs, draw: "", due: before });
      this.tell(before, "sign", { amount: drawn });
      this.tell(before, "fetch", {});
    }
    const choice = chooseCoins(this.policy, this.coins, amount, at + DAY);
    if (choice === null) {
      this.tell(at, "named", { shop, amount });
      return;
    }
    this.tellPaid(choice, { at, shop, amount });
  }

  private tellPaid(
    choice: Choice<Coin>,
    { at, shop, amount }: NonNullable<Opening["payment"]>,
  ): void {
    const [change, rests_until] = this.spend(choice.coins, choice.overpaid, at);
    this.tell(at, "pay", { shop, amount, inputs: amounts(choice.coins), change, rests_until });
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

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
