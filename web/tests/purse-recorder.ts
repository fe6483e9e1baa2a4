/** Reads everything that the purse sent, and says what should not have been in it. */

import { POLICY } from "../src/rules/purse/policy.ts";

export interface Sent {
  readonly address: string;
  readonly init: RequestInit;
  readonly body: Readonly<Record<string, unknown>> | null;
}

type Fields = Readonly<Record<string, unknown>>;

const PROOF_FIELDS = ["C", "amount", "id", "secret"];
/** A proof of a revoked keyset shows how it was issued, and nothing else ever does. */
const SHOWN_FIELDS = ["C", "amount", "id", "r", "secret"];
const TOKEN_FIELDS = ["C", "id", "secret"];
const OUTPUT_FIELDS = ["B_", "amount", "id"];
const HEADERS = new Set(["Accept", "Accept-Language", "Blind-auth", "Content-Type"]);

/** What is wrong with what went to the mint's origin, in words; empty where nothing is. */
export function leaksIn(sent: readonly Sent[]): string[] {
  const keys = new Map<string, string>();
  return sent.flatMap((one) => [...leaksOf(one), ...repeatsOf(one, keys)]);
}

function leaksOf({ address, init, body }: Sent): string[] {
  const { pathname, search } = new URL(address);
  const leaks: string[] = [];
  const note = (isLeak: boolean, what: string): void => {
    if (isLeak) leaks.push(`${init.method ?? ""} ${pathname}: ${what}`);
  };
  note(init.credentials !== "omit", "a cookie could go along");
  note(init.referrerPolicy !== "no-referrer", "a referrer could go along");
  note(init.cache !== "no-store", "an answer could be kept");
  note(search !== "", "something stands in the address");
  for (const name of Object.keys(init.headers as Fields))
    note(!HEADERS.has(name), `header ${name}`);
  const token = tokenOf(init);
  note(token !== null && !isExactly(token, TOKEN_FIELDS), "a blind token with more than it needs");
  for (const proof of listOf(body?.["inputs"])) {
    const allowed = isLocked(proof) ? [...PROOF_FIELDS, "witness"] : PROOF_FIELDS;
    const fields = pathname === "/v1/reissue" ? SHOWN_FIELDS : allowed;
    note(!isExactly(proof, fields), `a proof with ${Object.keys(proof).join()}`);
    const isPlain = /^[0-9a-f]{64}$/.test(String(proof["secret"]));
    note(!isPlain && !isLocked(proof), "a secret that is not 64 digits");
  }
  const outputs = listOf(body?.["outputs"]);
  for (const output of outputs) {
    note(!isExactly(output, OUTPUT_FIELDS), `an output with ${Object.keys(output).join()}`);
  }
  const amounts = outputs.map(({ amount }) => Number(amount));
  note(!isAscending(amounts), "outputs that are not sorted");
  if (pathname === "/v1/swap") {
    const inputs = listOf(body?.["inputs"]);
    note(!isAscending(inputs.map(({ amount }) => Number(amount))), "inputs that are not sorted");
    note(!isSwapOfOurs(inputs, amounts), `a swap of ${inputs.length} into ${outputs.length}`);
  }
  if (/^\/v1\/melt\/[a-z-]+$/.test(pathname)) {
    note(outputs.length !== POLICY.spend.blanks, `${outputs.length} outputs for change`);
    note(
      !isAscending(listOf(body?.["inputs"]).map(({ amount }) => Number(amount))),
      "inputs that are not sorted",
    );
  }
  if (pathname.endsWith("/amana-account") && pathname.includes("/quote/")) {
    note(!POLICY.deposit.tiers.includes(Number(body?.["amount"])), "a deposit off the menu");
  }
  return leaks;
}

/**
 * Whether a swap is of a kind that every wallet makes, so that its shape tells no wallet apart.
 *
 * An exchange is one coin for one. Whatever is taken comes out in sixteen: fewer than sixteen powers
 * of two make up the most that is sent, and a sum that cannot be divided so often is all in ones. What
 * is handed over and what stays come out in sixteen together, or in thirty-two where both have so
 * many powers of two that sixteen cannot hold them: that much, one bit of the sums, a swap does tell.
 */
function isSwapOfOurs(inputs: readonly Fields[], amounts: readonly number[]): boolean {
  const sum = amounts.reduce((whole, amount) => whole + amount, 0);
  if (inputs.length === 1 && amounts.length === 1 && inputs[0]?.["amount"] === sum) return true;
  if (amounts.every((amount) => amount === 1)) return amounts.length < TAKEN;
  return amounts.length === TAKEN || (amounts.length === HANDED && !inputs.some(isLocked));
}

const TAKEN = 16;
const HANDED = 32;

/** Whether a proof comes from another person, locked to a key; its lock is never a name. */
const isLocked = ({ secret }: Fields): boolean => String(secret).startsWith('["P2PK"');

/** A one-time key is sent once; a secret or an output goes again only with the very same request. */
function repeatsOf({ address, init, body }: Sent, seen: Map<string, string>): string[] {
  const whole = address + JSON.stringify(body);
  const named = [
    ...(typeof body?.["refund_key"] === "string" ? [body["refund_key"]] : []),
    ...(tokenOf(init) === null ? [] : [String(tokenOf(init)?.["secret"])]),
    ...listOf(body?.["inputs"]).map(({ secret }) => String(secret)),
    ...(address.endsWith("/restore") ? [] : listOf(body?.["outputs"]).map(({ B_ }) => String(B_))),
  ];
  return named.flatMap((key) => {
    const before = seen.get(key);
    seen.set(key, whole);
    return before === undefined || before === whole ? [] : [`${address}: ${key} was sent before`];
  });
}

function tokenOf(init: RequestInit): Fields | null {
  const text = (init.headers as Readonly<Record<string, string>>)["Blind-auth"];
  if (text === undefined) return null;
  return JSON.parse(Buffer.from(text.slice("authA".length), "base64url").toString()) as Fields;
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as Fields[]) : [];
}

function isExactly(value: Fields, names: readonly string[]): boolean {
  return Object.keys(value).toSorted().join() === names.toSorted().join();
}

function isAscending(amounts: readonly number[]): boolean {
  return amounts.every((amount, at) => at === 0 || amount >= (amounts[at - 1] ?? 0));
}
