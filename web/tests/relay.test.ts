import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  RelayFault,
  openAnswer,
  relayFetch,
  throughRelay,
  unlessDirect,
} from "../src/purse/relay.ts";
import { fromHex, toHex } from "../src/purse/bytes.ts";
import { readResponse, writeRequest } from "../src/wire/binary-http.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../tests/vectors/ohttp/rfc9458.json", import.meta.url), "utf8"),
) as Record<string, string>;

function vector(name: string): Uint8Array<ArrayBuffer> {
  const bytes = fromHex(vectors[name] ?? "");
  assert.ok(bytes !== null && bytes.length > 0, name);
  return bytes;
}

const place = {
  relay: "http://relay.test",
  mint: "http://mint.test:8401",
  keys: Uint8Array.of(0, vector("key_config").length, ...vector("key_config")),
};

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
    return new Response(Uint8Array.of(...place.keys.subarray(0, -1), 9));
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
    if (init.method === "GET") return new Response(place.keys);
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
  const keys = Uint8Array.from(place.keys);
  keys[4] = 0x10;
  const ask = relayFetch({ ...place, keys }, async () => new Response(keys));
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

/** What the operator's own side tells of the relay while a test runs. */
async function whileNamed(relay: string | null, work: () => Promise<void>): Promise<void> {
  const before = globalThis.fetch;
  const keys = Buffer.from(place.keys).toString("base64url");
  globalThis.fetch = async () => Response.json({ mint: place.mint, relay, keys });
  try {
    await work();
  } finally {
    globalThis.fetch = before;
  }
}

for (const [use, relay, way] of [
  ["named", place.relay, "relay"],
  ["named", null, "mint"],
  ["always", place.relay, "relay"],
  ["always", null, "none"],
  ["never", place.relay, "mint"],
] as const) {
  const operator = relay === null ? "names none" : "names one";
  test(`with "${use}" and an operator that ${operator}, a request goes to: ${way}`, async () => {
    const asked: string[] = [];
    const gone: boolean[] = [];
    const send = throughRelay(
      { mint: place.mint, use },
      async (address) => {
        asked.push(new URL(address).origin);
        if (address.startsWith(place.relay)) throw new TypeError("the relay is gone");
        return new Response();
      },
      (isGone) => gone.push(isGone),
    );
    await whileNamed(relay, async () => {
      const answer = send(`${place.mint}/v1/keysets`, {});
      if (way === "mint") await answer;
      else await assert.rejects(answer);
    });
    assert.deepEqual(
      [...new Set(asked)],
      way === "none" ? [] : [way === "mint" ? place.mint : place.relay],
    );
    assert.deepEqual(gone, use === "never" ? [] : [way !== "mint"]);
  });
}
