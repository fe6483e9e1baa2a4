/** A device with a purse for tests: a vault and locks as a browser's, an honest mint, a named side. */

import assert from "node:assert/strict";
import type { Locks, Ports, Vault } from "../src/purse/book.ts";
import { Mint } from "../src/purse/mint.ts";
import { type PurseState, type Receipt, sumOf } from "../src/purse/model.ts";
import { Purse } from "../src/purse/purse.ts";
import type { Offer, OpenMoment } from "../src/purse/talk.ts";
import type { AskKey } from "../src/purse/verifying.ts";
import { POLICY } from "../src/rules/purse/policy.ts";
import { TestMint, TestNamedSide } from "./purse-mint.ts";
import { OPERATOR } from "./purse-recorder.ts";

export const TIER = POLICY.refill.default_tier;
export const NOW = 1_900_000_000;
export const ASKED: OpenMoment = { openSince: NOW, paying: false, isAsked: true };

export const orderOf = (request: string) => ({ request, amount: null, tip: 0 });

export async function offerOf(purse: Purse, order: string): Promise<Offer & { kind: "offer" }> {
  const offer = await purse.look({ ...orderOf(order), listHash: null });
  assert.equal(offer.kind, "offer");
  return offer as Offer & { kind: "offer" };
}

/** A vault as a browser's: only what was written in whole is there, and as a copy. */
export class MemoryVault implements Vault {
  kept = "null";
  receiptsKept: Receipt[] = [];
  async load(): Promise<PurseState | null> {
    return JSON.parse(this.kept) as PurseState | null;
  }
  async save(state: PurseState, receipt: Receipt | null): Promise<void> {
    this.kept = JSON.stringify(state);
    if (receipt !== null) this.receiptsKept.push(receipt);
  }
  async receipts(): Promise<readonly Receipt[]> {
    return this.receiptsKept;
  }
}

/** One queue a name, as the browser's locks are. */
export function memoryLocks(): Locks {
  const queues = new Map<string, Promise<unknown>>();
  const hold: Locks["hold"] = (name, work) => {
    const run = (queues.get(name) ?? Promise.resolve()).then(work, work);
    const settled = run
      .catch(() => undefined)
      .then(() => {
        if (queues.get(name) === settled) queues.delete(name);
      });
    queues.set(name, settled);
    return run;
  };
  return { hold, tryHold: async (name, work) => (queues.has(name) ? null : hold(name, work)) };
}

export class Device {
  readonly mint = new TestMint();
  readonly named = new TestNamedSide(this.mint);
  readonly vault = new MemoryVault();
  readonly locks = memoryLocks();
  now = NOW;
  pauses = 0;
  askReceiptKey: AskKey = async () => null;
  askForRelay: () => Promise<void> = async () => undefined;
  /** Runs before each pause: a test changes the world there, or ends the page. */
  onPause: () => void = () => undefined;

  async open(): Promise<Purse> {
    this.mint.clock = () => this.now;
    const ports: Ports = {
      vault: this.vault,
      locks: this.locks,
      now: () => this.now,
      random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
      pause: async () => {
        this.pauses += 1;
        this.onPause();
      },
      changed: () => undefined,
      askReceiptKey: (handle) => {
        this.#noteNamed(`/v1/merchants/${handle}/receipt-key`);
        return this.askReceiptKey(handle);
      },
      askForRelay: () => {
        this.#noteNamed("/v1/relay-key");
        return this.askForRelay();
      },
    };
    return Purse.open("eur", new Mint("http://mint.example", this.mint.fetch), ports);
  }

  #noteNamed(path: string): void {
    this.mint.note(OPERATOR + path, { method: "GET" }, null);
  }

  /** A purse with one refill in it; its arithmetic is done once for all tests with the same keys. */
  async filled(): Promise<Purse> {
    if (this.mint.tokenKeyset !== null) return this.fill();
    Device.#full ??= (async () => {
      const first = new Device();
      await first.fill();
      return first;
    })();
    const full = await Device.#full;
    this.vault.kept = full.vault.kept;
    this.named.left = full.named.left;
    this.named.calls.push(...full.named.calls);
    for (const [output, signature] of full.mint.signed) this.mint.signed.set(output, signature);
    return this.open();
  }

  static #full: Promise<Device> | null = null;

  async fill(): Promise<Purse> {
    const purse = await this.open();
    await purse.setStarted(true);
    assert.equal(await purse.fill(this.named, ASKED), "left");
    this.named.sign();
    // A young purse would leave the second as the first one comes.
    await purse.setStarted(false);
    assert.equal(await purse.fill(this.named, ASKED), "arrived");
    await purse.setStarted(true);
    return purse;
  }

  async state(): Promise<PurseState> {
    const state = await this.vault.load();
    assert.ok(state !== null);
    return state;
  }

  /** What the purse holds that the mint would still take. */
  async worth(): Promise<number> {
    return sumOf((await this.state()).coins);
  }
}
