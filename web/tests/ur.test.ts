/** Codes in a sequence: as the published vectors and other wallets' encoders have them. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { crc32, fromBytewords, toBytewords } from "../src/rules/ur/bytewords.ts";
import { Collector, shareOf } from "../src/rules/ur/collector.ts";
import { drawing, fragmentsOf } from "../src/rules/ur/mixing.ts";
import { codesFor, partOf, readCode, readPart, textIn, writePart } from "../src/rules/ur/parts.ts";

interface Vectors {
  readonly published: {
    readonly parts: readonly string[];
    readonly count: number;
    readonly fragments: readonly (readonly number[])[];
  };
  readonly elsewhere: {
    readonly text: string;
    readonly codes: readonly string[];
    readonly single: { readonly text: string; readonly code: string };
  };
}

const { published, elsewhere } = JSON.parse(
  readFileSync(new URL("vectors/ur.json", import.meta.url), "utf8"),
) as Vectors;
const TEXT = elsewhere.text;

/** The published vectors' message: so many bytes drawn from the seed "Wolf". */
async function wolf(count: number): Promise<Uint8Array> {
  const next = await drawing(new TextEncoder().encode("Wolf"));
  return Uint8Array.from({ length: count }, () => Math.floor(next() * 256));
}

async function gathered(codes: readonly string[]): Promise<{ text: string | null; used: number }> {
  const collector = new Collector();
  for (const [at, code] of codes.entries()) {
    const found = await collector.take(code);
    if (found.kind === "text") return { text: found.text, used: at + 1 };
  }
  return { text: null, used: codes.length };
}

test("a part is mixed from the fragments that the published vectors name", async () => {
  const message = await wolf(1024);
  for (const [at, expected] of published.fragments.entries()) {
    assert.deepEqual(await fragmentsOf(at + 1, published.count, crc32(message)), expected);
  }
});

test("parts are written and read as the published vectors have them", async () => {
  const message = await wolf(256);
  for (const [at, expected] of published.parts.entries()) {
    const part = await partOf(message, at + 1, 9);
    const written = writePart(part);
    assert.equal(Buffer.from(written).toString("hex"), expected);
    assert.deepEqual(readPart(written), part);
  }
});

test("the codes are those that other wallets make", async () => {
  const codes = await codesFor(TEXT, 120);
  assert.deepEqual(
    codes.map((code) => code.toLowerCase()),
    elsewhere.codes,
  );
  const { text, code } = elsewhere.single;
  assert.deepEqual(await codesFor(text), [code.toUpperCase()]);
  assert.equal((await gathered([code])).text, text);
});

test("a text is gathered from its parts in any order, some missing and some seen twice", async () => {
  const codes = elsewhere.codes;
  const plain = codes.slice(0, 8);
  assert.deepEqual(await gathered(plain), { text: TEXT, used: 8 });
  assert.deepEqual(await gathered(plain.toReversed()), { text: TEXT, used: 8 });
  assert.equal((await gathered([...plain, ...plain].filter((_, at) => at % 3 !== 0))).text, TEXT);
  assert.equal((await gathered(codes.slice(2))).text, TEXT);
  assert.equal((await gathered(codes.slice(8).flatMap((one) => [one, one]))).text, TEXT);
  assert.equal((await gathered(plain.slice(1))).text, null);
});

test("a sequence is complete long before its parts are shown twice, whichever is missed", async () => {
  const text = `cashuB${"Ab3-".repeat(700)}`;
  const codes = await codesFor(text);
  for (let missed = 0; missed < 16; missed += 1) {
    const seen = codes.filter((_, at) => at % 16 !== missed);
    const found = await gathered(seen);
    assert.equal(found.text, text);
    assert.ok(found.used < codes.length);
  }
});

test("another sequence begins anew, and what is no part of one changes nothing", async () => {
  const collector = new Collector();
  const [one = "", two = ""] = elsewhere.codes;
  assert.deepEqual(await collector.take(one), { kind: "some", have: 1, count: 8 });
  assert.deepEqual(await collector.take(one), { kind: "some", have: 1, count: 8 });
  assert.deepEqual(await collector.take("http://pay.example"), { kind: "other" });
  assert.deepEqual(await collector.take(two), { kind: "some", have: 2, count: 8 });
  const others = await codesFor(`${TEXT}x`, 120);
  assert.deepEqual(await collector.take(others[0] ?? ""), { kind: "some", have: 1, count: 8 });
});

test("the share that is read grows with each new part and is whole only with the text", async () => {
  const collector = new Collector();
  const shares: number[] = [];
  for (const code of elsewhere.codes.flatMap((one) => [one, one])) {
    const found = await collector.take(code);
    if (found.kind === "some") shares.push(shareOf(found));
  }
  assert.deepEqual([...new Set(shares)], [0.12, 0.25, 0.37, 0.5, 0.62, 0.75, 0.87]);
  assert.equal(shareOf({ have: 511, count: 512 }), 0.99);
});

test("a damaged code is told from a whole one", async () => {
  const [code = ""] = elsewhere.codes;
  assert.equal(readCode(code.replace("1-8", "2-8")), null);
  assert.equal(readCode(`${code.slice(0, -2)}ae`), null);
  assert.equal(readCode(code.slice(0, -1)), null);
  assert.equal(readCode(code.replace("bytes", "seed")), null);
  assert.equal(fromBytewords("zz"), null);
  assert.equal(fromBytewords("qqqqqqqqqqqq"), null);
  assert.deepEqual(fromBytewords(toBytewords(new Uint8Array([1, 2]))), new Uint8Array([1, 2]));
  for (const body of ["84", "8501", "85010901001a0167aa0741", "850009190100183241aa", "8501f6"]) {
    assert.equal(readPart(Buffer.from(body, "hex")), null);
  }
  for (const message of ["", "41", "420102ff", "0a", "41ff", "5c"]) {
    assert.equal(textIn(Buffer.from(message, "hex")), null);
  }
});

test("parts that contradict their checksum make no text, and the next sequence does", async () => {
  const collector = new Collector();
  const message = new TextEncoder().encode("not what was said, and longer than one part");
  const parts = await Promise.all([1, 2].map((number) => partOf(message, number, 2)));
  const codes = parts.map((part) => {
    const body = toBytewords(writePart({ ...part, checksum: 7 }));
    return `ur:bytes/${part.number}-2/${body}`;
  });
  for (const code of codes.slice(0, 1)) await collector.take(code);
  assert.deepEqual(await collector.take(codes[1] ?? ""), { kind: "other" });
  assert.equal((await gathered(elsewhere.codes)).text, TEXT);
});
