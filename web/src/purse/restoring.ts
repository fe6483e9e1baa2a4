/**
 * Taking a purse over to another device, by its recovery phrase.
 *
 * The mint is asked which of the coins are unspent, a few at a time and in no order of their own;
 * that joins them for whoever watches, so none is spent before it is exchanged for a fresh one.
 * Secrets are random, not counted: what came in after the last backup is lost with the device.
 */

import { fromBase64Url } from "../rules/note.ts";
import { POLICY, drawn } from "../rules/purse/policy.ts";
import { exchangeAt } from "../rules/purse/refill.ts";
import { type Contents, unseal } from "./backup.ts";
import type { Book, Ports } from "./book.ts";
import { pointOf } from "./curve.ts";
import { NOT_BEFORE_EXCHANGE } from "./keeping-model.ts";
import { readList } from "./listing.ts";
import { type Mint, signaturesByOutput } from "./mint.ts";
import type { Coin, PurseState, Refill } from "./model.ts";
import type { NamedSide } from "./named.ts";
import type { PeopleState } from "./people-model.ts";
import { keyOfPhrase, slipOf } from "./phrase.ts";
import { proofsOf } from "./refilling.ts";
import { RANDOM_BYTES } from "./spending.ts";
import type { Restored } from "./talk.ts";

const PORTION = 8;
const PAUSE_MS = { from: 500, to: 3_000 };

export async function restore(
  book: Book,
  mint: Mint,
  named: NamedSide,
  ports: Ports,
  phrase: string,
): Promise<Restored> {
  const key = await keyOfPhrase(phrase);
  if (key === null) return { kind: "no-phrase", slip: slipOf(phrase) };
  const found = await named.backup();
  if (found === null) return { kind: "lost" };
  if (found === "none") return { kind: "none" };
  const sealed = fromBase64Url(found);
  const contents = sealed === null ? null : await unseal(sealed, key);
  if (contents === null || contents.state.unit !== book.state.unit) return { kind: "other-phrase" };
  await book.change((state) => withBasis(state, contents));
  if ((await readList(book, mint)).kind !== "known") return { kind: "lost" };
  const refills = await signedRefills(book, mint, named, contents);
  if (refills === null) return { kind: "lost" };
  const coins = [...contents.state.coins, ...refills.flatMap(({ coins: some }) => some)];
  const unspent = await unspentOf(mint, ports, coins);
  if (unspent === null) return { kind: "lost" };
  const before = new Set(book.state.coins.map(({ secret }) => secret));
  const signed = new Set(refills.map(({ id }) => id));
  const now = ports.now();
  await book.change((state) => withCoins(state, contents, { unspent, signed, ports, key, now }));
  for (const receipt of contents.receipts) await book.change((state) => state, receipt);
  const fresh = unspent.filter(({ secret }) => !before.has(secret));
  return { kind: "restored", amount: fresh.reduce((sum, { amount }) => sum + amount, 0) };
}

/** What the mint's list is compared with, and the refills, before anything is asked. */
function withBasis(state: PurseState, contents: Contents): PurseState {
  const known = new Set(state.refills.map(({ id }) => id));
  const refills = contents.state.refills.filter(({ id }) => !known.has(id));
  return {
    ...state,
    keysets: state.keysets.length === 0 ? contents.state.keysets : state.keysets,
    tokenKeysets:
      state.tokenKeysets.length === 0 ? (contents.state.tokenKeysets ?? []) : state.tokenKeysets,
    refills: [...state.refills, ...refills],
  };
}

/** The refills of the backup that were signed since, with their coins; null where it is not known. */
async function signedRefills(
  book: Book,
  mint: Mint,
  named: NamedSide,
  contents: Contents,
): Promise<readonly { readonly id: string; readonly coins: readonly Coin[] }[] | null> {
  const signed: { id: string; coins: readonly Coin[] }[] = [];
  if (contents.state.refills.length === 0) return signed;
  const answer = await named.refill();
  if (answer === null) return null;
  for (const refill of contents.state.refills) {
    let proofs = proofsOf(book.state, refill, answer.signatures ?? []);
    if (proofs === null && answer.state !== "waiting") {
      const again = await mint.restore(refill.outputs);
      if (again.kind !== "answered") return null;
      const found = signaturesByOutput(again.value);
      proofs = proofsOf(
        book.state,
        refill,
        refill.outputs.flatMap(({ B_ }) => found.get(B_) ?? []),
      );
    }
    if (proofs !== null)
      signed.push({ id: refill.id, coins: proofs.map((one) => coinOf(one, refill)) });
  }
  return signed;
}

function coinOf(proof: Omit<Coin, "lineage" | "availableAt">, { id }: Refill): Coin {
  return { ...proof, lineage: `refill-${id}`, availableAt: NOT_BEFORE_EXCHANGE };
}

/** Those that the mint does not call spent; null where it is not known of some. */
async function unspentOf(
  mint: Mint,
  ports: Ports,
  coins: readonly Coin[],
): Promise<readonly Coin[] | null> {
  const mixed = shuffled(coins, ports.random);
  const unspent: Coin[] = [];
  for (let from = 0; from < mixed.length; from += PORTION) {
    if (from > 0) await ports.pause(drawn(PAUSE_MS, ports.random(RANDOM_BYTES)));
    const portion = mixed.slice(from, from + PORTION);
    const answer = await mint.states(portion.map(({ secret }) => pointOf(secret)));
    if (answer.kind !== "answered") return null;
    const states = new Map(answer.value.states.map(({ Y, state }) => [Y, state]));
    if (portion.some(({ secret }) => !states.has(pointOf(secret)))) return null;
    unspent.push(...portion.filter(({ secret }) => states.get(pointOf(secret)) !== "SPENT"));
  }
  return unspent;
}

function shuffled<T>(items: readonly T[], random: (bytes: number) => Uint8Array): readonly T[] {
  const left = [...items];
  const mixed: T[] = [];
  while (left.length > 0) {
    const at = drawn({ from: 0, to: left.length - 1 }, random(RANDOM_BYTES));
    mixed.push(...left.splice(at, 1));
  }
  return mixed;
}

interface Found {
  readonly unspent: readonly Coin[];
  readonly signed: ReadonlySet<string>;
  readonly ports: Ports;
  readonly key: string;
  readonly now: number;
}

/** What either has: this device may have met people before its purse was taken over. */
function joined(here: PeopleState, there: PeopleState): PeopleState {
  const beside = <T extends { readonly id: string }>(ours: readonly T[], theirs: readonly T[]) => {
    const known = new Set(ours.map(({ id }) => id));
    return [...theirs.filter(({ id }) => !known.has(id)), ...ours];
  };
  const key = here.key ?? there.key;
  const older = [...(here.olderKeys ?? []), there.key, ...(there.olderKeys ?? [])];
  return {
    key,
    olderKeys: [...new Set(older)].flatMap((one) => (one === null || one === key ? [] : [one])),
    handings: beside(here.handings, there.handings),
    takings: beside(here.takings, there.takings),
    arrivals: beside(here.arrivals, there.arrivals),
    letters: [...new Set([...there.letters, ...here.letters])],
    held: beside(here.held ?? [], there.held ?? []),
    met: [...(there.met ?? []), ...(here.met ?? [])],
  };
}

function withCoins(
  state: PurseState,
  { state: old }: Contents,
  { unspent, signed, ports, key, now }: Found,
): PurseState {
  const held = new Set([
    ...state.coins.map(({ secret }) => secret),
    ...state.spends.flatMap(({ inputs }) => inputs.map(({ secret }) => secret)),
    ...state.keeping.exchanges.map(({ coin }) => coin.secret),
    ...state.people.handings.flatMap(({ inputs }) => inputs.map(({ secret }) => secret)),
  ]);
  const coins = unspent
    .filter(({ secret }) => !held.has(secret))
    .map((coin): Coin => ({ ...coin, availableAt: NOT_BEFORE_EXCHANGE }));
  const plans = coins.map(({ secret }) => {
    return { secret, at: exchangeAt(POLICY, now, ports.random(RANDOM_BYTES)) };
  });
  const asks = old.asks.filter(({ key: one }) => !state.asks.some((other) => other.key === one));
  return {
    ...state,
    isStarted: state.isStarted || old.isStarted,
    coins: [...state.coins, ...coins],
    refills: state.refills.filter(({ id }) => !signed.has(id)),
    asks: [...state.asks, ...asks],
    spendings: state.spendings.length === 0 ? old.spendings : state.spendings,
    people: joined(state.people, old.people),
    nextLineage: Math.max(state.nextLineage, old.nextLineage),
    keeping: {
      ...state.keeping,
      // What came over is exchanged now, and the backup that brought it is soon one of spent coins.
      backup: { key, lastAt: null },
      plans: [...state.keeping.plans, ...plans],
    },
  };
}
