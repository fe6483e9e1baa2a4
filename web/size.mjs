/**
 * Fails when a page's first load is larger than 250 kB compressed.
 *
 * Counted are the page and everything it loads by itself: scripts and styles it names, what these
 * import, and the application that the first script asks for at once. What is loaded on demand
 * (the reader of codes, sealing, passkeys, the purse) is listed apart.
 */
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const LIMIT = 250_000;
const ON_DEMAND = /^assets\/(decode|hpke|esm|purse\.worker)-/;
const root = fileURLToPath(new URL("../src/amana/node/static/", import.meta.url));
const read = (path) => readFileSync(root + path);
const packed = (path) => gzipSync(read(path), { level: 6 }).length;
const assets = new Set(readdirSync(`${root}assets`).map((name) => `assets/${name}`));

function namedIn(path) {
  const names =
    read(path)
      .toString("utf8")
      .match(/[\w.-]+\.(?:js|css)\b/g) ?? [];
  return names.map((name) => `assets/${name}`).filter((name) => assets.has(name));
}

function closure(page) {
  const seen = new Set([page]);
  for (const path of seen) {
    for (const next of namedIn(path)) if (!ON_DEMAND.test(next)) seen.add(next);
  }
  return [...seen];
}

let tooLarge = false;
for (const page of ["index.html", "wallet.html", "till.html", "checkout.html"]) {
  const total = closure(page).reduce((bytes, path) => bytes + packed(path), 0);
  tooLarge ||= total > LIMIT;
  console.log(
    `${page.padEnd(12)} first load ${(total / 1000).toFixed(1)} kB compressed (at most ${LIMIT / 1000} kB)`,
  );
}
for (const path of [...assets].filter((name) => ON_DEMAND.test(name))) {
  console.log(`on demand    ${path} ${(packed(path) / 1000).toFixed(1)} kB`);
}
if (tooLarge) process.exit(1);
