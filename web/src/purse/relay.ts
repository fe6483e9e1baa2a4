/**
 * Requests to the mint through a relay that somebody else runs (RFC 9458, Oblivious HTTP).
 *
 * The relay sees from where a request comes and its size to the nearest of a few; the mint sees
 * what is asked, and not from where. Where the relay is gone the request is lost: it never goes to
 * the mint directly instead, because that would show the address that the relay is there to hide.
 */

import { AEAD_AES_128_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from "hpke";
import { fromBase64Url } from "../rules/note.ts";
import type { RelayPlace, RelayUse } from "../rules/purse/relay.ts";
import { joined, readResponse, writeRequest } from "../wire/binary-http.ts";
import type { Fetch } from "./mint.ts";
import { RelayFault, compareKeys, doorOf, plain } from "./relay-named.ts";

/** Bytes of a message before it is sealed: the same steps as at the mint. */
export const SIZES = [2_048, 8_192, 32_768, 131_072, 524_288, 1_179_648] as const;

const REQUEST_TYPE = "message/ohttp-req";
const RESPONSE_TYPE = "message/ohttp-res";
const POINT_BYTES = 32;
const NONCE_BYTES = 16;
const KEY_BYTES = 16;
const CIPHER_NONCE_BYTES = 12;
const CONFIG_BYTES_MIN = 3 + POINT_BYTES + 2 + 4;
const SUITE = [0x00, 0x20, 0x00, 0x01, 0x00, 0x01];
const LABEL = bytesOf("message/bhttp request\0");
const ANSWER_LABEL = bytesOf("message/bhttp response");

const suite = new CipherSuite<CryptoKey>(
  KEM_DHKEM_X25519_HKDF_SHA256,
  KDF_HKDF_SHA256,
  AEAD_AES_128_GCM,
);

/** Like `fetch`, for addresses of the mint alone. */
export function relayFetch(place: RelayPlace, send: Fetch): Fetch {
  const { mint } = place;
  const door = doorOf(place);
  const keys = fromBase64Url(place.keys);
  if (keys === null) throw new RelayFault("a key that cannot be read");
  let known: Promise<void> | null = null;
  return async (address, init) => {
    const target = new URL(address);
    if (target.origin !== new URL(mint).origin) throw new RelayFault("an address of another");
    known ??= compareKeys(door, keys, send);
    try {
      await known;
    } catch (error) {
      known = null;
      throw error;
    }
    const sealed = await seal(keys, writeRequest(await readInit(target, init), SIZES));
    const response = await send(door, {
      ...plain("POST", { "Content-Type": REQUEST_TYPE }, init.signal),
      body: sealed.message,
    });
    if (!response.ok || response.headers.get("content-type") !== RESPONSE_TYPE)
      throw new RelayFault(`the relay answered ${response.status}`);
    return opened(await sealed.open(new Uint8Array(await response.arrayBuffer())));
  };
}

/** How the mint is reached now; the page says so, and may say otherwise between two requests. */
export interface Way {
  relay: RelayUse;
  /** The person has said that this payment goes without the relay. */
  isDirect: boolean;
}

/**
 * Reaches the mint through the relay that the device keeps, where it keeps one.
 *
 * Nobody else is asked on the way, whatever goes wrong: a question to the operator's own origin
 * beside a payment would show whose address the payment came from. `told` hears of each request
 * whether the relay was there.
 */
export function throughRelay(
  mint: string,
  way: Pick<Way, "relay">,
  send: Fetch,
  told: (isGone: boolean) => void,
): Fetch {
  let road: { readonly use: RelayUse; readonly go: Fetch } | null = null;
  return async (address, init) => {
    const use = way.relay;
    if (use === "off" || use === "none") return send(address, init);
    try {
      if (road?.use !== use) road = { use, go: roadTo(mint, use, send) };
      const answer = await road.go(address, init);
      told(false);
      return answer;
    } catch (error) {
      // The key is compared anew with the next request: the relay may know another one by then.
      road = null;
      told(true);
      throw error;
    }
  };
}

function roadTo(mint: string, use: RelayPlace | "unknown", send: Fetch): Fetch {
  if (use === "unknown") throw new RelayFault("no relay is known yet");
  if (use.mint !== mint) throw new RelayFault("no relay is known for this mint");
  return relayFetch(use, send);
}

/** The relay's way, until the person has said that this payment goes without it. */
export function unlessDirect(relayed: Fetch, direct: Fetch, way: Pick<Way, "isDirect">): Fetch {
  return (address, init) => (way.isDirect ? direct : relayed)(address, init);
}

async function readInit(address: URL, init: RequestInit) {
  const content = new Uint8Array(await new Response(init.body ?? null).arrayBuffer());
  const headers = [...new Headers(init.headers)];
  return { method: init.method ?? "GET", address, headers, content };
}

function opened(message: Uint8Array): Response {
  const answer = readResponse(message);
  if (answer === null) throw new RelayFault("an answer that cannot be read");
  const body = answer.status === 204 ? null : answer.content;
  return new Response(body, {
    status: answer.status,
    headers: answer.headers.map(([name, value]): [string, string] => [name, value]),
  });
}

interface Sealed {
  readonly message: Uint8Array<ArrayBuffer>;
  open(answer: Uint8Array): Promise<Uint8Array>;
}

/** Seals to the first key (RFC 9458, section 4.3). */
async function seal(keys: Uint8Array, message: Uint8Array): Promise<Sealed> {
  const config = keys.subarray(2, 2 + ((keys[0] ?? 0) << 8) + (keys[1] ?? 0));
  const header = Uint8Array.of(config[0] ?? 0, ...SUITE);
  const offers = config.subarray(1, 3).every((byte, at) => byte === SUITE[at]);
  const pairs = config.subarray(CONFIG_BYTES_MIN - 4);
  if (config.length < CONFIG_BYTES_MIN || !offers || !hasOurCipher(pairs))
    throw new RelayFault("the mint's key is of another kind");
  const key = await suite.DeserializePublicKey(config.slice(3, 3 + POINT_BYTES));
  const sender = await suite.SetupSender(key, { info: joined([LABEL, header]) });
  const { encapsulatedSecret: enc, ctx } = sender;
  return {
    message: joined([header, enc, await ctx.Seal(message)]),
    async open(answer) {
      const secret = await ctx.Export(ANSWER_LABEL, NONCE_BYTES);
      return openAnswer(secret, enc, answer);
    },
  };
}

function hasOurCipher(pairs: Uint8Array): boolean {
  for (let at = 0; at + 4 <= pairs.length; at += 4)
    if (pairs.subarray(at, at + 4).every((byte, place) => byte === SUITE[2 + place])) return true;
  return false;
}

/** Opens the answer to one request (RFC 9458, section 4.4). */
export async function openAnswer(
  secret: Uint8Array,
  enc: Uint8Array,
  answer: Uint8Array,
): Promise<Uint8Array> {
  const salt = joined([enc, answer.subarray(0, NONCE_BYTES)]);
  const raw = Uint8Array.from(secret);
  const base = await crypto.subtle.importKey("raw", raw, "HKDF", false, ["deriveBits"]);
  const derived = async (label: string, bytes: number): Promise<ArrayBuffer> =>
    crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt, info: bytesOf(label) },
      base,
      8 * bytes,
    );
  const key = await crypto.subtle.importKey(
    "raw",
    await derived("key", KEY_BYTES),
    "AES-GCM",
    false,
    ["decrypt"],
  );
  const iv = await derived("nonce", CIPHER_NONCE_BYTES);
  const sealed = Uint8Array.from(answer.subarray(NONCE_BYTES));
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed));
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
