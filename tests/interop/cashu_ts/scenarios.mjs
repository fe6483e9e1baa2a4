// What wallets do at a mint, done by a library that others wrote.
//
// Usage: node scenarios.mjs http://127.0.0.1:3338 http://127.0.0.1:3339
// The second mint is a stranger, whose invoices the first one pays.
// Prints one JSON object: the outcome of each scenario by its name, "passed" or what went wrong.

import assert from "node:assert/strict";
import {
  CheckStateEnum,
  Mint,
  MintOperationError,
  MintQuoteState,
  P2PKBuilder,
  Wallet,
  createHTLCHash,
  getEncodedToken,
  sumProofs,
} from "@cashu/cashu-ts";
import { secp256k1 } from "@noble/curves/secp256k1.js";

const [url, strangersUrl] = process.argv.slice(2);
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const SIGNATURE_WRONG = 20008;
const SPENT_BEFORE = 11001;
function aKey() {
  const secret = secp256k1.utils.randomSecretKey();
  return { secret: hex(secret), pubkey: hex(secp256k1.getPublicKey(secret)) };
}

async function aWallet(options = {}) {
  const wallet = new Wallet(new Mint(url), { unit: "sat", ...options });
  await wallet.loadMint();
  return wallet;
}

async function issued(wallet, amount) {
  const quote = await wallet.createMintQuoteBolt11(amount);
  await wallet.on.onceMintPaid(quote.quote, { timeoutMs: 10_000 });
  return wallet.mintProofsBolt11(amount, quote.quote);
}

// A wallet with coins of 64, of which one is sent under a lock.
async function locked(options) {
  const wallet = await aWallet();
  const proofs = await issued(wallet, 128);
  const { send } = await wallet.ops.send(64, proofs).asP2PK(options).includeFees().run();
  return { wallet, token: { mint: url, proofs: send, unit: "sat" } };
}

async function refused(work, code, words = /./) {
  const failure = await work.then(
    () => assert.fail("the mint should have refused"),
    (error) => error,
  );
  assert.ok(failure instanceof MintOperationError, String(failure));
  assert.equal(failure.code, code, failure.message);
  assert.match(failure.message, words);
}

const equal = (proofs, amount) => assert.equal(sumProofs(proofs).toNumber(), amount);

async function mayTake(wallet, token, config) {
  const fee = wallet.getFeesForProofs(token.proofs);
  const taken = await wallet.receive(token, config);
  equal(taken, sumProofs(token.proofs).subtract(fee).toNumber());
  return taken;
}

async function anInvoice(amount) {
  const stranger = new Wallet(new Mint(strangersUrl), { unit: "sat" });
  await stranger.loadMint();
  return (await stranger.createMintQuoteBolt11(amount)).request;
}

const signedBy = (wallet, proofs, ...keys) =>
  keys.reduce((signed, key) => wallet.signP2PKProofs(signed, key.secret), proofs);

const scenarios = {
  async issue() {
    const wallet = await aWallet();
    const quote = await wallet.createMintQuoteBolt11(1337, "for the roof");
    assert.equal(quote.state, MintQuoteState.UNPAID);
    assert.ok(quote.request.startsWith("lnbc1337"));
    await wallet.on.onceMintPaid(quote.quote, { timeoutMs: 10_000 });
    equal(await wallet.mintProofsBolt11(1337, quote.quote), 1337);
    const after = await wallet.checkMintQuoteBolt11(quote.quote);
    assert.equal(after.state, MintQuoteState.ISSUED);
    await refused(wallet.mintProofsBolt11(1337, quote.quote), 20002);
  },

  async swap() {
    const wallet = await aWallet();
    const proofs = await issued(wallet, 100);
    const { keep, send } = await wallet.send(10, proofs, { includeFees: true });
    const fee = 100 - sumProofs(keep).toNumber() - sumProofs(send).toNumber();
    assert.ok(fee >= 0 && fee <= 1);
  },

  async send_and_receive() {
    const [payer, payee] = await Promise.all([aWallet(), aWallet()]);
    const proofs = await issued(payer, 64);
    const { send } = await payer.send(21, proofs, { includeFees: true });
    const token = getEncodedToken({ mint: url, proofs: send });
    equal(await payee.receive(token), 21);
    await refused(payer.receive(token), SPENT_BEFORE);
  },

  async other_unit() {
    const wallet = await aWallet({ unit: "eur" });
    const proofs = await issued(wallet, 2_050);
    equal(proofs, 2_050);
    const { send } = await wallet.send(1_999, proofs, { includeFees: true });
    equal(await wallet.receive({ mint: url, proofs: send, unit: "eur" }), 1_999);
  },

  async lock_on_inputs() {
    const [payee, stranger] = [aKey(), aKey()];
    const { wallet, token } = await locked({ pubkey: payee.pubkey });
    const words = /witness.*p2pk.*signature/i;
    await refused(wallet.receive(token, { privkey: stranger.secret }), SIGNATURE_WRONG, words);
    await mayTake(wallet, token, { privkey: payee.secret });
  },

  async lock_on_all() {
    const [payee, stranger] = [aKey(), aKey()];
    const options = new P2PKBuilder().addLockPubkey(payee.pubkey).sigAll().toOptions();
    const { wallet, token } = await locked(options);
    const swap = await wallet.prepareSwapToReceive(getEncodedToken(token));
    const words = /no witness|signatures not provided/i;
    await refused(wallet.completeSwap(swap, stranger.secret), SIGNATURE_WRONG, words);
    const { keep } = await wallet.completeSwap(swap, payee.secret);
    equal(keep, 64);
  },

  async multisig() {
    const keys = [aKey(), aKey(), aKey()];
    const options = new P2PKBuilder()
      .addLockPubkey(keys.map((key) => key.pubkey))
      .requireLockSignatures(2)
      .toOptions();
    const { wallet, token } = await locked(options);
    const one = { ...token, proofs: signedBy(wallet, token.proofs, keys[0]) };
    await refused(wallet.receive(one), SIGNATURE_WRONG);
    const two = { ...token, proofs: signedBy(wallet, token.proofs, keys[0], keys[2]) };
    await mayTake(wallet, two);
  },

  async refund_before_the_time() {
    const [payee, payer] = [aKey(), aKey()];
    const options = new P2PKBuilder()
      .addLockPubkey(payee.pubkey)
      .lockUntil(new Date(Date.now() + 3_600_000))
      .addRefundPubkey(payer.pubkey)
      .toOptions();
    const { wallet, token } = await locked(options);
    await refused(wallet.receive(token, { privkey: payer.secret }), SIGNATURE_WRONG);
    await mayTake(wallet, token, { privkey: payee.secret });
  },

  async refund_after_the_time() {
    const [payee, payer, stranger] = [aKey(), aKey(), aKey()];
    const options = new P2PKBuilder()
      .addLockPubkey(payee.pubkey)
      .lockUntil(new Date(Date.now() - 3_600_000))
      .addRefundPubkey(payer.pubkey)
      .toOptions();
    const { wallet, token } = await locked(options);
    await refused(wallet.receive(token, { privkey: stranger.secret }), SIGNATURE_WRONG);
    await mayTake(wallet, token, { privkey: payer.secret });
  },

  async blinded_key() {
    const payee = aKey();
    const options = new P2PKBuilder().addLockPubkey(payee.pubkey).blindKeys().toOptions();
    const { wallet, token } = await locked(options);
    for (const proof of token.proofs) {
      assert.notEqual(JSON.parse(proof.secret)[1].data, payee.pubkey);
    }
    await mayTake(wallet, token, { privkey: payee.secret });
  },

  async hash_lock() {
    const payee = aKey();
    const { hash, preimage } = createHTLCHash();
    const options = new P2PKBuilder().addHashlock(hash).addLockPubkey(payee.pubkey).toOptions();
    const { wallet, token } = await locked(options);
    const shown = (told) => token.proofs.map((proof) => ({ ...proof, witness: { preimage: told } }));
    const withHash = (told) => ({ ...token, proofs: signedBy(wallet, shown(told), payee) });
    await refused(wallet.receive(withHash("00".repeat(32))), SIGNATURE_WRONG, /preimage/i);
    await mayTake(wallet, withHash(preimage));
    // Whoever waits on the other side of an exchange reads the preimage here.
    const [state] = await wallet.checkProofsStates(token.proofs);
    assert.equal(JSON.parse(state.witness).preimage, preimage);
  },

  async states() {
    const wallet = await aWallet();
    const proofs = await issued(wallet, 31);
    const { keep, send } = await wallet.send(4, proofs, { includeFees: true });
    await wallet.receive({ mint: url, proofs: send, unit: "sat" });
    const asked = [...send, ...keep];
    const states = await wallet.checkProofsStates(asked);
    const expected = [
      ...send.map(() => CheckStateEnum.SPENT),
      ...keep.map(() => CheckStateEnum.UNSPENT),
    ];
    assert.deepEqual(states.map((state) => state.state), expected);
    assert.ok(states.every((state) => state.witness === null));
  },

  async subscriptions() {
    const wallet = await aWallet();
    const quote = await wallet.createMintQuoteBolt11(63);
    await new Promise((resolve, reject) => {
      void wallet.on.mintQuotePaid(quote.quote, resolve, reject).catch(reject);
    });
    const proofs = await wallet.mintProofsBolt11(63, quote.quote);
    const heard = [];
    await new Promise((resolve, reject) => {
      const hear = (told) => {
        heard.push(told.state);
        if (told.state === CheckStateEnum.SPENT) resolve();
        // The present state comes first, and says that the mint listens.
        else if (heard.length === 1) wallet.receive({ mint: url, proofs, unit: "sat" }).catch(reject);
      };
      void wallet.on.proofStateUpdates(proofs, hear, reject).catch(reject);
    });
    assert.equal(heard[0], CheckStateEnum.UNSPENT);
    wallet.mint.disconnectWebSocket();
  },

  async melt_subscription() {
    const wallet = await aWallet();
    const proofs = await issued(wallet, 2_000);
    const quote = await wallet.createMeltQuoteBolt11(await anInvoice(1_500));
    const paid = wallet.on.onceMeltPaid(quote.quote, { timeoutMs: 10_000 });
    await wallet.meltProofsBolt11(quote, proofs);
    assert.equal((await paid).state, "PAID");
    wallet.mint.disconnectWebSocket();
  },

  async melt_with_change() {
    const wallet = await aWallet();
    const proofs = await issued(wallet, 3_000);
    const invoice = await anInvoice(2_000);
    const quote = await wallet.createMeltQuoteBolt11(invoice);
    const reserve = quote.fee_reserve.toNumber();
    assert.ok(reserve > 0);
    const asked = quote.amount.add(quote.fee_reserve);
    const { send } = await wallet.send(asked, proofs, { includeFees: true });
    const { change, quote: after } = await wallet.meltProofsBolt11(quote, send);
    assert.equal(after.state, "PAID");
    assert.match(after.payment_preimage, /^[0-9a-f]{64}$/);
    const back = sumProofs(change).toNumber();
    assert.ok(back > 0 && back < reserve, `${back} of ${reserve}`);
    await refused(wallet.createMeltQuoteBolt11(invoice), 20006);
  },

  async melt_within_the_mint() {
    const wallet = await aWallet();
    const proofs = await issued(wallet, 100);
    const { request } = await wallet.createMintQuoteBolt11(50);
    const quote = await wallet.createMeltQuoteBolt11(request);
    assert.equal(quote.fee_reserve.toNumber(), 0);
    const { send } = await wallet.send(50, proofs, { includeFees: true });
    const { change, quote: after } = await wallet.meltProofsBolt11(quote, send);
    assert.equal(after.state, "PAID");
    assert.equal(sumProofs(change).toNumber(), 0);
  },

  async restore() {
    const bip39seed = crypto.getRandomValues(new Uint8Array(64));
    const wallet = await aWallet({ bip39seed });
    const quote = await wallet.createMintQuoteBolt11(70);
    await wallet.on.onceMintPaid(quote.quote, { timeoutMs: 10_000 });
    const proofs = await wallet.ops.mintBolt11(70, quote.quote).asDeterministic(5).run();
    const again = await (await aWallet({ bip39seed })).batchRestore();
    assert.deepEqual(again.proofs, proofs);
  },

  async required_dleq() {
    const wallet = await aWallet({ requireSigDleq: true });
    const proofs = await issued(wallet, 8);
    assert.ok(proofs.every((proof) => proof.dleq?.e && proof.dleq.s && proof.dleq.r));
    const { send } = wallet.sendOffline(8, proofs, { requireDleq: true });
    const token = getEncodedToken({ mint: url, proofs: send });
    const fee = wallet.getFeesForProofs(send).toNumber();
    equal(await wallet.receive(token, { requireDleq: true }), 8 - fee);
  },

  async locked_quote() {
    const [owner, stranger] = [aKey(), aKey()];
    const wallet = await aWallet();
    const quote = await wallet.createLockedMintQuote(63, owner.pubkey);
    assert.equal(quote.pubkey, owner.pubkey);
    await wallet.on.onceMintPaid(quote.quote, { timeoutMs: 10_000 });
    // The library refuses to sign with another key than the quote's; the mint is asked without it.
    const told = { ...quote, pubkey: stranger.pubkey };
    await refused(
      wallet.mintProofsBolt11(63, told, { privkey: stranger.secret }),
      SIGNATURE_WRONG,
    );
    await refused(wallet.mintProofsBolt11(63, quote.quote), SIGNATURE_WRONG);
    equal(await wallet.mintProofsBolt11(63, quote, { privkey: owner.secret }), 63);
  },

  async unknown_quote() {
    const wallet = await aWallet();
    const none = crypto.randomUUID();
    await refused(wallet.checkMintQuoteBolt11(none), 0, /quote not found/);
  },
};

async function outcome(name) {
  try {
    await scenarios[name]();
    return [name, "passed"];
  } catch (failure) {
    return [name, failure?.stack ?? String(failure)];
  }
}

const outcomes = await Promise.all(Object.keys(scenarios).map(outcome));
process.stdout.write(`${JSON.stringify(Object.fromEntries(outcomes))}\n`);
process.exit(0);
