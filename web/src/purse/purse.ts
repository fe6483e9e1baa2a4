/** The purse as its worker runs it: what the screens may ask, and what goes on by itself. */

import { exponentOf } from "../rules/money.ts";
import { MINUTE, POLICY, type Seconds, scaled } from "../rules/purse/policy.ts";
import {
  type Purse as Filling,
  type Moment,
  depositTier,
  isIdleOpening,
  isShortOfTokens,
  isUrgent,
  maySpeakNamed,
} from "../rules/purse/refill.ts";
import { isChange, rested } from "../rules/purse/spend.ts";
import { Book, type Ports } from "./book.ts";
import { exchangeDue, isDue, planned, waitsForExchange } from "./exchanging.ts";
import { keepBackup, withKey } from "./keeping.ts";
import { isRevoked, listHash } from "./keysets.ts";
import { agreesWith, readList, readTokenList } from "./listing.ts";
import type { Mint } from "./mint.ts";
import { type PurseState, type Receipt, type Spend, newPurse, sumOf } from "./model.ts";
import type { NamedSide } from "./named.ts";
import { wholeOf } from "./people-parting.ts";
import { peopleSummary } from "./people-view.ts";
import { People } from "./people.ts";
import { keyOfPhrase, newPhrase } from "./phrase.ts";
import { noSeals } from "./people-seals.ts";
import { askForRefund, fetchRefund } from "./refunding.ts";
import {
  fillingOf,
  settleRefills,
  tierChosen,
  tierOf,
  tiersOf,
  withdrawRefills,
} from "./refilling.ts";
import { restore } from "./restoring.ts";
import { agreedTo, isStuck, isUndecided, undecidedOf } from "./revoked.ts";
import { type Outcome, type Target, carry, lockOf, pay, payable, prepare } from "./spending.ts";
import { dropEnded, fetchTokens } from "./tokens.ts";
import { type Verdict, fetchKeys as fetchReceiptKeys, verdictOf } from "./verifying.ts";
import {
  type Deposited,
  type Filled,
  NOT_SENT,
  type Offer,
  type OpenMoment,
  type OrderCode,
  type Refunded,
  type Restored,
  type Summary,
} from "./talk.ts";

/** The mint's codes that say that its list of keysets is another by now: a proof false, a keyset idle. */
const LIST_CHANGED = [10001, 12002];

export class Purse {
  readonly people: People;
  readonly #book: Book;
  readonly #mint: Mint;
  readonly #ports: Ports;
  /** The payment that is looked at: stored once the person agrees, replaced by what is looked at next. */
  #offer: { readonly spend: Spend; readonly covers: boolean } | null = null;
  /** Counts looks, and the times that the person went away from one. */
  #looks = 0;
  #isCarrying = false;

  private constructor(book: Book, mint: Mint, ports: Ports) {
    this.#book = book;
    this.#mint = mint;
    this.#ports = ports;
    this.people = new People({ book, mint, ports, seals: ports.seals ?? noSeals });
  }

  static async open(unit: string, mint: Mint, ports: Ports): Promise<Purse> {
    const book = await Book.open(ports, newPurse(unit));
    await dropEnded(book, ports.now());
    return new Purse(book, mint, ports);
  }

  async summary(): Promise<Summary> {
    return summaryOf(await this.#book.read(), this.#ports.now());
  }

  async receipts(): Promise<readonly Receipt[]> {
    return this.#ports.vault.receipts();
  }

  /** Finishes what was on its way when the page was last closed; says how each payment ended. */
  async resume(ended: (outcome: Outcome) => void, doubtful: () => void): Promise<void> {
    for (const spend of (await this.#book.read()).spends) {
      // Another tab that carries it already holds its lock.
      const outcome = await this.#ports.locks.tryHold(lockOf(spend), () =>
        carry(this.#book, this.#mint, this.#ports, spend, doubtful),
      );
      if (outcome !== null) ended(outcome);
    }
  }

  /** The person agrees that the operator fills the purse from the account, or no longer does. */
  async setStarted(isStarted: boolean): Promise<void> {
    await this.#book.change((state) => ({ ...state, isStarted }));
  }

  /** The person chose the sum of refills; the next look leaves it. */
  async chooseTier(tier: number): Promise<void> {
    await this.#book.change((state) => tierChosen(state, tier));
  }

  /**
   * Speaks to the named side if the policy lets it now, or because the person asks for it.
   *
   * Never while a payment is looked at or on its way, so that no refill follows a payment.
   */
  async fill(named: NamedSide, moment: OpenMoment): Promise<Filled> {
    const state = await this.#book.read();
    if (this.#offer !== null || state.spends.length > 0) return "not-now";
    if (state.people.handings.some(({ stage }) => stage === "swapping")) return "not-now";
    if (!moment.isAsked && !this.#maySpeak(state, moment)) return "not-now";
    const isIdle = moment.isAsked || isIdleOpening(POLICY, moment.openSince, this.#ports.now());
    await this.#learn(named);
    await this.#ports.locks.tryHold("refunds", () => this.askRefunds());
    const filled = await this.#ports.locks.tryHold("refill", () =>
      settleRefills(this.#book, this.#mint, named, this.#ports, isIdle),
    );
    const occasion = { leavesRefill: filled === "left", isIdle };
    await this.#fetchTokens(named, occasion.leavesRefill);
    await this.#ports.locks.tryHold("backup", () =>
      keepBackup(this.#book, named, this.#ports, occasion),
    );
    return filled ?? "not-now";
  }

  /**
   * How many have a purse, as the operator says; and whether the mint asks for blind tokens.
   *
   * The second is read in the list that everybody sees and merchants' codes vouch for, not asked in
   * the session: whoever alone were told that none are asked for would be known by coming without.
   */
  async #learn(named: NamedSide): Promise<void> {
    const facts = await named.facts();
    if (facts !== null) await this.#book.change((one) => ({ ...one, crowd: facts.crowd }));
    await this.#asksTokens();
  }

  async #asksTokens(): Promise<boolean> {
    if (this.#book.state.asksTokens !== true) await readTokenList(this.#book, this.#mint);
    return this.#book.state.asksTokens === true;
  }

  async #fetchTokens(named: NamedSide, leavesRefill = false): Promise<void> {
    const call = { now: this.#ports.now(), leavesRefill };
    await this.#ports.locks.tryHold("tokens", () =>
      fetchTokens(this.#book, this.#mint, named, call),
    );
  }

  /**
   * Has blind tokens ready for a purse that has none, mostly because it was never filled: without
   * them it could not even take what somebody gives. Not soon after a payment, which it would follow.
   */
  async getReady(named: NamedSide): Promise<void> {
    const { tokens, spendings } = await this.#book.read();
    const quietUntil = (spendings.at(-1)?.at ?? -Infinity) + POLICY.refill.quiet_minutes * MINUTE;
    if (tokens.length > 0 || this.#ports.now() < quietUntil) return;
    await this.#getTokens(named);
  }

  /** Fetches tokens where there are hardly any. A mint that asks for none is told nothing of it. */
  async #getTokens(named: NamedSide): Promise<void> {
    const isAsking = await this.#asksTokens();
    const { tokens } = this.#book.state;
    if (isAsking && isShortOfTokens(POLICY, tokens.length)) await this.#fetchTokens(named);
  }

  #maySpeak(state: PurseState, moment: OpenMoment): boolean {
    return (state.isStarted || state.refills.length > 0) && this.#isTime(state, moment);
  }

  #isTime(state: PurseState, moment: OpenMoment): boolean {
    const isShort = state.asksTokens === true && isShortOfTokens(POLICY, state.tokens.length);
    const urgent = isShort || this.#isUrgent(state, fillingOf(state));
    return maySpeakNamed(POLICY, this.#momentOf(state, moment, urgent));
  }

  #isUrgent({ unit }: PurseState, filling: Filling): boolean {
    return isUrgent(POLICY, exponentOf(unit.toUpperCase()), filling, this.#ports.now());
  }

  /** Whether the page may ask the operator's named side for the account by itself by now. */
  async mayAsk(moment: OpenMoment): Promise<boolean> {
    const state = await this.#book.read();
    return this.#offer === null && state.spends.length === 0 && this.#isTime(state, moment);
  }

  #momentOf(state: PurseState, { openSince, paying }: OpenMoment, urgent: boolean): Moment {
    const lastSpentAt = state.spendings.at(-1)?.at ?? null;
    return { now: this.#ports.now(), openSince, paying, lastSpentAt, urgent };
  }

  newPhrase(): string {
    return newPhrase(this.#ports.random);
  }

  /** The words are written down: the next backup that is due is sealed for them. */
  async keepPhrase(phrase: string): Promise<boolean> {
    const key = await keyOfPhrase(phrase);
    if (key !== null) await this.#book.change((state) => withKey(state, key, null));
    return key !== null;
  }

  async hasBackup(named: NamedSide): Promise<boolean | null> {
    const found = await named.backup();
    return found === null ? null : found !== "none";
  }

  /** Takes over what the backup holds; the person asked for it. */
  async restore(named: NamedSide, phrase: string): Promise<Restored> {
    // A backup holds no tokens, and what it holds is exchanged with one for each coin.
    await this.#learn(named);
    const restored = await this.#ports.locks.tryHold("refill", () =>
      restore(this.#book, this.#mint, named, this.#ports, phrase),
    );
    if (restored?.kind === "restored") await this.#fetchTokens(named);
    return restored ?? { kind: "lost" };
  }

  /** The person has e-cash of these revoked keysets issued anew, at hours that are drawn now. */
  async issueAnew(keysets: readonly string[]): Promise<void> {
    const now = this.#ports.now();
    await this.#book.change((state) => planned(agreedTo(state, keysets), now, this.#ports.random));
  }

  /** Exchanges coins whose hour has come, in an opening that is idle and far from any payment. */
  async tend(moment: OpenMoment): Promise<void> {
    const now = this.#ports.now();
    let state = await this.#book.read();
    if (planned(state, now, this.#ports.random) !== state) {
      state = await this.#book.change((one) => planned(one, now, this.#ports.random));
    }
    if (this.#offer !== null || state.spends.length > 0) return;
    if (maySpeakNamed(POLICY, this.#momentOf(state, moment, false))) {
      await this.#ports.askForRelay?.();
      const asking = this.#ports.askReceiptKey;
      if (asking !== undefined) await fetchReceiptKeys(this.#book, this.#ports, asking);
    }
    if (!isDue(state, now)) return;
    const left = state.coins.filter((coin) => !waitsForExchange(coin));
    const filling = { ...fillingOf(state), held: BigInt(sumOf(left)) };
    const helps = state.coins.some((coin) => waitsForExchange(coin) && !isUndecided(state, coin));
    const urgent = helps && this.#isUrgent(state, filling);
    if (!maySpeakNamed(POLICY, this.#momentOf(state, moment, urgent))) return;
    await this.#ports.locks.tryHold("exchange", () =>
      exchangeDue(this.#book, this.#mint, this.#ports),
    );
  }

  /** Looks at an order at the mint, without a name; the coins for it are chosen and not yet spent. */
  async look(code: OrderCode): Promise<Offer> {
    this.#looks += 1;
    const mine = this.#looks;
    // A code without the hash leaves the wallet to look for itself whether the keys have changed.
    if (code.listHash === null) await readList(this.#book, this.#mint);
    else if (!(await agreesWith(this.#book, this.#mint, code.listHash))) {
      return { kind: "other-keys" };
    }
    const { request, amount, tip } = code;
    const vouched = code.listHash === null ? {} : { vouched: this.#book.state.vouched };
    const target: Target = { method: "amana-merchant", request, amount, tip, ...vouched };
    const asked = await prepare(this.#book, this.#mint, this.#ports, target);
    if (asked.kind === "no-keyset") return { kind: "other-keys" };
    if (asked.kind !== "quoted") return asked;
    // The person went away meanwhile: an offer that nobody sees would hold up all that waits for it.
    if (mine !== this.#looks) return { kind: "lost" };
    const { spend, covers, quote } = asked;
    this.#offer = { spend, covers };
    return {
      kind: "offer",
      id: spend.id,
      payee: spend.payee,
      amount: spend.amount,
      unit: this.#book.state.unit,
      covers,
      reference: quote.reference,
      isTipAsked: quote.tip_asked === true,
    };
  }

  /** The person went away from the review. */
  forget(): void {
    this.#looks += 1;
    this.#offer = null;
  }

  async pay(id: string, doubtful: () => void): Promise<Outcome> {
    const offer = this.#offer;
    if (offer?.spend.id !== id || !offer.covers || this.#isCarrying) {
      return { kind: "refused", code: NOT_SENT, detail: "" };
    }
    this.#isCarrying = true;
    try {
      return await this.#carried(offer.spend, doubtful);
    } catch (error) {
      // Where it is not stored it was not sent; what is stored is carried on.
      if (this.#book.state.spends.some((spend) => spend.id === id)) throw error;
      return { kind: "refused", code: NOT_SENT, detail: "" };
    } finally {
      this.#isCarrying = false;
      if (this.#offer === offer) this.#offer = null;
    }
  }

  /**
   * Where the mint calls a good coin false, its keyset may have been revoked; where it calls the one
   * for change inactive, another signs. The list says so, and the next try goes by it.
   */
  async #carried(spend: Spend, doubtful: () => void): Promise<Outcome> {
    const outcome = await pay(this.#book, this.#mint, this.#ports, spend, doubtful);
    if (outcome.kind === "refused" && LIST_CHANGED.includes(outcome.code)) {
      await readList(this.#book, this.#mint);
    }
    return outcome;
  }

  /** Moves a tier back into the account, by an address that is good for once. */
  async deposit(named: NamedSide, tier: number, doubtful: () => void): Promise<Deposited> {
    const exponent = exponentOf(this.#book.state.unit.toUpperCase());
    if (depositTier(POLICY, exponent, BigInt(tier)) !== BigInt(tier)) return { kind: "off-menu" };
    await readList(this.#book, this.#mint);
    await this.#getTokens(named);
    const request = await named.depositRequest();
    if (request === null) return { kind: "lost" };
    const target = { method: "amana-account", request, amount: tier, tip: 0 } as const;
    const asked = await prepare(this.#book, this.#mint, this.#ports, target);
    if (asked.kind === "no-keyset" || asked.kind === "no-token") return { kind: "lost" };
    if (asked.kind !== "quoted") return asked;
    // The quote must be for what was agreed to, whatever the mint answers.
    if (asked.spend.amount !== tier || !asked.covers) return { kind: "too-little" };
    return this.#carried(asked.spend, doubtful);
  }

  /**
   * Moves everything into the account at once, because it is being closed; a refill that waits is
   * taken back first.
   *
   * The one way back that is not a tier: the sum and its hour can give the owner's payments away.
   */
  async close(named: NamedSide, doubtful: () => void): Promise<Deposited> {
    await this.setStarted(false);
    const settled = await this.#ports.locks.tryHold("refill", () =>
      withdrawRefills(this.#book, this.#mint, named, this.#ports),
    );
    if (settled === null || settled === "lost") return { kind: "lost" };
    await readList(this.#book, this.#mint);
    const amount = sumOf(payable(this.#book.state));
    if (amount === 0) return { kind: "too-little" };
    await this.#getTokens(named);
    const request = await named.depositRequest(true);
    if (request === null) return { kind: "lost" };
    const target = { method: "amana-account", request, amount, tip: 0, isAll: true } as const;
    const asked = await prepare(this.#book, this.#mint, this.#ports, target);
    if (asked.kind === "no-keyset" || asked.kind === "no-token") return { kind: "lost" };
    if (asked.kind !== "quoted") return asked;
    if (asked.spend.amount !== amount) return { kind: "too-little" };
    return this.#carried(asked.spend, doubtful);
  }

  /** Asks for the refunds whose hour has come; not in an opening that is for paying. */
  async askRefunds(): Promise<void> {
    for (const refund of (await this.#book.read()).refunds) {
      await fetchRefund(this.#book, this.#mint, this.#ports, refund);
    }
    const due = this.#book.state.asks.filter(({ at }) => at <= this.#ports.now());
    for (const ask of due) await askForRefund(this.#book, this.#mint, this.#ports, ask);
  }

  async askRefund(id: string): Promise<Refunded> {
    const receipt = (await this.receipts()).find((one) => one.id === id);
    if (receipt?.refundKey == null) return "none";
    const { refundKey: key } = receipt;
    const found = await this.#ports.locks.tryHold("refunds", () =>
      askForRefund(this.#book, this.#mint, this.#ports, { receipt: id, key, at: 0 }),
    );
    return found ?? "lost";
  }

  /** Whether each receipt is what its merchant's key has signed, by the receipt's id. */
  async verdicts(): Promise<Readonly<Record<string, Verdict>>> {
    const keys = (await this.#book.read()).keeping.receiptKeys ?? {};
    const found = (await this.receipts()).map(
      async (one) => [one.id, await verdictOf(one, keys)] as const,
    );
    return Object.fromEntries(await Promise.all(found));
  }

  async listHash(): Promise<string> {
    return listHash(this.#book.state.keysets, this.#book.state.tokenKeysets);
  }
}

export function summaryOf(state: PurseState, now: Seconds): Summary {
  const coins = payable(state).map((coin) => ({
    ...coin,
    amount: BigInt(coin.amount),
    expiresAt: null,
  }));
  const ready = rested(coins, now).reduce((sum, { amount }) => sum + amount, 0n);
  const exponent = exponentOf(state.unit.toUpperCase());
  return {
    unit: state.unit,
    balance: BigInt(sumOf(state.coins)),
    ready,
    onItsWay: BigInt(sumOf(state.spends.map(({ amount }) => ({ amount })))) + swapping(state),
    isStarted: state.isStarted,
    hasTokens: state.tokens.length > 0,
    refill: state.refills.at(-1)?.tier ?? null,
    refillMadeAt: state.refills.at(-1)?.madeAt ?? null,
    tier: tierOf(state, now),
    tiers: tiersOf(state),
    list: listOf(state),
    keysets: state.keysets.filter(({ unit }) => unit === state.unit).length,
    crowd: state.crowd,
    depositTiers: POLICY.deposit.tiers
      .map((tier) => scaled(POLICY, tier, exponent))
      .filter((tier) => tier <= ready),
    backup: state.keeping.backup === null ? null : { lastAt: state.keeping.backup.lastAt },
    exchanging: BigInt(sumOf(payable(state).filter(waitsForExchange))),
    revoked: BigInt(sumOf(state.coins.filter(({ keyset }) => isRevoked(state.keysets, keyset)))),
    undecided: undecidedOf(state),
    stuck: BigInt(sumOf(state.coins.filter((coin) => isStuck(state, coin)))),
    resting: restingOf(state, now),
    ...peopleSummary(state, exponent),
  };
}

function listOf({ isListBroken, isTokenListBroken, keysets }: PurseState): Summary["list"] {
  if (isListBroken || isTokenListBroken) return "broken";
  return keysets.length === 0 ? "unknown" : "known";
}

function restingOf(state: PurseState, now: Seconds): Summary["resting"] {
  const resting = payable(state).filter(
    (coin) => coin.availableAt > now && !waitsForExchange(coin),
  );
  const [change, received] = [resting.filter(isChange), resting.filter((coin) => !isChange(coin))];
  return { change: BigInt(sumOf(change)), received: BigInt(sumOf(received)) };
}

/** What is on its way to others or from them, its swap not known to have ended. */
function swapping({ people, keeping }: PurseState): bigint {
  const going = people.handings.filter(({ stage }) => stage === "swapping");
  const changing = keeping.exchanges.map(({ coin }) => coin);
  return BigInt(sumOf(going) + sumOf(people.takings.flatMap(wholeOf)) + sumOf(changing));
}
