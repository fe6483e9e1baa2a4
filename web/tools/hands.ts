/**
 * The wallets of a town with real e-cash: the shipped policy chooses, the wallet's own curve code
 * blinds, checks and unblinds. One line of JSON in, one out; `src/amana/vet/hands.py` asks.
 */

import { createInterface } from "node:readline";
import { type Unblinded, newOutput, unblind } from "../src/purse/curve.ts";
import type { Keys, Output, Signature } from "../src/purse/model.ts";
import { division } from "../src/rules/purse/people.ts";
import { POLICY } from "../src/rules/purse/policy.ts";
import { type Coin, blankOutputs, chooseCoins, lineageName } from "../src/rules/purse/spend.ts";

type Held = Coin & { readonly proof: Unblinded };

type Source = "refill" | "change";

interface Wallet {
  /** What waits for its signatures, by where they come from. */
  pending: Record<Source, Output[]>;
  coins: Held[];
  lineages: number;
}

/** What stays with the purse, and what goes to somebody else. */
interface Mixed {
  readonly output: Output;
  readonly isPassed: boolean;
}

const letters = new Map<number, readonly Unblinded[]>();
const swaps = new Map<number, readonly Mixed[]>();
const wallets = new Map<number, Wallet>();
let keyset = "";
let keys: Keys = {};

function walletOf(person: number): Wallet {
  const found = wallets.get(person) ?? {
    pending: { refill: [], change: [] },
    coins: [],
    lineages: 0,
  };
  wallets.set(person, found);
  return found;
}

function makeOutputs(person: number, source: Source, amounts: readonly number[]): Output[] {
  const outputs = amounts.map((amount) => newOutput(keyset, amount));
  walletOf(person).pending[source] = outputs;
  return outputs;
}

/** Change comes in the order of the blanks, a refill in the order of its outputs. */
function fill({ person, source, signatures, at }: Asked): number {
  const wallet = walletOf(person);
  if (source === "received") return 0;
  const lineage = lineageName(source, wallet.lineages++);
  let taken = 0;
  signatures.forEach((signature, place) => {
    const output = wallet.pending[source][place];
    const proof = output === undefined ? null : unblind(output, signature, keys);
    if (proof === null) return;
    taken++;
    const amount = BigInt(proof.amount);
    wallet.coins.push({ amount, keyset, expiresAt: null, lineage, availableAt: at, proof });
  });
  wallet.pending[source] = [];
  return taken;
}

function pay(person: number, amount: number, at: number) {
  const wallet = walletOf(person);
  const choice = chooseCoins(POLICY, wallet.coins, BigInt(amount), at);
  if (choice === null) return { inputs: [], blanks: [] };
  const spent = new Set<Held>(choice.coins);
  wallet.coins = wallet.coins.filter((coin) => !spent.has(coin));
  const inputs = choice.coins.map(({ proof: { r: _, ...proof } }) => ({
    ...proof,
    id: proof.keyset,
  }));
  const blanks = makeOutputs(person, "change", new Array<number>(blankOutputs(POLICY)).fill(0));
  return { inputs, blanks };
}

/** Coins for somebody else, or what they sent, against fresh ones. */
function swap(
  person: number,
  inputs: readonly Unblinded[],
  { passed, kept }: { readonly passed: readonly bigint[]; readonly kept: readonly bigint[] },
) {
  const made = (amounts: readonly bigint[], isPassed: boolean): Mixed[] =>
    amounts.map((amount) => ({ output: newOutput(keyset, Number(amount)), isPassed }));
  const mixed = [...made(kept, false), ...made(passed, true)].toSorted(
    ({ output: a }, { output: b }) => a.amount - b.amount || (a.B_ < b.B_ ? -1 : 1),
  );
  swaps.set(person, mixed);
  return {
    inputs: inputs.map((proof) => ({ ...proof, id: proof.keyset })),
    outputs: mixed.map(({ output }) => output),
    passed: passed.map(Number),
    kept: kept.map(Number),
  };
}

function give({ person, amount, at }: Asked) {
  const wallet = walletOf(person);
  const choice = chooseCoins(POLICY, wallet.coins, BigInt(amount), at);
  if (choice === null) return swap(person, [], { passed: [], kept: [] });
  const spent = new Set<Held>(choice.coins);
  wallet.coins = wallet.coins.filter((coin) => !spent.has(coin));
  const parts = division(POLICY, BigInt(amount), choice.overpaid);
  return swap(
    person,
    choice.coins.map(({ proof }) => proof),
    parts,
  );
}

function takeLetter({ person, letter }: Asked) {
  const inputs = letters.get(letter) ?? [];
  const sum = inputs.reduce((so_far, { amount }) => so_far + BigInt(amount), 0n);
  return swap(person, inputs, { passed: [], kept: division(POLICY, 0n, sum).kept });
}

function swapped({ person, letter, signatures, source, at }: Asked): number {
  const wallet = walletOf(person);
  const lineage = lineageName(source, wallet.lineages++);
  const passed: Unblinded[] = [];
  let taken = 0;
  (swaps.get(person) ?? []).forEach(({ output, isPassed }, place) => {
    const signature = signatures[place];
    const proof = signature === undefined ? null : unblind(output, signature, keys);
    if (proof === null) return;
    taken++;
    const amount = BigInt(proof.amount);
    if (isPassed) passed.push(proof);
    else wallet.coins.push({ amount, keyset, expiresAt: null, lineage, availableAt: at, proof });
  });
  if (passed.length > 0) letters.set(letter, passed);
  return taken;
}

interface Asked {
  readonly do: "keyset" | "outputs" | "fill" | "pay" | "give" | "take" | "swapped";
  readonly person: number;
  readonly letter: number;
  readonly source: Source | "received";
  readonly amounts: readonly number[];
  readonly signatures: readonly Signature[];
  readonly amount: number;
  readonly at: number;
  readonly id: string;
  readonly keys: Keys;
}

function answer(asked: Asked): unknown {
  switch (asked.do) {
    case "keyset":
      [keyset, keys] = [asked.id, asked.keys];
      return true;
    case "outputs":
      return makeOutputs(asked.person, "refill", asked.amounts);
    case "fill":
      return fill(asked);
    case "give":
      return give(asked);
    case "take":
      return takeLetter(asked);
    case "swapped":
      return swapped(asked);
    case "pay":
      return pay(asked.person, asked.amount, asked.at);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line) as Asked))}\n`);
}
