/** A small honest mint in memory for the purse's tests, a named side, and ways to lose an answer. */

import {
  Amount,
  blindMessage,
  createNewMintKeys,
  createRandomSecretKey,
  hash_e,
  pointFromHex,
  serializeMintKeys,
  isP2PKSpendAuthorised,
  verifyMintQuoteSignature,
  verifyUnblindedSignature,
} from "@cashu/cashu-ts";
import { toHex } from "../src/purse/bytes.ts";
import { pointOf } from "../src/purse/curve.ts";
import type { ListedKeyset, Signature } from "../src/purse/model.ts";
import { type NamedSide, refillBody, tokensBody } from "../src/purse/named.ts";
import { OPERATOR, type Sent } from "./purse-recorder.ts";

export interface WireOutput {
  amount: number;
  id: string;
  B_: string;
}
interface WireProof {
  amount: number;
  id: string;
  secret: string;
  C: string;
  witness?: string;
  r?: string;
}
interface Quote {
  quote: string;
  amount: number;
  unit: string;
  fee_reserve: number;
  state: "UNPAID" | "PAID";
  expiry: number;
  payee: { name: string; names: Record<string, string> } | null;
  change?: Signature[];
}
interface Asked {
  quote: string;
  inputs: WireProof[];
  outputs: WireOutput[];
  Ys: string[];
  amount?: number;
  refund_key?: string;
  signature?: string;
  id: string;
  sealed: string;
}

const EXPONENT_MAX = 14;
const EXPIRY = 2_000_000_000;
const FAR = 1_999_999_999;

export type Loss = "before" | "after";

function refuse(code: number, detail: string): Response {
  return Response.json({ code, detail }, { status: 400 });
}

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const GENERATOR = pointFromHex(
  "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
).precompute();

const numberOf = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes)}`);

/** Signs and proves it (NUT-12) as cashu-ts does, but the quick way: a key of tests is no secret. */
function signedBy(key: Uint8Array, B_: string): { C_: string; dleq: { e: string; s: string } } {
  const point = pointFromHex(B_);
  const secret = numberOf(key);
  const nonce = numberOf(createRandomSecretKey().subarray(0, 4));
  const C = point.multiplyUnsafe(secret);
  const [A, R1] = [GENERATOR.multiplyUnsafe(secret), GENERATOR.multiplyUnsafe(nonce)];
  const e = hash_e([R1, point.multiplyUnsafe(nonce), A, C]);
  const s = (nonce + numberOf(e) * secret) % ORDER;
  return { C_: C.toHex(true), dleq: { e: toHex(e), s: s.toString(16).padStart(64, "0") } };
}

const pairs = new Map<number, ReturnType<typeof newPair>>();

function newPair(number: number) {
  const options = { unit: "eur", expiry: EXPIRY + number, input_fee_ppk: 0, versionByte: 1 };
  const pair = createNewMintKeys(EXPONENT_MAX, new Uint8Array(32).fill(number), options);
  const { keysetId, privKeys: secret } = pair;
  return { keysetId, secret, open: serializeMintKeys(pair.pubKeys) };
}

/** A keyset's keys follow from its number, and are made once for all tests. */
function pairOf(number: number): ReturnType<typeof newPair> {
  const pair = pairs.get(number) ?? newPair(number);
  pairs.set(number, pair);
  return pair;
}

/** Whether whoever shows a proof may: it is locked to nobody, or its witness opens the lock. */
function isOpened(proof: Parameters<typeof isP2PKSpendAuthorised>[0]): boolean {
  return !proof.secret.startsWith("[") || isP2PKSpendAuthorised(proof);
}

export class TestMint {
  readonly sent: Sent[] = [];
  /** The same with what went to the named side, in order, for the recorder to read. */
  readonly journal: (Sent | "pressed")[] = [];
  /** What time it is for whoever sends. */
  clock = (): number => 0;
  readonly orders = new Map<string, number>();
  readonly spent = new Set<string>();
  /** Secrets that it takes from nobody, as malformed locks are. */
  readonly malformed = new Set<string>();
  readonly signed = new Map<string, Signature>();
  readonly losses: Loss[] = [];
  listed: (ListedKeyset & { revoked?: true })[] = [];
  /** What a lying mint writes into quotes beside, or instead of, what was asked. */
  feeReserve = 0;
  markUp = 0;
  /** How much of the change's signatures it tells at once. */
  changeTold = Infinity;
  withoutDleq = false;
  /** What was given back, by the quote that follows from the payment's key. */
  readonly refunds = new Map<string, { key: string; paid: number; issued: number }>();
  readonly refundKeys: string[] = [];
  /** The keysets of blind tokens; while there is one, quotes and payments ask for a token. */
  tokenKeysets: ListedKeyset[] = [];
  readonly usedTokens = new Set<string>();
  /** Who is paid by handle, and what was left for them, each letter once. */
  readonly people = new Map<string, { name: string; purse_key: string; note_key: string }>();
  readonly letters = new Map<string, { handle: string; sealed: string }>();
  #keys = new Map<string, { secret: Record<string, Uint8Array>; open: Record<string, string> }>();
  #quotes = new Map<string, Quote>();

  constructor() {
    this.addKeyset(1);
  }

  addKeyset(number: number): string {
    const pair = pairOf(number);
    this.#keys.set(pair.keysetId, pair);
    const listing = { unit: "eur", input_fee_ppk: 0, final_expiry: EXPIRY + number };
    this.listed = this.listed.map((one) => ({ ...one, active: false }));
    this.listed.push({ id: pair.keysetId, active: true, ...listing });
    return pair.keysetId;
  }

  /** The key may be in other hands: from now on what it signed is only issued anew. */
  revoke(id: string): void {
    this.listed = this.listed.map((one) => (one.id === id ? { ...one, revoked: true } : one));
  }

  isSpent(secret: string): boolean {
    return this.spent.has(pointOf(secret));
  }

  /** As if somebody else had spent it. */
  spend(secret: string): void {
    this.spent.add(pointOf(secret));
  }

  /** Goes on where another mint with the same keys stands. */
  takeOver(other: TestMint): void {
    for (const point of other.spent) this.spent.add(point);
    for (const secret of other.malformed) this.malformed.add(secret);
    for (const [output, signature] of other.signed) this.signed.set(output, signature);
    for (const [id, quote] of other.#quotes) this.#quotes.set(id, { ...quote });
    for (const { id, revoked } of other.listed) {
      if (!this.listed.some((one) => one.id === id)) this.addKeyset(this.listed.length + 1);
      if (revoked) this.revoke(id);
    }
    for (const [id, refund] of other.refunds) this.refunds.set(id, { ...refund });
    this.refundKeys.push(...other.refundKeys);
    for (const [handle, person] of other.people) this.people.set(handle, person);
    for (const [id, letter] of other.letters) this.letters.set(id, letter);
  }

  /** Begins a keyset of blind tokens, in the place of the one before. */
  askForTokens(expiry: number | null = null): void {
    const pair = createNewMintKeys(1, new Uint8Array(32).fill(9), {
      unit: "auth",
      versionByte: 1,
      ...(expiry === null ? {} : { expiry }),
    });
    this.#keys.set(pair.keysetId, { secret: pair.privKeys, open: serializeMintKeys(pair.pubKeys) });
    const listing = { unit: "auth", input_fee_ppk: 0, final_expiry: expiry };
    this.tokenKeysets = this.tokenKeysets.map((one) => ({ ...one, active: false }));
    this.tokenKeysets.push({ id: pair.keysetId, active: true, ...listing });
  }

  get tokenKeyset(): ListedKeyset | null {
    return this.tokenKeysets.at(-1) ?? null;
  }

  #isLetIn(path: string, init: RequestInit): boolean {
    const isRationed = path.startsWith("/v1/melt/") || path === "/v1/swap";
    if (this.tokenKeyset === null || init.method !== "POST" || !isRationed) return true;
    const text = (init.headers as Record<string, string>)["Blind-auth"] ?? "authAe30";
    const token = JSON.parse(Buffer.from(text.slice(5), "base64url").toString()) as WireProof;
    const key = this.#keys.get(token.id)?.secret["1"];
    if (key === undefined || this.usedTokens.has(token.secret)) return false;
    const secret = new TextEncoder().encode(token.secret);
    const isGood = verifyUnblindedSignature(
      { id: token.id, secret, C: pointFromHex(token.C) },
      key,
    );
    if (isGood) this.usedTokens.add(token.secret);
    return isGood;
  }

  note(address: string, init: RequestInit, body: Sent["body"]): Sent {
    const sent = { address, init, body, at: this.clock() };
    this.journal.push(sent);
    return sent;
  }

  /** The person asks for the named side, whenever they paid. */
  pressed(): void {
    this.journal.push("pressed");
  }

  keysOf(id: string): Record<string, string> {
    return this.#keys.get(id)?.open ?? {};
  }

  readonly fetch = async (address: string, init: RequestInit): Promise<Response> => {
    const path = new URL(address).pathname;
    const body = init.body === null ? null : (JSON.parse(init.body as string) as Asked);
    this.sent.push(this.note(address, init, body as unknown as Sent["body"]));
    const loss =
      /^\/v1\/(m(elt|int)\/|swap$|reissue$)/.test(path) && !path.includes("/quote/")
        ? this.losses.shift()
        : undefined;
    if (loss === "before") throw new TypeError("the request was lost");
    const answer = this.#isLetIn(path, init)
      ? this.#answer(init.method ?? "GET", path, body)
      : refuse(31002, "Blind authentication failed");
    if (loss === "after") throw new TypeError("the answer was lost");
    return answer;
  };

  #answer(method: string, path: string, body: Asked | null): Response {
    if (path === "/v1/keysets") return Response.json({ keysets: this.listed });
    if (path === "/v1/auth/blind/keysets") return Response.json({ keysets: this.tokenKeysets });
    if (/^\/v1\/(auth\/blind\/)?keys\//.test(path))
      return this.#keysAnswer(path.split("/").at(-1) ?? "");
    if (path.startsWith("/v1/people/")) return this.#person(path.split("/").at(-1) ?? "");
    if (path.startsWith("/v1/mint/quote/")) return this.#refundQuote(path.split("/").at(-1) ?? "");
    if (method === "GET") return Response.json(this.#quotes.get(path.split("/").at(-1) ?? ""));
    if (body === null) return refuse(0, "no body");
    if (path.startsWith("/v1/mail/")) return this.#keep(path.split("/").at(-1) ?? "", body);
    if (path.startsWith("/v1/melt/quote/")) return this.#quote(body);
    if (path.startsWith("/v1/melt/")) return this.#redeem(body);
    if (path.startsWith("/v1/mint/")) return this.#issueRefund(body);
    if (path === "/v1/swap") return this.#swap(body);
    if (path === "/v1/reissue") return this.#reissue(body);
    if (path === "/v1/checkstate") return this.#states(body.Ys);
    const outputs = body.outputs.filter(({ B_ }) => this.signed.has(B_));
    return Response.json({ outputs, signatures: outputs.map(({ B_ }) => this.signed.get(B_)) });
  }

  #keysAnswer(id: string): Response {
    const listed = [...this.listed, ...this.tokenKeysets];
    const found = listed.filter((keyset) => keyset.id === id);
    return Response.json({ keysets: found.map((one) => ({ ...one, keys: this.keysOf(one.id) })) });
  }

  #person(handle: string): Response {
    const person = this.people.get(handle);
    if (person === undefined) return Response.json({ detail: "nobody" }, { status: 404 });
    return Response.json({ handle, ...person });
  }

  #keep(handle: string, { id, sealed }: Asked): Response {
    if (!this.letters.has(id)) this.letters.set(id, { handle, sealed });
    return Response.json({ id });
  }

  #refundQuote(quote: string): Response {
    const found = this.refunds.get(quote);
    if (found === undefined) return refuse(20001, "quote not found");
    return Response.json({ quote, amount_paid: found.paid, amount_issued: found.issued });
  }

  #issueRefund({ quote, outputs, signature }: Asked): Response {
    const found = this.refunds.get(quote);
    const messages = outputs.map((one) => ({ ...one, amount: Amount.from(one.amount) }));
    if (found === undefined || signature === undefined) return refuse(20001, "quote not found");
    if (!verifyMintQuoteSignature(found.key, quote, messages, signature)) {
      return refuse(20008, "Signature for mint request invalid or missing");
    }
    const sum = outputs.reduce((whole, { amount }) => whole + amount, 0);
    if (sum !== found.paid - found.issued) return refuse(20002, "quote already issued");
    found.issued = found.paid;
    return Response.json({ signatures: outputs.map((output) => this.sign(output)) });
  }

  #quote(asked: Asked): Response {
    if (asked.refund_key !== undefined) this.refundKeys.push(asked.refund_key);
    const { request } = asked as unknown as { request: string };
    const amount = asked.amount ?? this.orders.get(request);
    if (amount === undefined) return refuse(20007, "no such order");
    const quote: Quote = {
      quote: crypto.randomUUID(),
      amount: amount + this.markUp,
      unit: "eur",
      fee_reserve: this.feeReserve,
      state: "UNPAID",
      expiry: FAR,
      payee: { name: "Souk", names: { ar: "سوق" } },
    };
    this.#quotes.set(quote.quote, quote);
    return Response.json(quote);
  }

  #redeem({ quote: id, inputs, outputs }: Asked): Response {
    const quote = this.#quotes.get(id);
    if (quote === undefined) return refuse(20001, "quote not found");
    if (quote.state === "PAID") return refuse(20006, "invoice already paid");
    const fault = this.#faultOf(inputs);
    if (fault !== null) return fault;
    if (this.#isIdle(outputs)) return refuse(12002, "Keyset is inactive");
    let over = inputs.reduce((sum, { amount }) => sum + amount, 0) - quote.amount;
    if (over < 0) return refuse(11005, "not enough inputs");
    for (const { secret } of inputs) this.spent.add(pointOf(secret));
    const change: Signature[] = [];
    for (let power = 1; over > 0; power *= 2) {
      if ((over & power) === 0) continue;
      const output = outputs[change.length];
      if (output !== undefined) change.push(this.sign({ ...output, amount: power }));
      over -= power;
    }
    quote.state = "PAID";
    const told = change.slice(0, this.changeTold);
    return Response.json({ ...quote, change: told, receipt: { order: "as signed" } });
  }

  #faultOf(inputs: readonly WireProof[], isAnew = false): Response | null {
    for (const { id: keyset, amount, secret, C, witness } of inputs) {
      const isRevoked = this.listed.some(({ id, revoked }) => id === keyset && revoked === true);
      if (isRevoked !== isAnew) return refuse(10001, "false");
      const key = this.#keys.get(keyset)?.secret[String(amount)];
      const proof = { id: keyset, secret: new TextEncoder().encode(secret), C: pointFromHex(C) };
      const isFalse = key === undefined || !verifyUnblindedSignature(proof, key);
      if (isFalse || this.malformed.has(secret)) return refuse(10001, "false");
      if (this.spent.has(pointOf(secret))) return refuse(11001, "Token already spent.");
      if (!isOpened({ id: keyset, amount: Amount.from(amount), secret, C, witness: witness ?? "" }))
        return refuse(11010, "Witness is missing or invalid");
    }
    return null;
  }

  /** A factor that gives an output which was signed shows that the proof was issued. */
  #reissue(asked: Asked): Response {
    for (const { id, amount, secret, r } of asked.inputs) {
      const { B_ } = blindMessage(new TextEncoder().encode(secret), BigInt(`0x${r ?? "0"}`));
      const signed = this.signed.get(B_.toHex(true));
      if (signed?.id !== id || signed.amount !== amount) return refuse(10001, "not shown");
    }
    return this.#swap(asked, true);
  }

  #swap({ inputs, outputs }: Asked, isAnew = false): Response {
    const fault = this.#faultOf(inputs, isAnew);
    if (fault !== null) return fault;
    const sum = (items: readonly { amount: number }[]): number =>
      items.reduce((whole, { amount }) => whole + amount, 0);
    if (sum(inputs) !== sum(outputs)) return refuse(11002, "not balanced");
    if (this.#isIdle(outputs)) return refuse(12002, "Keyset is inactive");
    for (const { secret } of inputs) this.spent.add(pointOf(secret));
    return Response.json({ signatures: outputs.map((output) => this.sign(output)) });
  }

  #isIdle(outputs: readonly WireOutput[]): boolean {
    return outputs.some(({ id }) => !this.listed.some((one) => one.id === id && one.active));
  }

  #states(points: readonly string[]): Response {
    const states = points.map((Y) => ({ Y, state: this.spent.has(Y) ? "SPENT" : "UNSPENT" }));
    return Response.json({ states });
  }

  sign({ amount, id, B_ }: WireOutput): Signature {
    const key = this.#keys.get(id)?.secret[String(amount)];
    if (key === undefined) throw new Error(`no key for ${amount}`);
    const { C_, dleq } = signedBy(key, B_);
    const signature: Signature = { id, amount, C_, dleq: this.withoutDleq ? null : dleq };
    this.signed.set(B_, signature);
    return signature;
  }
}

/** The operator's named side: what is left with it is signed when the test says so. */
export class TestNamedSide implements NamedSide {
  readonly #mint: TestMint;
  readonly calls: string[] = [];
  left: { keyset: string; outputs: WireOutput[] } | null = null;
  signatures: Signature[] | null = null;
  loseAnswers = 0;
  /** The backup as it was left, sealed. */
  kept: string | null = null;
  losesBackups = false;
  losesWithdrawals = false;

  constructor(mint: TestMint) {
    this.#mint = mint;
  }

  sign(): void {
    this.signatures = (this.left?.outputs ?? []).map((output) => this.#mint.sign(output));
  }

  facts: NamedSide["facts"] = async () => {
    this.#note("GET", "");
    return { mint: "http://mint.example", unit: "eur", crowd: 1200, refill: null };
  };

  refill: NamedSide["refill"] = async () => {
    this.calls.push("GET refill");
    this.#note("GET", "/refill");
    if (this.left === null) return { state: "none", signatures: null };
    if (this.signatures === null) return { state: "waiting", signatures: null };
    return { state: "signed", signatures: this.signatures };
  };

  #note(method: string, path: string, body: string | null = null): void {
    const read = body === null ? null : (JSON.parse(body) as Sent["body"]);
    this.#mint.note(`${OPERATOR}/v1/purse${path}`, { method }, read);
  }

  leave: NamedSide["leave"] = async (refill, unit) => {
    this.calls.push("PUT refill");
    this.#note("PUT", "/refill", refillBody(refill, unit));
    const { keyset } = refill;
    const outputs = refill.outputs.map(({ amount, B_ }) => ({ amount, id: keyset, B_ }));
    this.left = { keyset, outputs };
    this.signatures = null;
    if (this.loseAnswers === 0) return "left";
    this.loseAnswers -= 1;
    return "lost";
  };

  withdraw: NamedSide["withdraw"] = async () => {
    this.calls.push("DELETE refill");
    this.#note("DELETE", "/refill");
    if (this.losesWithdrawals) return false;
    if (this.signatures === null) this.left = null;
    return true;
  };

  tokens: NamedSide["tokens"] = async (keyset, outputs) => {
    this.calls.push("POST tokens");
    this.#note("POST", "/tokens", tokensBody(keyset, outputs));
    return outputs.map(({ B_ }) => this.#mint.sign({ amount: 1, id: keyset, B_ }));
  };

  putBackup: NamedSide["putBackup"] = async (sealed) => {
    this.calls.push("PUT backup");
    this.#note("PUT", "/backup", JSON.stringify({ sealed }));
    if (this.losesBackups) return false;
    this.kept = sealed;
    return true;
  };

  backup: NamedSide["backup"] = async () => {
    this.#note("GET", "/backup");
    return this.kept ?? "none";
  };

  depositRequest: NamedSide["depositRequest"] = async (isClosing) => {
    this.calls.push(isClosing === true ? "POST deposits closing" : "POST deposits");
    this.#note("POST", "/deposits", JSON.stringify({ closing: isClosing === true }));
    return "deposit-1";
  };
}
