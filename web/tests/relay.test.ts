import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex, toHex } from "../src/purse/bytes.ts";
import { RelayFault, askRelay } from "../src/purse/relay-named.ts";
import { openAnswer, relayFetch, throughRelay, unlessDirect } from "../src/purse/relay.ts";
import { POLICY } from "../src/rules/purse/policy.ts";
import {
  type KnownRelay,
  type RelayNamed,
  type RelayUse,
  relayUseOf,
  withAnswer,
  withNamed,
} from "../src/rules/purse/relay.ts";
import { toBase64Url } from "../src/rules/note.ts";
import { answerOffer, findRelay, hearRelay, relayUse, relayView } from "../src/wallet/relayed.ts";
import { readResponse, writeRequest } from "../src/wire/binary-http.ts";
import { Device } from "./purse-device.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../tests/vectors/ohttp/rfc9458.json", import.meta.url), "utf8"),
) as Record<string, string>;

function vector(name: string): Uint8Array<ArrayBuffer> {
  const bytes = fromHex(vectors[name] ?? "");
  assert.ok(bytes !== null && bytes.length > 0, name);
  return bytes;
}

const keys = Uint8Array.of(0, vector("key_config").length, ...vector("key_config"));
const place = {
  relay: "http://relay.test",
  mint: "http://mint.test:8401",
  keys: toBase64Url(keys),
};
const elsewhere = { ...place, relay: "http://another.test" };

test("a request begins with the bytes of the published example", () => {
  const request = writeRequest(
    {
      method: "GET",
      address: new URL("https://example.com/"),
      headers: [],
      content: new Uint8Array(),
    },
    [64],
  );
  assert.equal(toHex(request).slice(0, vector("request").length * 2), vectors["request"]);
  assert.equal(request.length, 64);
  assert.ok(request.subarray(vector("request").length).every((byte) => byte === 0));
});

test("the answer of the published example is opened", async () => {
  // The secret that both sides export, as the appendix states it.
  const secret = fromHex("62d87a6ba569ee81014c2641f52bea36") ?? new Uint8Array();
  const enc = vector("sealed_request").subarray(7, 39);
  const message = await openAnswer(secret, enc, vector("sealed_response"));
  assert.equal(toHex(message), vectors["response"]);
  assert.deepEqual(readResponse(message), {
    status: 200,
    headers: [],
    content: new Uint8Array(),
  });
});

test("an answer that is cut off or not final is none", () => {
  const whole = [0x01, 0x40, 0xc8, 0x03, 0x01, 0x61, 0x00, 0x02, 0x68, 0x69, 0x00];
  assert.equal(readResponse(Uint8Array.from(whole))?.status, 200);
  for (let length = 0; length < whole.length - 1; length += 1) {
    const read = readResponse(Uint8Array.from(whole.slice(0, length)));
    assert.ok(read === null || read.content.length === 0, `${length}`);
  }
  assert.equal(readResponse(Uint8Array.of(0x01, 0x40, 0x64)), null);
  assert.equal(readResponse(Uint8Array.of(0x00)), null);
});

test("a relay that knows another key of the mint is told nothing", async () => {
  const sent: string[] = [];
  const ask = relayFetch(place, async (address, init) => {
    sent.push(`${init.method ?? ""} ${address}`);
    return new Response(Uint8Array.of(...keys.subarray(0, -1), 9));
  });
  await assert.rejects(ask("http://mint.test:8401/v1/keysets", { method: "GET" }), RelayFault);
  assert.deepEqual(sent, ["GET http://relay.test/mint.test:8401"]);
});

test("what goes to the relay is of one size, without a cookie, and names nothing", async () => {
  const sizes = new Set<number>();
  const ask = relayFetch(place, async (address, init) => {
    assert.equal(address, "http://relay.test/mint.test:8401");
    assert.equal(init.credentials, "omit");
    assert.equal(init.referrerPolicy, "no-referrer");
    if (init.method === "GET") return new Response(keys);
    assert.deepEqual(init.headers, {
      "Accept-Language": "en",
      "Content-Type": "message/ohttp-req",
    });
    sizes.add((init.body as Uint8Array).length);
    return new Response("gone", { status: 502 });
  });
  for (const path of ["/v1/keysets", "/v1/checkstate"])
    await assert.rejects(
      ask(place.mint + path, { method: "POST", body: JSON.stringify({ Ys: [path] }) }),
      RelayFault,
    );
  assert.deepEqual([...sizes], [7 + 32 + 2048 + 16]);
});

test("nothing but the mint is asked through the relay", async () => {
  const ask = relayFetch(place, () => assert.fail("nothing is sent"));
  await assert.rejects(ask("http://localhost:8400/v1/account", {}), RelayFault);
});

test("a key of another kind is refused", async () => {
  const other = Uint8Array.from(keys);
  other[4] = 0x10;
  const ask = relayFetch({ ...place, keys: toBase64Url(other) }, async () => new Response(other));
  await assert.rejects(ask(`${place.mint}/v1/keysets`, {}), RelayFault);
});

test("the relay is gone around only while the person has said so", async () => {
  const asked: string[] = [];
  const road = (name: string) => async (): Promise<Response> => {
    asked.push(name);
    if (name === "relay") throw new TypeError("the relay is gone");
    return new Response();
  };
  const way = { isDirect: false };
  const send = unlessDirect(road("relay"), road("mint"), way);
  await assert.rejects(send("http://mint.example/v1/keysets", {}));
  assert.deepEqual(asked, ["relay"]);
  way.isDirect = true;
  await send("http://mint.example/v1/keysets", {});
  way.isDirect = false;
  await assert.rejects(send("http://mint.example/v1/keysets", {}));
  assert.deepEqual(asked, ["relay", "mint", "relay"]);
});

/** The operator's own origin while a test runs: what it tells, and what it was asked. */
async function whileNamed(
  named: { relay: string | null; keys?: string } | null,
  work: (asked: string[]) => Promise<void>,
): Promise<void> {
  const before = globalThis.fetch;
  const asked: string[] = [];
  globalThis.fetch = async (address) => {
    asked.push(String(address));
    if (String(address).startsWith(place.relay)) return new Response(keys);
    if (named === null) throw new TypeError("the operator is not there");
    return Response.json({ mint: place.mint, keys: place.keys, ...named });
  };
  try {
    await work(asked);
  } finally {
    globalThis.fetch = before;
  }
}

const OTHER_MINT = { ...place, mint: "http://mint.other" };
const uses: readonly (readonly [string, RelayUse, "relay" | "mint" | "none"])[] = [
  ["a relay that is known", place, "relay"],
  ["a relay that is known for another mint", OTHER_MINT, "none"],
  ["a key that cannot be read", { ...place, keys: "?" }, "none"],
  ["an operator that was not heard yet", "unknown", "none"],
  ["an operator that names none", "none", "mint"],
  ["a person who has turned it off", "off", "mint"],
];
for (const [what, relay, way] of uses) {
  test(`with ${what} requests go to: ${way}, and the operator's own origin is asked nothing`, async () => {
    const asked = new Set<string>();
    const gone: boolean[] = [];
    const send = throughRelay(
      place.mint,
      { relay },
      async (address) => {
        asked.add(new URL(address).origin);
        if (address.startsWith(place.relay)) throw new TypeError("the relay is gone");
        return new Response();
      },
      (isGone) => gone.push(isGone),
    );
    await whileNamed({ relay: place.relay }, async (named) => {
      for (const path of ["/v1/melt/quote/amana-merchant", "/v1/swap"]) {
        const answer = send(place.mint + path, { method: "POST" });
        if (way === "mint") await answer;
        else await assert.rejects(answer);
      }
      assert.deepEqual(named, []);
    });
    const expected = { relay: [place.relay], mint: [place.mint], none: [] };
    assert.deepEqual([...asked], expected[way]);
    assert.deepEqual(gone, way === "mint" ? [] : [true, true]);
  });
}

test("another relay is used from the next request on, and the key is compared after each fault", async () => {
  const asked: string[] = [];
  const way: { relay: RelayUse } = { relay: place };
  const send = throughRelay(
    place.mint,
    way,
    async (address, init) => {
      asked.push(`${init.method ?? ""} ${new URL(address).hostname}`);
      return init.method === "GET" ? new Response(keys) : new Response("", { status: 400 });
    },
    () => undefined,
  );
  const fails = () => assert.rejects(send(`${place.mint}/v1/swap`, { method: "POST" }), RelayFault);
  await fails();
  await fails();
  way.relay = elsewhere;
  await fails();
  const once = (host: string) => [`GET ${host}`, `POST ${host}`];
  assert.deepEqual(asked, [...once("relay.test"), ...once("relay.test"), ...once("another.test")]);
});

test("the relay is asked for in an idle opening alone", async () => {
  const device = new Device();
  let asked = 0;
  device.askForRelay = async () => {
    asked += 1;
  };
  const purse = await device.filled();
  const openSince = device.now - POLICY.refill.idle_seconds;
  await purse.tend({ openSince: device.now, paying: false, isAsked: false });
  await purse.tend({ openSince, paying: true, isAsked: false });
  await device.vault.save(
    { ...(await device.state()), spendings: [{ at: device.now - 60, amount: 100 }] },
    null,
  );
  await purse.tend({ openSince, paying: false, isAsked: false });
  assert.equal(asked, 0);
  device.now += POLICY.refill.quiet_minutes * 60;
  await purse.tend({ openSince, paying: false, isAsked: false });
  assert.equal(asked, 1);
});

const NEW_KEYS = toBase64Url(Uint8Array.of(...keys.subarray(0, -1), 9));
const none: KnownRelay = { place: null, offered: null, declined: null };
const used: KnownRelay = { ...none, place };
const named = (one: Partial<RelayNamed>): RelayNamed => ({ ...place, isTold: false, ...one });

const heard: readonly (readonly [string, KnownRelay | null, RelayNamed, KnownRelay])[] = [
  ["the first relay is used", null, named({}), used],
  ["a relay that is named after none is used", none, named({}), used],
  ["none stays none", null, named({ relay: null }), none],
  ["a relay stays when none is named any more", used, named({ relay: null }), used],
  [
    "another relay is offered, and not used",
    used,
    named({ relay: elsewhere.relay }),
    { ...used, offered: elsewhere },
  ],
  [
    "another relay is offered, and not used, where the mint has moved with it",
    used,
    named({ ...OTHER_MINT, relay: elsewhere.relay }),
    { ...used, offered: { ...OTHER_MINT, relay: elsewhere.relay } },
  ],
  [
    "a relay that was declined is not offered again",
    { ...used, declined: elsewhere.relay },
    named({ relay: elsewhere.relay }),
    { ...used, declined: elsewhere.relay },
  ],
  [
    "an offer ends when the operator names the relay in use again",
    { ...used, offered: elsewhere },
    named({}),
    used,
  ],
  [
    "a new key is used once the relay tells it, too",
    used,
    named({ keys: NEW_KEYS, isTold: true }),
    { ...used, place: { ...place, keys: NEW_KEYS } },
  ],
  ["a new key that the relay does not tell is not used", used, named({ keys: NEW_KEYS }), used],
];
for (const [what, known, told, after] of heard) {
  test(what, () => assert.deepEqual(withNamed(known, told), after));
}

test("a person's answer is kept", () => {
  const asked = { ...used, offered: elsewhere };
  assert.deepEqual(withAnswer(asked, true), { ...none, place: elsewhere });
  assert.deepEqual(withAnswer(asked, false), { ...used, declined: elsewhere.relay });
  assert.deepEqual(withAnswer(used, true), used);
});

test("without a relay the mint is reached only where it is known that there is none, or by choice", () => {
  assert.equal(relayUseOf(null, null), "unknown");
  assert.equal(relayUseOf("on", null), "unknown");
  assert.equal(relayUseOf("on", none), "unknown");
  assert.equal(relayUseOf(null, none), "none");
  assert.equal(relayUseOf("off", used), "off");
  assert.equal(relayUseOf(null, used), place);
});

test("no relay is asked for the key of the mint but the one in use", async () => {
  for (const [relay, used, told] of [
    [place.relay, place, true],
    [place.relay, null, false],
    [elsewhere.relay, place, false],
  ] as const) {
    await whileNamed({ relay }, async (asked) => {
      assert.equal((await askRelay(used, fetch))?.isTold, told);
      assert.deepEqual(asked.slice(1), told ? ["http://relay.test/mint.test:8401"] : []);
    });
  }
  await whileNamed({ relay: place.relay, keys: NEW_KEYS }, async () => {
    assert.equal((await askRelay(place, fetch))?.isTold, false);
  });
  await whileNamed(null, async () => assert.equal(await askRelay(place, fetch), null));
});

test("a device keeps its relay until its owner agrees to another, and may ask for the offer anew", async () => {
  const offered = named({ relay: elsewhere.relay });
  const first = { kept: "relay.test", offered: null };
  const both = { kept: "relay.test", offered: "another.test" };
  const shown = () => ({ kept: relayView().kept, offered: relayView().offered });
  await whileNamed(null, async () => assert.equal(await findRelay(), false));
  assert.equal(relayUse(), "unknown");
  await whileNamed(place, async () => assert.equal(await findRelay(), true));
  assert.deepEqual(relayUse(), place);
  hearRelay(offered);
  assert.deepEqual(shown(), both);
  answerOffer(false);
  hearRelay(offered);
  assert.deepEqual([shown(), relayUse()], [first, place]);
  await whileNamed(elsewhere, async () => assert.equal(await findRelay(), true));
  assert.deepEqual([shown(), relayUse()], [both, place]);
  answerOffer(true);
  assert.deepEqual(relayUse(), elsewhere);
});
