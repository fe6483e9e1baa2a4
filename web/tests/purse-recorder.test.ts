/**
 * What the recorder looks for is found: of each clause one forged message, beside honest ones.
 *
 * A recorder that is blind finds nothing, and looks like a wallet that tells nothing. So each row says
 * one message more than a run in which nothing is amiss, and names the only complaint that it brings.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { pointOf } from "../src/purse/curve.ts";
import { POLICY } from "../src/rules/purse/policy.ts";
import { type Journal, OPERATOR, type Sent, leaksIn } from "./purse-recorder.ts";

const MINT = "http://mint.example";
const POINT = `02${"ab".repeat(32)}`;
const AMOUNTS = [...new Array<number>(15).fill(1), 2];
const [TIER = 0] = POLICY.refill.tiers;
const [BACK = 0] = POLICY.deposit.tiers;
const QUIET = POLICY.refill.quiet_minutes * 60;
const NOW = 1_000_000;

type Body = NonNullable<Sent["body"]>;

const digits = (name: string): string => Buffer.from(name).toString("hex").padEnd(64, "0");
const proof = (amount: number, name: string) => ({
  amount,
  id: "01aa",
  secret: digits(name),
  C: POINT,
});
const output = (amount: number, name: string) => ({ amount, id: "01aa", B_: name });
const outputs = (name: string, amounts: readonly number[]) =>
  amounts.map((amount, at) => output(amount, `${name}-${at}`));

function locked(name: string, to: string, refund: string) {
  const tags = [
    ["locktime", "9"],
    ["refund", refund],
  ];
  const secret = JSON.stringify(["P2PK", { nonce: name, data: to, tags }]);
  return { ...proof(8, name), secret, witness: "{}" };
}

function tokenText(name: string, more: object = {}): string {
  const json = JSON.stringify({ id: "01bb", secret: name, C: POINT, ...more });
  return `authA${Buffer.from(json).toString("base64url")}`;
}

function asked(path: string, body: Body | null, token: string | null = null): Sent {
  const headers = {
    Accept: "application/json",
    "Accept-Language": "en",
    ...(body === null ? {} : { "Content-Type": "application/json" }),
    ...(token === null ? {} : { "Blind-auth": tokenText(token) }),
  };
  const init: RequestInit = {
    method: body === null ? "GET" : "POST",
    headers,
    cache: "no-store",
    credentials: "omit",
    referrerPolicy: "no-referrer",
  };
  return { address: MINT + path, init, body, at: NOW };
}

function named(method: string, path: string, body: Body | null = null): Sent {
  return { address: OPERATOR + path, init: { method }, body, at: NOW };
}

const left = (method: string, path: string, body: Body): Sent =>
  named(method, `/v1/purse/${path}`, body);
const stateAsked = (...names: readonly string[]): Sent =>
  asked("/v1/checkstate", { Ys: names.map((name) => pointOf(digits(name))) });

const points = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ amount: 1, B_: `left-${at}` }));
const refill = (tier = TIER, of: readonly object[] = points(POLICY.refill.outputs)): Sent =>
  left("PUT", "refill", { tier: { currency: "EUR", minor: `${tier}` }, outputs: of });
const fetched = (count: number = POLICY.blind_tokens.per_fetch): Sent =>
  left("POST", "tokens", { keyset_id: "01bb", outputs: points(count) });
const backup = (length = Math.ceil((POLICY.backup.bytes * 4) / 3)): Sent =>
  left("PUT", "backup", { sealed: "A".repeat(length) });
const deposit = (closing: boolean): Sent => left("POST", "deposits", { closing });

const accountQuote = (amount: number): Sent =>
  asked("/v1/melt/quote/amana-account", { request: "r", unit: "eur", amount }, `back-${amount}`);
const merchantQuote = (name: string, key = `refund-${name}`): Sent =>
  asked("/v1/melt/quote/amana-merchant", { request: name, refund_key: key }, `${name}-quote`);

function melted(name: string, more: Body = {}): Sent {
  const inputs = [proof(2, `${name}2`), proof(8, `${name}8`)];
  const blanks = outputs(`${name}-change`, new Array<number>(POLICY.spend.blanks).fill(0));
  const body = { quote: name, inputs, outputs: blanks, ...more };
  return asked("/v1/melt/amana-merchant", body, `${name}-token`);
}

function swapped(name: string, more: Body = {}): Sent {
  const inputs = [proof(8, `${name}8`), proof(9, `${name}9`)];
  const body = { inputs, outputs: outputs(name, AMOUNTS), ...more };
  return asked("/v1/swap", body, `${name}-token`);
}

const taken = (name: string, to: string, refund: string): Sent =>
  swapped(name, {
    inputs: [locked(name, to, refund), locked(`${name}+`, `${name}-key`, `${name}-back`)],
  });

function withInit(init: RequestInit): Sent {
  const sent = melted("x");
  return { ...sent, init: { ...sent.init, ...init } };
}

function withHeader(name: string, value: string): Sent {
  const { init } = melted("x");
  return withInit({ headers: { ...(init.headers as Record<string, string>), [name]: value } });
}

const exchanged = asked(
  "/v1/swap",
  { inputs: [proof(4, "old")], outputs: [output(4, "new")] },
  "one",
);
const reissued = asked("/v1/reissue", {
  inputs: [{ ...proof(4, "ended"), r: "1" }],
  outputs: [output(4, "anew")],
});

const HONEST: Journal = [
  named("GET", "/v1/purse"),
  named("GET", "/v1/purse/backup"),
  stateAsked("of a purse", "that is taken over"),
  refill(),
  fetched(),
  backup(),
  asked("/v1/keysets", null),
  exchanged,
  backup(),
  merchantQuote("first"),
  melted("first"),
  stateAsked("first2", "first8"),
  melted("first"),
  "pressed",
  refill(),
  merchantQuote("second"),
  melted("second"),
  { ...backup(), at: NOW + QUIET },
  swapped("handed"),
  taken("came", "key", "back"),
  asked("/v1/restore", { outputs: outputs("handed", AMOUNTS) }),
  reissued,
  deposit(true),
  accountQuote(BACK + 1),
  deposit(false),
  accountQuote(BACK),
];

const leaksWith = (...more: Journal): string[] => leaksIn([...HONEST, ...more]);

/** Under its clause: what is said, and the complaint. */
const FORGED: Readonly<Record<string, readonly [Sent, string]>> = {
  factor: [melted("x", { inputs: [{ ...proof(8, "x"), r: "1" }] }), "a proof with"],
  dleq: [melted("x", { inputs: [{ ...proof(8, "x"), dleq: { r: "1" } }] }), "a proof with"],
  "factor in a swap": [
    swapped("x", { inputs: [{ ...proof(8, "x"), r: "1" }, proof(9, "y")] }),
    "a proof with",
  ],
  "factor of a locked proof": [
    swapped("x", { inputs: [{ ...locked("x", "k", "l"), dleq: {} }] }),
    "a proof with",
  ],
  "factor of a blind token": [
    withHeader("Blind-auth", tokenText("x", { dleq: { r: "1" } })),
    "a blind token with",
  ],
  "factor of an output": [swapped("x", { outputs: [{ ...output(1, "x"), r: "1" }] }), "an output"],
  "factor of a refill's output": [
    refill(TIER, [{ amount: 1, B_: "x", r: "1" }, ...points(POLICY.refill.outputs - 1)]),
    "an output",
  ],
  secret: [melted("x", { inputs: [proof(8, "first8")] }), "was sent before"],
  output: [
    swapped("x", { outputs: [output(1, "handed-0"), ...outputs("x", AMOUNTS.slice(1))] }),
    "handed-0 was sent before",
  ],
  "output within a message": [
    swapped("x", {
      outputs: [output(1, "same"), output(1, "same"), ...outputs("x", AMOUNTS.slice(2))],
    }),
    "same was sent before",
  ],
  "refund key": [merchantQuote("x", "refund-first"), "refund-first was sent before"],
  "blind token": [withHeader("Blind-auth", tokenText("first-token")), "first-token was sent"],
  lock: [taken("x", "key", "other"), "key was sent before"],
  "lock for the refund": [taken("x", "other", "back"), "back was sent before"],
  "order of inputs": [melted("x", { inputs: [proof(8, "x8"), proof(2, "x2")] }), "inputs that"],
  "order of outputs": [swapped("x", { outputs: outputs("x", [2, ...AMOUNTS.slice(1)]) }), "not"],
  "order of a refund": [
    asked("/v1/mint/amana-refund", { quote: "x", outputs: outputs("x", [8, 4]) }),
    "outputs that are not sorted",
  ],
  "order of a refill": [
    refill(TIER, [{ amount: 2, B_: "x" }, ...points(POLICY.refill.outputs - 1)]),
    "outputs that are not sorted",
  ],
  "unpadded swap": [swapped("x", { outputs: outputs("x", [2, 14]) }), "a swap of 2 into 2"],
  "proofs issued anew together": [
    asked("/v1/reissue", {
      inputs: ["x", "y"].map((name) => ({ ...proof(4, name), r: "1" })),
      outputs: outputs("x", [4, 4]),
    }),
    "2 proofs side by side",
  ],
  "unpadded change": [melted("x", { outputs: outputs("x", [0, 0]) }), "2 outputs for change"],
  "unpadded refill": [refill(TIER, points(POLICY.refill.outputs - 1)), "unpadded, 31 outputs"],
  "unpadded tokens": [fetched(3), "unpadded, 3 outputs"],
  "backup of another size": [backup(100), "100 characters"],
  "secret of another form": [
    melted("x", { inputs: [{ ...proof(8, "x"), secret: "x" }] }),
    "a secret that is not 64 digits",
  ],
  "withdrawal off the menu": [refill(TIER + 1), "a refill off the menu"],
  "return off the menu": [accountQuote(BACK + 2), "a deposit off the menu"],
  "cookie that could go along": [withInit({ credentials: "include" }), "a cookie could go along"],
  cookie: [withHeader("Cookie", "x"), "header Cookie"],
  session: [withHeader("Authorization", "x"), "header Authorization"],
  "clear token": [withHeader("Clear-auth", "x"), "header Clear-auth"],
  referrer: [withInit({ referrerPolicy: "origin" }), "a referrer could go along"],
  "what was kept": [withInit({ cache: "default" }), "an answer could be kept"],
  address: [asked("/v1/keysets?who=me", null), "something stands in the address"],
  "word to the operator": [named("POST", "/v1/telemetry", { paid: 1 }), "nothing that a purse"],
  "note to the operator": [named("POST", "/v1/notes", { quote: "x" }), "nothing that a purse"],
  "key to the operator": [named("PUT", "/v1/keys", { key: "x" }), "nothing that a purse"],
  "word in the operator's address": [
    named("GET", "/v1/purse?quote=first"),
    "nothing that a purse asks by name",
  ],
  "word to the mint": [asked("/v1/telemetry", { paid: 1 }), "nothing that a wallet asks"],
  "quote under another's way": [
    asked("/v1/melt/quote/bolt11", { request: "x" }),
    "nothing that a wallet asks",
  ],
  "address of the mint below one of a wallet's": [
    asked("/v1/keys/01aa/me", null),
    "nothing that a wallet asks",
  ],
  "method of the mint that no wallet uses": [
    asked("/v1/keysets", { who: "me" }),
    "nothing that a wallet asks",
  ],
  "state of a proof that has not gone": [stateAsked("to be spent"), "asked for proofs"],
  "states of two payments": [stateAsked("first8", "second8"), "asked for proofs"],
  "states of a payment and more": [stateAsked("first2", "first8", "x"), "asked for proofs"],
  upload: [backup(), "to the named side after a payment"],
  "refill after a payment": [refill(), "to the named side after a payment"],
  "tokens after a payment": [fetched(), "to the named side after a payment"],
  "look at the purse after a payment": [named("GET", "/v1/purse"), "to the named side after"],
  "look for a refill after a payment": [
    named("GET", "/v1/purse/refill"),
    "to the named side after a payment",
  ],
  "refill taken back after a payment": [
    named("DELETE", "/v1/purse/refill"),
    "to the named side after a payment",
  ],
  "merchant's key after a payment": [
    named("GET", "/v1/merchants/souk/receipt-key"),
    "to the named side after a payment",
  ],
  "relay's key after a payment": [
    named("GET", "/v1/relay-key"),
    "to the named side after a payment",
  ],
};

test("honest messages are passed over", () => {
  assert.deepEqual(leaksWith(), []);
});

for (const [clause, [sent, complaint]] of Object.entries(FORGED)) {
  test(`a forged message is found, and nothing else: ${clause}`, () => {
    const isOfTime = complaint.startsWith("to the named side");
    const leaks = isOfTime ? leaksWith(sent) : leaksWith("pressed", sent);
    assert.equal(leaks.length, 1, leaks.join("\n"));
    assert.match(leaks[0] ?? "", new RegExp(complaint));
  });
}

test("a payment to a person is one after which nothing is left either", () => {
  assert.equal(leaksIn([swapped("x"), backup()]).length, 1);
  assert.deepEqual(leaksIn([taken("x", "key", "back"), backup()]), []);
});
