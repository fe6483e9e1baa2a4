// What a wallet of another make does at an operator's own mint, which rations by blind tokens.
//
// Usage: node operator.mjs facts.json
// The facts are the demo's ready file, with the outputs that a refill has. Prints one JSON object:
// the outcome of each scenario by its name, "passed" or what went wrong. They run in order.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  JSONInt,
  Mint,
  MintOperationError,
  OutputData,
  Wallet,
  createAuthWallet,
  decodePaymentRequest,
  hasValidDleq,
  sumProofs,
} from "@cashu/cashu-ts";

const facts = JSON.parse(readFileSync(process.argv[2], "utf8"));
const mintUrl = facts.mint.url;
const customer = facts.customers[0].token;
const merchant = facts.merchants[0].api_key;
const REDIRECT = "http://localhost:33388/callback";
const BLIND_AUTH_MISSING = 31001;
const BLIND_AUTH_FAILED = 31002;
const CLEAR_AUTH_FAILED = 30002;

const state = {};

async function named(method, path, token, body) {
  const answer = await fetch(facts.url + path, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      "Idempotency-Key": crypto.randomUUID(),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? null : JSON.parse(text);
}

async function refused(work, code) {
  const failure = await work.then(
    () => assert.fail("the mint should have refused"),
    (error) => error,
  );
  assert.ok(failure instanceof MintOperationError, String(failure));
  assert.equal(failure.code, code, failure.message);
}

const held = () => sumProofs(state.proofs).toNumber();

async function fetchRaw(path, body, headers) {
  const answer = await fetch(mintUrl + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body, (_, value) => (typeof value === "bigint" ? Number(value) : value)),
  });
  return answer.json();
}

const scenarios = {
  // A code with PKCE: the customer's answer is given here as their wallet's page gives it.
  async clear_token() {
    const opened = await createAuthWallet(mintUrl, { authPool: 20 });
    Object.assign(state, opened);
    const verifier = randomBytes(48).toString("base64url");
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const address = await opened.oidc.buildAuthCodeUrl({
      redirectUri: REDIRECT,
      codeChallenge: challenge,
      codeChallengeMethod: "S256",
      state: "s",
    });
    const query = new URL(address).search.slice(1);
    const approved = await named("POST", "/v1/openid/approve", customer, {
      query,
      is_approved: true,
    });
    const code = new URL(approved.redirect).searchParams.get("code");
    await opened.oidc.exchangeAuthCode({ code, redirectUri: REDIRECT, codeVerifier: verifier });
    assert.ok(opened.auth.hasCAT);
  },

  async clear_token_for_a_device() {
    const begun = await state.oidc.startDeviceAuth(5);
    await named("POST", "/v1/openid/device/approve", customer, {
      user_code: begun.user_code,
      is_approved: true,
    });
    assert.ok((await begun.poll()).access_token);
  },

  async blind_tokens() {
    await state.auth.ensure(20);
    assert.equal(state.auth.poolSize, 20);
    const outputs = [{ amount: 1, id: state.auth.activeAuthKeysetId, B_: `02${"11".repeat(32)}` }];
    const told = await fetchRaw("/v1/auth/blind/mint", { outputs }, { "Clear-auth": "a.b.c" });
    assert.equal(told.code, CLEAR_AUTH_FAILED);
  },

  // The one way into the purse is a standing order; the wallet takes the signatures of it.
  async refill() {
    const wallet = new Wallet(state.mint, { unit: "eur", authProvider: state.auth });
    await wallet.loadMint();
    state.wallet = wallet;
    const keyset = wallet.keyChain.getCheapestKeyset();
    const data = facts.refill.map((amount) => OutputData.createSingleRandomData(amount, keyset.id));
    const outputs = data.map((one, place) => ({
      amount: facts.refill[place],
      B_: one.blindedMessage.B_,
    }));
    const minor = facts.refill.reduce((sum, amount) => sum + amount, 0);
    const tier = { currency: "EUR", minor: String(minor) };
    await named("PUT", "/v1/purse/refill", customer, { tier, keyset_id: keyset.id, outputs });
    let refill = await named("GET", "/v1/purse/refill", customer);
    for (let tries = 0; refill.state !== "signed" && tries < 100; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      refill = await named("GET", "/v1/purse/refill", customer);
    }
    assert.equal(refill.state, "signed");
    state.proofs = data.map((one, place) => one.toProof(refill.signatures[place], keyset));
    assert.ok(state.proofs.every((proof) => hasValidDleq(proof, keyset)));
    assert.equal(held(), minor);
  },

  async swap() {
    const before = held();
    const { keep, send } = await state.wallet.send(100, state.proofs);
    assert.equal(sumProofs(send).toNumber(), 100);
    const fresh = await state.wallet.receive({ mint: mintUrl, proofs: send, unit: "eur" });
    state.proofs = [...keep, ...fresh];
    assert.equal(held(), before);
  },

  async swap_without_a_token() {
    const stranger = new Wallet(new Mint(mintUrl), { unit: "eur" });
    await stranger.loadMint();
    const proofs = state.proofs.slice(0, 2);
    await refused(stranger.receive({ mint: mintUrl, proofs, unit: "eur" }), BLIND_AUTH_MISSING);
  },

  async a_token_is_used_once() {
    const path = "/v1/melt/quote/amana-merchant";
    const order = await named("POST", "/v1/orders", merchant, {
      amount: { currency: "EUR", minor: "100" },
    });
    const token = await state.auth.getBlindAuthToken({ method: "POST", path });
    const wrong = await fetchRaw(path, { unit: "eur", request: "none" }, { "Blind-auth": token });
    assert.ok(wrong.code > 0, "a refusal leaves the token good");
    const asked = { unit: "eur", request: order.id };
    const good = await fetchRaw(path, asked, { "Blind-auth": token });
    assert.equal(good.state, "UNPAID", JSON.stringify(good));
    const again = await fetchRaw(path, asked, { "Blind-auth": token });
    assert.equal(again.code, BLIND_AUTH_FAILED);
  },

  async pay_a_merchant() {
    const order = await named("POST", "/v1/orders", merchant, {
      amount: { currency: "EUR", minor: "1234" },
    });
    const before = held();
    const quote = await state.wallet.createMeltQuote("amana-merchant", { request: order.id });
    assert.equal(quote.amount.toNumber(), 1234);
    const largestFirst = state.proofs.toSorted((a, b) => b.amount.toNumber() - a.amount.toNumber());
    const picked = [];
    for (const proof of largestFirst) {
      if (sumProofs(picked).toNumber() < 1234) picked.push(proof);
    }
    const { change, quote: paid } = await state.wallet.meltProofs("amana-merchant", quote, picked);
    assert.equal(paid.state, "PAID");
    state.proofs = [...state.proofs.filter((proof) => !picked.includes(proof)), ...change];
    assert.equal(before - held(), 1234);
    const after = await named("GET", `/v1/orders/${order.id}`, merchant);
    assert.equal(after.status, "paid");
  },

  // The order's request is all that the wallet has; what it posts needs no token.
  async pay_by_request() {
    const order = await named("POST", "/v1/orders", merchant, {
      amount: { currency: "EUR", minor: "1234" },
      reference: "table 4",
    });
    const asked = decodePaymentRequest(order.cashu_request);
    assert.equal(asked.id, order.id);
    assert.equal(asked.amount.toNumber(), 1_234);
    assert.equal(asked.unit, "eur");
    assert.equal(asked.description, "table 4");
    assert.equal(asked.singleUse, true);
    const [mint] = asked.mints;
    const [transport] = asked.transport;
    assert.equal(transport.type, "post");
    assert.ok(transport.target.startsWith(`${mint}/`));
    const before = held();
    const { keep, send } = await state.wallet.send(1_234, state.proofs);
    const payload = { id: asked.id, mint, unit: asked.unit, proofs: send };
    const posted = await fetch(transport.target.replace(mint, mintUrl), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSONInt.stringify(payload),
    });
    const told = await posted.json();
    assert.equal(posted.status, 200, JSON.stringify(told));
    assert.equal(told.status, "paid");
    state.proofs = keep;
    assert.equal(before - held(), 1_234);
    const after = await named("GET", `/v1/orders/${order.id}`, merchant);
    assert.equal(after.status, "paid");
  },

  async back_into_the_account() {
    const { request } = await named("POST", "/v1/purse/deposits", customer, {});
    const before = held();
    const payload = { request, amount: 2_000 };
    const quote = await state.wallet.createMeltQuote("amana-account", payload);
    const { keep, send } = await state.wallet.send(2_000, state.proofs);
    const { quote: paid } = await state.wallet.meltProofs("amana-account", quote, send);
    assert.equal(paid.state, "PAID");
    state.proofs = keep;
    assert.equal(before - held(), 2_000);
  },
};

const outcomes = {};
for (const [name, scenario] of Object.entries(scenarios)) {
  try {
    await scenario();
    outcomes[name] = "passed";
  } catch (failure) {
    outcomes[name] = failure?.stack ?? String(failure);
  }
}
process.stdout.write(`${JSON.stringify(outcomes)}\n`);
process.exit(0);
