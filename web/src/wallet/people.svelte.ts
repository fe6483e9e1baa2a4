/** E-cash between people on the screens: asks the purse's worker, and puts its answers in words. */

import type { Given, Kept, PersonSeen, Posted, TokenOffer } from "../purse/talk.ts";
import type { Took } from "../purse/people-taking.ts";
import type { Key } from "../text/en.ts";
import { formatMoney } from "../rules/money.ts";
import { locale, t } from "../text/language.svelte.ts";
import { refusalText } from "./private.ts";
import { purse } from "./purse.svelte.ts";

const LOST = { kind: "lost" } as const;

/** From here on this opening is one for paying. */
export async function lookUp(handle: string): Promise<PersonSeen> {
  purse.pays();
  const calls = await purse.worker();
  return calls === null ? LOST : calls.lookUp(handle).catch(() => LOST);
}

export async function give(
  handle: string | null,
  amount: bigint,
  isByHand = false,
): Promise<Given> {
  purse.pays();
  const calls = await purse.worker();
  return calls === null ? LOST : calls.give(handle, Number(amount), isByHand).catch(() => LOST);
}

export async function seeToken(text: string): Promise<TokenOffer> {
  const calls = await purse.worker();
  return calls === null ? LOST : calls.seeToken(text).catch(() => LOST);
}

export async function takeToken(text: string): Promise<Took> {
  const calls = await purse.worker();
  if (calls === null) return LOST;
  await purse.getReady();
  return calls.takeToken(text).catch(() => LOST);
}

export async function keepToken(text: string): Promise<Kept> {
  const calls = await purse.worker();
  return calls === null ? LOST : calls.keepToken(text).catch(() => LOST);
}

export async function takeBack(id: string): Promise<Took> {
  const calls = await purse.worker();
  return calls === null ? LOST : calls.takeBack(id).catch(() => LOST);
}

export async function askTaken(id: string): Promise<"taken" | "waiting" | "lost"> {
  const calls = await purse.worker();
  return calls === null ? "lost" : calls.askTaken(id).catch(() => "lost" as const);
}

export async function fetchMail(): Promise<Posted> {
  return (await purse.worker()) === null ? "lost" : purse.fetchMail(true);
}

const GIVEN = {
  "too-much": "people.too-much",
  "too-little": "purse.too-small",
  "no-token": "purse.no-token",
  "other-keys": "purse.list.broken",
  lost: "purse.lost",
  nobody: "people.nobody",
} as const satisfies Partial<Record<Exclude<Given["kind"], "given" | "refused">, Key>>;

/** Why nothing was handed over. */
export function givenFault(given: Exclude<Given, { kind: "given" }>, max: string): string {
  if (given.kind === "refused") return refusalText(given.code);
  return t(GIVEN[given.kind], { amount: max });
}

const TOOK = {
  spent: "people.spent",
  refused: "people.refused",
  "no-token": "purse.no-token",
  "not-yet": "people.not-yet",
  "not-a-token": "people.not-a-token",
  "other-mint": "people.other-mint",
  locked: "people.locked",
  "other-keys": "purse.list.broken",
  lost: "purse.lost",
  unsure: "people.held.unsure",
  met: "people.held.met",
  "too-much": "people.held.too-much",
} as const satisfies Record<Exclude<Took["kind"], "taken">, Key>;

/** Why nothing was taken. */
export function tookFault(took: Exclude<Took, { kind: "taken" }>): string {
  return t(TOOK[took.kind], { amount: inPurse(purse.summary?.heldMax ?? 0n) });
}

/** An amount of the purse's own currency; empty as long as that is not known. */
export function inPurse(minor: bigint): string {
  const unit = purse.summary?.unit;
  return unit === undefined ? "" : formatMoney({ currency: unit.toUpperCase(), minor }, locale());
}

/** The link by which whoever has it takes the e-cash; what is worth money stands after `#`. */
export function linkOf(token: string): string {
  return `${location.origin}/wallet#token=${token}`;
}
