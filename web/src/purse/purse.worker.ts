/**
 * The purse's own thread: the blind signatures' arithmetic would hold up the page.
 *
 * It is loaded when the purse is first used, and it alone knows the e-cash.
 */

import { pause } from "../device/live.ts";
import { Mint } from "./mint.ts";
import { namedSide } from "./named.ts";
import { mailSide } from "./people-named.ts";
import { deviceSeals } from "./people-seals.ts";
import { type Way, throughRelay, unlessDirect } from "./relay.ts";
import { askRelay } from "./relay-named.ts";
import { Purse, summaryOf } from "./purse.ts";
import type { Call, Calls, News, Note, Opening, Reply } from "./talk.ts";
import { openVault, webLocks } from "./vault.ts";
import { askReceiptKey } from "./verifying.ts";

/** What a worker's global object has and a page's has not; the two libraries of types exclude each other. */
interface WorkerScope {
  postMessage(message: Reply | Note): void;
  onmessage: ((event: { readonly data: Call }) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
let opening: Promise<Purse> | null = null;
let channel: BroadcastChannel | null = null;
const way: Way = { relay: "unknown", isDirect: false };

const now = (): number => Math.floor(Date.now() / 1000);
const tell = (note: News): void => scope.postMessage({ note });
const doubtful = (): void => tell({ kind: "doubtful" });

/**
 * Tells the other tabs of this account that the purse has changed, and hears it from them.
 *
 * Nothing goes over the channel but that: each tab reads the sealed store itself.
 */
function inStep(account: string): () => void {
  // The purse may be opened anew, and a channel hears every other of its name, this tab's too.
  channel?.close();
  const others = new BroadcastChannel(`amana purse ${account}`);
  channel = others;
  others.onmessage = () =>
    void purse()
      .then((opened) => opened.summary())
      .then((summary) => tell({ kind: "changed-elsewhere", summary }));
  return () => others.postMessage(null);
}

let isRelayGone = false;
let isRelayAsked = false;

/** The page is told when the relay goes or comes back, so that it can offer the choice. */
function heardOfRelay(isGone: boolean): void {
  if (isGone === isRelayGone) return;
  tell({ kind: "relay", isGone });
  isRelayGone = isGone;
  // It may have another key by now: the next idle moment asks.
  isRelayAsked &&= !isGone;
}

/** Once an opening, and again after the relay was gone; the page keeps what was heard. */
async function askForRelay(): Promise<void> {
  if (isRelayAsked || way.relay === "off") return;
  const used = typeof way.relay === "string" ? null : way.relay;
  const named = await askRelay(used, fetch.bind(globalThis));
  if (named === null) return;
  isRelayAsked = true;
  tell({ kind: "relay-named", named });
}

async function open({ account, unit, mint, relay }: Opening): Promise<Purse> {
  const direct = fetch.bind(globalThis);
  way.relay = relay;
  const relayed = throughRelay(mint, way, direct, heardOfRelay);
  const send = unlessDirect(relayed, direct, way);
  const tellOthers = inStep(account);
  return Purse.open(unit, new Mint(mint, send), {
    vault: await openVault(account),
    locks: webLocks(account),
    now,
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    pause,
    changed: (state) => {
      tell({ kind: "changed", summary: summaryOf(state, now()) });
      tellOthers();
    },
    seals: deviceSeals,
    askReceiptKey,
    askForRelay,
  });
}

async function purse(): Promise<Purse> {
  if (opening === null) throw new Error("the purse is not open");
  return opening;
}

const calls: Calls = {
  async open(asked) {
    opening = open(asked);
    return (await purse()).summary();
  },
  async resume() {
    const opened = await purse();
    void opened.people.resume();
    await opened.resume((outcome) => tell({ kind: "ended", outcome }), doubtful);
  },
  mayAsk: async (moment) => (await purse()).mayAsk(moment),
  start: async (isStarted) => (await purse()).setStarted(isStarted),
  chooseTier: async (tier) => (await purse()).chooseTier(tier),
  getReady: async (token) => (await purse()).getReady(namedSide(token)),
  fill: async (token, moment) => (await purse()).fill(namedSide(token), moment),
  look: async (code) => (await purse()).look(code),
  forget: async () => (await purse()).forget(),
  pay: async (offer) => (await purse()).pay(offer, doubtful),
  deposit: async (token, tier) => (await purse()).deposit(namedSide(token), tier, doubtful),
  close: async (token) => (await purse()).close(namedSide(token), doubtful),
  askRefund: async (receipt) => (await purse()).askRefund(receipt),
  receipts: async () => (await purse()).receipts(),
  listHash: async () => (await purse()).listHash(),
  newPhrase: async () => (await purse()).newPhrase(),
  keepPhrase: async (phrase) => (await purse()).keepPhrase(phrase),
  hasBackup: async (token) => (await purse()).hasBackup(namedSide(token)),
  restore: async (token, phrase) => (await purse()).restore(namedSide(token), phrase),
  goDirect: async (isDirect) => {
    way.isDirect = isDirect;
  },
  setRelay: async (relay) => {
    way.relay = relay;
    isRelayGone = false;
  },
  verdicts: async () => (await purse()).verdicts(),
  issueAnew: async (keysets) => (await purse()).issueAnew(keysets),
  tend: async (moment) => (await purse()).tend(moment),
  lookUp: async (handle) => (await purse()).people.look(handle),
  give: async (handle, amount, isByHand) => (await purse()).people.give(handle, amount, isByHand),
  seeToken: async (text) => (await purse()).people.seeToken(text),
  takeToken: async (text) => (await purse()).people.takeToken(text),
  keepToken: async (text) => (await purse()).people.keepToken(text),
  takeBack: async (id) => (await purse()).people.takeBack(id),
  askTaken: async (id) => (await purse()).people.ask(id),
  fetchMail: async (token, noteKey, moment) =>
    (await purse()).people.fetchMail(mailSide(token), noteKey, moment),
};

scope.onmessage = ({ data }) => {
  // Each call's arguments have the types of its own entry, which the compiler cannot follow through the name.
  const run = calls[data.call] as (...args: readonly unknown[]) => Promise<unknown>;
  run(...data.args).then(
    (value) => scope.postMessage({ number: data.number, value }),
    (error: unknown) => scope.postMessage({ number: data.number, fault: String(error) }),
  );
};
