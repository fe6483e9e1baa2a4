/** Two devices at one mint for tests; each may stop at any step, and stays what it stored. */

import assert from "node:assert/strict";
import type { Locks, Ports, Vault } from "../src/purse/book.ts";
import { newOutput, unblind } from "../src/purse/curve.ts";
import { Mint } from "../src/purse/mint.ts";
import { type Coin, type PurseState, newPurse, sumOf } from "../src/purse/model.ts";
import type { MailSide } from "../src/purse/people-named.ts";
import type { Seals } from "../src/purse/people-seals.ts";
import { Purse } from "../src/purse/purse.ts";
import { memoryLocks } from "./purse-device.ts";
import { TestMint } from "./purse-mint.ts";

export const NOW = 1_900_000_000;
export const ASKED = { openSince: NOW, paying: false, isAsked: true };
export const HANDLE = "payee";
export const NOTE_KEY = "bm90ZQ";
const TOKENS = 24;

/** What opens again what was sealed: enough to see who was meant, and nothing is hidden. */
const seals: Seals = {
  seal: async (_, text) => `sealed ${text.trimEnd()}`,
  open: async (sealed) => sealed.replace(/^sealed /, ""),
  has: async (key) => key === NOTE_KEY,
};

export class TwoDevice {
  readonly #mint: () => TestMint;
  kept: string;
  steps = 0;
  endsAt = Infinity;
  /** Whether the step at which the device stops still has its effect. */
  hasEffect = false;
  isOffline = false;
  now = NOW;
  readonly ended = Promise.withResolvers<void>();

  constructor(mint: () => TestMint, kept: string) {
    this.#mint = mint;
    this.kept = kept;
  }

  /** Every step that leaves the page: after the last one nothing comes back any more. */
  async #step<T>(effect: () => Promise<T>): Promise<T> {
    this.steps += 1;
    if (this.steps < this.endsAt) return effect();
    if (this.steps === this.endsAt && this.hasEffect) await effect();
    this.ended.resolve();
    return new Promise<never>(() => undefined);
  }

  open(locks: Locks = memoryLocks()): Promise<Purse> {
    const vault: Vault = {
      load: async () => JSON.parse(this.kept) as PurseState,
      save: (state) => this.#step(async () => void (this.kept = JSON.stringify(state))),
      receipts: async () => [],
    };
    const ports: Ports = {
      vault,
      locks,
      now: () => this.now,
      random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
      pause: () => new Promise((resolve) => setImmediate(resolve)),
      changed: () => undefined,
      seals,
    };
    const mint = new Mint("http://mint.example", async (address, init) => {
      if (this.isOffline) throw new TypeError("no network");
      return this.#step(() => this.#mint().fetch(address, init));
    });
    return Purse.open("eur", mint, ports);
  }

  /** The named side as this device reaches it. */
  get mail(): MailSide {
    return {
      putKey: (pubkey) =>
        this.#step(async () => {
          const person = { name: "Payee", purse_key: pubkey, note_key: "6e".repeat(32) };
          this.#mint().people.set(HANDLE, person);
          return true;
        }),
      letters: () =>
        this.#step(async () =>
          [...this.#mint().letters].map(([id, { sealed }]) => ({ id, sealed })),
        ),
      drop: (id) => this.#step(async () => this.#mint().letters.delete(id) || true),
    };
  }

  get state(): PurseState {
    return JSON.parse(this.kept) as PurseState;
  }

  get worth(): number {
    return sumOf(this.state.coins);
  }
}

/** A payer with these coins, a payee with none, and their mint. */
export class Two {
  mint = new TestMint();
  payer: TwoDevice;
  payee: TwoDevice;

  constructor(amounts: readonly number[]) {
    const tokens = Array.from({ length: TOKENS }, (_, at) => {
      return { keyset: "00", secret: `token ${at}`, C: "02" };
    });
    const coins = amounts.map((amount) => this.#coin(amount));
    const empty = { ...newPurse("eur"), asksTokens: false, tokens };
    this.payer = new TwoDevice(() => this.mint, JSON.stringify({ ...empty, coins }));
    this.payee = new TwoDevice(() => this.mint, JSON.stringify(empty));
  }

  #coin(amount: number): Coin {
    const [{ id = "" } = {}] = this.mint.listed;
    const output = newOutput(id, amount);
    const signature = this.mint.sign({ amount, id, B_: output.B_ });
    const proof = unblind(output, signature, this.mint.keysOf(id));
    assert.ok(proof !== null);
    return { ...proof, lineage: "refill 1", availableAt: 0 };
  }

  /** The same once more, to go on from here in another way. */
  copy(): Two {
    const copy = new Two([]);
    copy.mint.takeOver(this.mint);
    copy.payer.kept = this.payer.kept;
    copy.payee.kept = this.payee.kept;
    return copy;
  }

  /** Nothing is on its way and nothing is held twice, and the mint takes all of it. */
  assertWhole(sum: number, where: string): void {
    const coins = [...this.payer.state.coins, ...this.payee.state.coins];
    assert.equal(sumOf(coins), sum, where);
    assert.equal(new Set(coins.map(({ secret }) => secret)).size, coins.length, where);
    for (const { secret } of coins) assert.ok(!this.mint.isSpent(secret), where);
    for (const { people } of [this.payer.state, this.payee.state]) {
      assert.deepEqual(people.takings, [], where);
      assert.ok(!people.handings.some(({ stage }) => stage === "swapping"), where);
    }
  }
}
