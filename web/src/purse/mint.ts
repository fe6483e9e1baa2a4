/**
 * Requests to the mint's own origin.
 *
 * Nothing that names the person goes there: no cookie, no token, no referrer, and the same
 * language of headers for everybody. What a proof was blinded with leaves the device in one case
 * alone: where its keyset was revoked, and the proof is issued anew.
 */

import { type Check, reading } from "../wire/check.ts";
import { toBase64Url } from "../rules/note.ts";
import type { Coin, Output, RedeemMethod, Signature, Token } from "./model.ts";
import {
  type RedeemQuote,
  type Redeemed,
  type Restored,
  delivered,
  issueQuote,
  issued,
  keysAnswer,
  keysetList,
  mintFault,
  person,
  proofStates,
  redeemQuote,
  redeemed,
  restored,
} from "./wire.ts";

/** `lost`: nobody knows whether the mint acted. `refused`: it says that nothing was done. */
export type MintAnswer<T> =
  | { readonly kind: "answered"; readonly value: T }
  | { readonly kind: "refused"; readonly code: number; readonly detail: string }
  | { readonly kind: "lost"; readonly why: string };

export type Fetch = (address: string, init: RequestInit) => Promise<Response>;

const PATIENCE_MS = 20_000;
export const NOT_FOUND = 404;
const QUOTE_PATTERN = /^[\w-]{1,64}$/;

/** A proof that is spent, with the signature that opens its lock where it has one. */
export type SentInput = Pick<Coin, "amount" | "keyset" | "secret" | "C"> & {
  readonly witness?: string | null;
};

/** Only these fields of a proof are ever sent. */
export function sentProof({ amount, keyset, secret, C, witness }: SentInput): object {
  const proof = { amount, id: keyset, secret, C };
  return witness == null ? proof : { ...proof, witness };
}

export function sentOutput({ amount, keyset, B_ }: Output): object {
  return { amount, id: keyset, B_ };
}

/** A token as its header carries it: without the proof that could tell whom it was signed for. */
export function tokenText({ keyset, secret, C }: Token): string {
  const json = JSON.stringify({ id: keyset, secret, C });
  return `authA${toBase64Url(new TextEncoder().encode(json))}`;
}

export class Mint {
  /** As tokens name it. */
  readonly address: string;
  readonly #fetch: Fetch;

  constructor(base: string, send: Fetch) {
    this.address = base.replace(/\/+$/, "");
    this.#fetch = send;
  }

  keysets() {
    return this.#ask("GET", "/v1/keysets", null, keysetList);
  }

  keys(id: string) {
    return this.#ask("GET", `/v1/keys/${encodeURIComponent(id)}`, null, keysAnswer);
  }

  /** The keysets of blind tokens, which stand in a list of their own (NUT-22). */
  tokenKeysets() {
    return this.#ask("GET", "/v1/auth/blind/keysets", null, keysetList);
  }

  tokenKeys(id: string) {
    return this.#ask("GET", `/v1/auth/blind/keys/${encodeURIComponent(id)}`, null, keysAnswer);
  }

  redeemQuote(
    method: RedeemMethod,
    ask: Readonly<Record<string, unknown>>,
    token: Token | null,
  ): Promise<MintAnswer<RedeemQuote>> {
    return this.#ask("POST", `/v1/melt/quote/${method}`, ask, redeemQuote, token);
  }

  async findRedeemQuote(method: RedeemMethod, quote: string): Promise<MintAnswer<Redeemed>> {
    if (!QUOTE_PATTERN.test(quote)) return { kind: "lost", why: "no quote id" };
    return this.#ask("GET", `/v1/melt/quote/${method}/${quote}`, null, redeemed);
  }

  redeem(
    method: RedeemMethod,
    quote: string,
    inputs: readonly Coin[],
    blanks: readonly Output[],
    token: Token | null,
  ): Promise<MintAnswer<Redeemed>> {
    const body = { quote, inputs: inputs.map(sentProof), outputs: blanks.map(sentOutput) };
    return this.#ask("POST", `/v1/melt/${method}`, body, redeemed, token);
  }

  /** The quote by which a refund is fetched. */
  refundQuote(quote: string) {
    return this.#ask("GET", `/v1/mint/quote/amana-refund/${quote}`, null, issueQuote);
  }

  issueRefund(quote: string, outputs: readonly Output[], signature: string) {
    const body = { quote, outputs: outputs.map(sentOutput), signature };
    return this.#ask("POST", "/v1/mint/amana-refund", body, issued);
  }

  swap(inputs: readonly SentInput[], outputs: readonly Output[], token: Token | null) {
    const body = { inputs: inputs.map(sentProof), outputs: outputs.map(sentOutput) };
    return this.#ask("POST", "/v1/swap", body, issued, token);
  }

  /** Fresh signatures for a proof of a revoked keyset: its factor shows that it was issued. */
  reissue(input: Coin & { readonly r: string }, outputs: readonly Output[]) {
    const inputs = [{ ...sentProof(input), r: input.r }];
    return this.#ask("POST", "/v1/reissue", { inputs, outputs: outputs.map(sentOutput) }, issued);
  }

  /** The keys of whoever a handle belongs to. */
  person(handle: string, token: Token) {
    return this.#ask("GET", `/v1/people/${encodeURIComponent(handle)}`, null, person, token);
  }

  /** Leaves a letter for a handle; the same letter is kept once. */
  deliver(handle: string, letter: { readonly id: string; readonly sealed: string }, token: Token) {
    return this.#ask("POST", `/v1/mail/${encodeURIComponent(handle)}`, letter, delivered, token);
  }

  states(points: readonly string[]) {
    return this.#ask("POST", "/v1/checkstate", { Ys: points }, proofStates);
  }

  restore(outputs: readonly Output[]): Promise<MintAnswer<Restored>> {
    return this.#ask("POST", "/v1/restore", { outputs: outputs.map(sentOutput) }, restored);
  }

  async #ask<T>(
    method: "GET" | "POST",
    path: string,
    body: object | null,
    check: Check<T>,
    token: Token | null = null,
  ): Promise<MintAnswer<T>> {
    const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": "en" };
    if (body !== null) headers["Content-Type"] = "application/json";
    if (token !== null) headers["Blind-auth"] = tokenText(token);
    try {
      const response = await this.#fetch(this.address + path, {
        method,
        headers,
        body: body === null ? null : JSON.stringify(body),
        cache: "no-store",
        credentials: "omit",
        mode: "cors",
        redirect: "error",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return readAnswer(response.status, await response.text(), check);
    } catch (error) {
      return { kind: "lost", why: error instanceof Error ? error.name : "unknown" };
    }
  }
}

function readAnswer<T>(status: number, body: string, check: Check<T>): MintAnswer<T> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { kind: "lost", why: `an answer ${status} that cannot be read` };
  }
  if (status >= 200 && status < 300) {
    const read = reading(check, value);
    return read.ok ? { kind: "answered", value: read.value } : { kind: "lost", why: read.fault };
  }
  const fault = reading(mintFault, value);
  // That nobody is there is an answer only where one is asked for by name.
  if (status === NOT_FOUND && fault.ok && check === (person as Check<unknown>)) {
    return { kind: "refused", code: NOT_FOUND, detail: "" };
  }
  // Only a refusal in the form of the specifications (NUT-00) says that nothing was done.
  if (status !== 400 || !fault.ok) return { kind: "lost", why: `an answer ${status}` };
  return { kind: "refused", code: fault.value.code ?? 0, detail: fault.value.detail ?? "" };
}

/** The answered signatures of a restore, by the output each belongs to. */
export function signaturesByOutput(answer: Restored): ReadonlyMap<string, Signature> {
  const found = new Map<string, Signature>();
  answer.outputs.forEach(({ B_ }, at) => {
    const signed = answer.signatures[at];
    if (signed !== undefined) found.set(B_, signed);
  });
  return found;
}
