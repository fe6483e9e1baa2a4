/**
 * Reads everything that the purse sent, and says what should not have been in it.
 *
 * One clause is not here: that no connection serves two payments. There are none in these tests, and
 * a page cannot see its browser's; the recorder of the tests in a browser looks at that.
 */

import { pointOf } from "../src/purse/curve.ts";
import { MINUTE, POLICY } from "../src/rules/purse/policy.ts";

export interface Sent {
  readonly address: string;
  readonly init: RequestInit;
  readonly body: Readonly<Record<string, unknown>> | null;
  /** Whole seconds since 1970. */
  readonly at: number;
}

/** What was said, in order, and between it when the person asked for the named side. */
export type Journal = readonly (Sent | "pressed")[];

type Fields = Readonly<Record<string, unknown>>;

/** Where the tests' named side is; everything else goes to the mint's origin. */
export const OPERATOR = "http://operator.example";
const PROOF_FIELDS = ["C", "amount", "id", "secret"];
/** A proof of a revoked keyset shows how it was issued, and nothing else ever does. */
const SHOWN_FIELDS = ["C", "amount", "id", "r", "secret"];
const TOKEN_FIELDS = ["C", "id", "secret"];
const OUTPUT_FIELDS = ["B_", "amount", "id"];
const LEFT_FIELDS = ["B_", "amount"];
const HEADERS = new Set(["Accept", "Accept-Language", "Blind-auth", "Content-Type"]);
const TAKEN = 16;
const HANDED = 32;

const ID = "[0-9A-Za-z-]+";
const HANDLE = "[0-9a-z._-]+";

/** All that a wallet asks at the mint's origin; every word more would be one about itself. */
const ASKED_OF_MINT = patternsOf([
  "GET /v1/keysets",
  `GET /v1/keys/${ID}`,
  "GET /v1/auth/blind/keysets",
  `GET /v1/auth/blind/keys/${ID}`,
  "POST /v1/melt/quote/amana-(merchant|account)",
  `GET /v1/melt/quote/amana-(merchant|account)/${ID}`,
  "POST /v1/melt/amana-(merchant|account)",
  `GET /v1/mint/quote/amana-refund/${ID}`,
  "POST /v1/mint/amana-refund",
  "POST /v1/swap",
  "POST /v1/reissue",
  `GET /v1/people/${HANDLE}`,
  `POST /v1/mail/${HANDLE}`,
  "POST /v1/checkstate",
  "POST /v1/restore",
]);

/** All that the purse asks of the named side. */
const ASKED_OF_NAMED = patternsOf([
  "GET /v1/purse",
  "(GET|PUT|DELETE) /v1/purse/refill",
  "POST /v1/purse/tokens",
  "(GET|PUT) /v1/purse/backup",
  "POST /v1/purse/deposits",
  "PUT /v1/purse/key",
  "GET /v1/purse/mail",
  `DELETE /v1/purse/mail/${ID}`,
  `GET /v1/merchants/${HANDLE}/receipt-key`,
  "GET /v1/relay-key",
]);

/** What goes to the named side whenever somebody paid: money goes back because the person says so. */
const AT_ANY_TIME = patternsOf(["POST /v1/purse/deposits"]);

/** What is wrong with what was sent, in words; empty where nothing is. */
export function leaksIn(journal: Journal): string[] {
  const sent = journal.filter((one) => one !== "pressed");
  const toMint = sent.filter((one) => !isNamed(one));
  const keys = new Map<string, string>();
  return [
    ...toMint.flatMap((one) => [
      ...told(one, leaksOf(one)),
      ...told(one, leaksOfInputs(one)),
      ...told(one, leaksOfOutputs(one)),
      ...repeatsOf(one, keys),
    ]),
    ...sent.filter(isNamed).flatMap((one) => told(one, leaksOfNamed(one))),
    ...offMenu(sent),
    ...namedAfterPaying(journal),
    ...statesAskedFor(sent),
  ];
}

function told(one: Sent, leaks: Iterable<string>): string[] {
  return [...leaks].map((leak) => `${whereOf(one)}: ${leak}`);
}

function* leaksOf(one: Sent): Iterable<string> {
  const { address, init } = one;
  if (!isOneOf(ASKED_OF_MINT, one)) yield "nothing that a wallet asks the mint";
  if (init.credentials !== "omit") yield "a cookie could go along";
  if (init.referrerPolicy !== "no-referrer") yield "a referrer could go along";
  if (init.cache !== "no-store") yield "an answer could be kept";
  if (new URL(address).search !== "") yield "something stands in the address";
  for (const name of Object.keys(init.headers as Fields))
    if (!HEADERS.has(name)) yield `header ${name}`;
  const token = tokenOf(init);
  if (token !== null && !isExactly(token, TOKEN_FIELDS))
    yield "a blind token with more than it needs";
}

function* leaksOfInputs({ address, body }: Sent): Iterable<string> {
  const inputs = listOf(body?.["inputs"]);
  for (const proof of inputs) {
    const allowed = isLocked(proof) ? [...PROOF_FIELDS, "witness"] : PROOF_FIELDS;
    const fields = pathOf(address) === "/v1/reissue" ? SHOWN_FIELDS : allowed;
    if (!isExactly(proof, fields)) yield `a proof with ${Object.keys(proof).join()}`;
    const isPlain = /^[0-9a-f]{64}$/.test(String(proof["secret"]));
    if (!isPlain && !isLocked(proof)) yield "a secret that is not 64 digits";
  }
  if (!isAscending(inputs)) yield "inputs that are not sorted";
}

function* leaksOfOutputs({ address, body }: Sent): Iterable<string> {
  const [inputs, outputs] = [listOf(body?.["inputs"]), listOf(body?.["outputs"])];
  for (const output of outputs)
    if (!isExactly(output, OUTPUT_FIELDS)) yield `an output with ${Object.keys(output).join()}`;
  if (!isAscending(outputs)) yield "outputs that are not sorted";
  const path = pathOf(address);
  if (path === "/v1/swap" && !isSwapOfOurs(inputs, outputs.map(amountOf)))
    yield `a swap of ${inputs.length} into ${outputs.length}`;
  if (path === "/v1/reissue" && (inputs.length !== 1 || outputs.length !== 1))
    yield `${inputs.length} proofs side by side`;
  if (/^\/v1\/melt\/[a-z-]+$/.test(path) && outputs.length !== POLICY.spend.blanks)
    yield `${outputs.length} outputs for change`;
}

/** What goes to the operator, which knows whose it is: all who ask for the same say the same. */
function* leaksOfNamed(one: Sent): Iterable<string> {
  const { address, body } = one;
  const { search } = new URL(address);
  if (!isOneOf(ASKED_OF_NAMED, one) || search !== "") yield "nothing that a purse asks by name";
  const outputs = listOf(body?.["outputs"]);
  for (const output of outputs)
    if (!isExactly(output, LEFT_FIELDS)) yield `an output with ${Object.keys(output).join()}`;
  if (!isAscending(outputs)) yield "outputs that are not sorted";
  switch (whereOf(one)) {
    case "PUT /v1/purse/refill": {
      const tier = body?.["tier"] as Fields;
      if (!POLICY.refill.tiers.includes(Number(tier["minor"]))) yield "a refill off the menu";
      if (outputs.length !== POLICY.refill.outputs) yield `unpadded, ${outputs.length} outputs`;
      break;
    }
    case "POST /v1/purse/tokens":
      if (outputs.length !== POLICY.blind_tokens.per_fetch)
        yield `unpadded, ${outputs.length} outputs`;
      break;
    case "PUT /v1/purse/backup": {
      const { length } = String(body?.["sealed"]);
      if (length !== Math.ceil((POLICY.backup.bytes * 4) / 3)) yield `${length} characters`;
    }
  }
}

/** Sums that go back to the account and are no tier, but of an account that is being closed. */
function offMenu(sent: readonly Sent[]): string[] {
  let isClosing = false;
  return sent.flatMap((one) => {
    const path = pathOf(one.address);
    if (path === "/v1/purse/deposits") isClosing = one.body?.["closing"] === true;
    if (path !== "/v1/melt/quote/amana-account" || isClosing) return [];
    const isTier = POLICY.deposit.tiers.includes(Number(one.body?.["amount"]));
    return isTier ? [] : told(one, ["a deposit off the menu"]);
  });
}

/** What went to the named side soon after a payment, however it is asked, unless by the person. */
function namedAfterPaying(journal: Journal): string[] {
  let paidAt: number | null = null;
  return journal.flatMap((one) => {
    if (one === "pressed") {
      paidAt = null;
      return [];
    }
    if (isSpend(one)) paidAt = one.at;
    const isSoon = paidAt !== null && one.at < paidAt + POLICY.refill.quiet_minutes * MINUTE;
    const isLeak = isSoon && isNamed(one) && !isOneOf(AT_ANY_TIME, one);
    return isLeak ? told(one, ["to the named side after a payment"]) : [];
  });
}

/**
 * Questions where proofs stand that join some, or that come before them.
 *
 * Proofs that went together are asked for together: the mint saw them so. What has not gone yet is
 * asked for by a purse that is being taken over: its coins are exchanged before they are spent.
 */
function statesAskedFor(sent: readonly Sent[]): string[] {
  const together: ReadonlySet<string>[] = [];
  let isTakenOver = false;
  return sent.flatMap((one) => {
    if (isNamed(one) && whereOf(one) === "GET /v1/purse/backup") isTakenOver = true;
    if (isSpend(one)) isTakenOver = false;
    const inputs = listOf(one.body?.["inputs"]);
    if (inputs.length > 0) together.push(new Set(inputs.map(({ secret }) => String(secret))));
    if (pathOf(one.address) !== "/v1/checkstate" || isTakenOver) return [];
    const points = one.body?.["Ys"] as readonly string[];
    const isKnown = together.some((secrets) => areOf(secrets, points));
    return isKnown ? [] : told(one, ["asked for proofs that did not go together"]);
  });
}

function areOf(secrets: ReadonlySet<string>, points: readonly string[]): boolean {
  const sent = new Set([...secrets].map(pointOf));
  return points.every((point) => sent.has(point));
}

/** Whether somebody is paid; an exchange of one coin for one is not that, nor what is taken. */
function isSpend(one: Sent): boolean {
  const { address, init, body } = one;
  const path = pathOf(address);
  if (init.method !== "POST" || isNamed(one)) return false;
  if (path === "/v1/melt/amana-merchant") return true;
  const inputs = listOf(body?.["inputs"]);
  const isParted = inputs.length > 1 || listOf(body?.["outputs"]).length > 1;
  return path === "/v1/swap" && isParted && !inputs.some(isLocked);
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

/** Whether a proof comes from another person, locked to a key; its lock is never a name. */
const isLocked = ({ secret }: Fields): boolean => String(secret).startsWith('["P2PK"');

/** The keys that open a locked proof (NUT-11). */
function locksOf(proof: Fields): string[] {
  if (!isLocked(proof)) return [];
  const [, lock] = JSON.parse(String(proof["secret"])) as [
    string,
    { data: string; tags: string[][] },
  ];
  const more = lock.tags.filter(([name]) => name === "pubkeys" || name === "refund");
  return [lock.data, ...more.flatMap(([, ...values]) => values)];
}

/** A one-time key is sent once; a secret or an output goes again only with the very same request. */
function repeatsOf({ address, init, body }: Sent, seen: Map<string, string>): string[] {
  const whole = address + JSON.stringify(body);
  const inputs = listOf(body?.["inputs"]);
  const named = [
    ...(typeof body?.["refund_key"] === "string" ? [body["refund_key"]] : []),
    ...(tokenOf(init) === null ? [] : [String(tokenOf(init)?.["secret"])]),
    ...inputs.map(({ secret }) => String(secret)),
    ...inputs.flatMap(locksOf),
    ...(address.endsWith("/restore") ? [] : listOf(body?.["outputs"]).map(({ B_ }) => String(B_))),
  ];
  return named.flatMap((key, at) => {
    const before = seen.get(key);
    seen.set(key, whole);
    const isTwice = named.indexOf(key) < at;
    const isNew = before === undefined || before === whole;
    return isNew && !isTwice ? [] : [`${address}: ${key} was sent before`];
  });
}

function tokenOf(init: RequestInit): Fields | null {
  const text = (init.headers as Readonly<Record<string, string>>)["Blind-auth"];
  if (text === undefined) return null;
  return JSON.parse(Buffer.from(text.slice("authA".length), "base64url").toString()) as Fields;
}

function patternsOf(asked: readonly string[]): readonly RegExp[] {
  return asked.map((one) => new RegExp(`^${one}$`));
}

const isOneOf = (patterns: readonly RegExp[], one: Sent): boolean =>
  patterns.some((pattern) => pattern.test(whereOf(one)));
const whereOf = ({ address, init }: Sent): string => `${init.method ?? ""} ${pathOf(address)}`;
const pathOf = (address: string): string => new URL(address).pathname;
const isNamed = ({ address }: Sent): boolean => address.startsWith(`${OPERATOR}/`);
const amountOf = ({ amount }: Fields): number => Number(amount);

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as Fields[]) : [];
}

function isExactly(value: Fields, names: readonly string[]): boolean {
  return Object.keys(value).toSorted().join() === names.toSorted().join();
}

function isAscending(items: readonly Fields[]): boolean {
  const amounts = items.map(amountOf);
  return amounts.every((amount, at) => at === 0 || amount >= (amounts[at - 1] ?? 0));
}
