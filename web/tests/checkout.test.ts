import assert from "node:assert/strict";
import { test } from "node:test";
import { placeFrom, walletAddress } from "../src/checkout/place.ts";
import { codeAskedFor } from "../src/rules/link.ts";

const ORDER = `ord_${"0a".repeat(13)}`;
const SECRET = "A-_b".repeat(6).slice(0, 22);

test("an order and a link are read from what stands after #, each at its own page", () => {
  assert.deepEqual(placeFrom("/o/", `#${ORDER}`), { kind: "order", id: ORDER });
  assert.deepEqual(placeFrom("/l", `#${SECRET}`), { kind: "link", secret: SECRET });
  for (const [path, hash] of [
    ["/o/", ""],
    ["/o/", `#${SECRET}`],
    ["/l/", `#${ORDER}`],
    ["/x/", `#${ORDER}`],
    ["/o/", `#${ORDER}&more`],
  ] as const)
    assert.deepEqual(placeFrom(path, hash), { kind: "nothing" });
  assert.deepEqual(placeFrom("/", ""), { kind: "front" });
});

test("a code reaches the wallet as it is, whatever signs and scripts are in it", () => {
  const code = "00020101021226+&=#% مخبز 6304ABCD";
  const address = new URL(walletAddress("http://localhost:8400/wallet", code));
  assert.equal(address.pathname, "/wallet");
  assert.equal(address.search, "");
  assert.equal(codeAskedFor(address.hash), code);
});

test("what is no code opens no payment", () => {
  for (const hash of ["", "#/pay", "#token=x", "#pay=", `#pay=${"1".repeat(513)}`])
    assert.equal(codeAskedFor(hash), null);
});
