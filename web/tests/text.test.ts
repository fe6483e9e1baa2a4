import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { ar } from "../src/text/ar.ts";
import { en } from "../src/text/en.ts";
import { filled, problemKey } from "../src/text/fill.ts";

const namesIn = (pattern: string) =>
  [...pattern.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).toSorted();

test("both languages have the same keys, and none is empty", () => {
  assert.deepEqual(Object.keys(ar).toSorted(), Object.keys(en).toSorted());
  for (const table of [en, ar]) {
    for (const [key, words] of Object.entries(table)) assert.ok(words.trim() !== "", key);
  }
});

test("both languages fill in the same values", () => {
  for (const key of Object.keys(en) as (keyof typeof en)[]) {
    assert.deepEqual(namesIn(ar[key]), namesIn(en[key]), key);
  }
});

test("Arabic is written in Arabic", () => {
  const latin = Object.entries(ar).filter(
    ([key, words]) => key !== "language.switch" && !/\p{Script=Arabic}/u.test(words),
  );
  assert.deepEqual(latin, []);
});

test("every key is used by some screen", () => {
  const root = new URL("../src/", import.meta.url);
  const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(svelte|ts)$/.test(path) && !path.startsWith("text"))
    .map((path) => readFileSync(new URL(path, root), "utf8"))
    .join("\n");
  // Keys that are put together from a status, a kind or a problem's slug.
  const composed =
    /^(problem|status|kind|tour|wallet\.nav|settings\.key|till|pay\.amount|purse\.list|purse\.refund|people\.stage|people\.held\.stage|people\.mail|people\.from|language)\./;
  const unused = Object.keys(en).filter(
    (key) => !composed.test(key) && !sources.includes(`"${key}"`),
  );
  assert.deepEqual(unused, []);
});

test("a value in another script is isolated from the sentence around it", () => {
  assert.equal(filled("Pay {name} now", { name: "نور" }), "Pay \u2068نور\u2069 now");
  assert.equal(filled("Pay {name}", {}), "Pay {name}");
});

test("a problem that is known has words, one that is not has none", () => {
  assert.equal(problemKey("insufficient-funds"), "problem.insufficient-funds");
  assert.equal(problemKey("invented-later"), null);
  assert.equal(problemKey("__proto__"), null);
});
