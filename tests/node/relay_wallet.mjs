// The wallet's own code for relays, asking a mint through a running one.
import { relayFetch } from "../../web/src/purse/relay.ts";

const [relay, mint, keys, ...asked] = process.argv.slice(2);
const ask = relayFetch({ relay, mint, keys }, (address, init) => fetch(address, init));
const told = [];
for (const one of asked) {
  const { method, path, body } = JSON.parse(one);
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  const init = { method, headers, body: body === null ? null : JSON.stringify(body) };
  const response = await ask(mint + path, init);
  told.push({ status: response.status, body: await response.json() });
}
process.stdout.write(JSON.stringify(told));
