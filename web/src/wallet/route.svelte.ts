/** Which screen of the wallet is open; it stands after `#`, so the back button works. */

import { takeFromAddress } from "./asked.svelte.ts";

/** `receipt` is the purse at what was paid last: no receipt's id is in an address. */
const PLAIN = [
  "home",
  "pay",
  "scan",
  "purse",
  "receipt",
  "give",
  "take",
  "history",
  "settings",
] as const;

export type Route =
  | { readonly name: (typeof PLAIN)[number] }
  | { readonly name: "payment" | "link"; readonly id: string };

export function routeFrom(hash: string): Route {
  const [, name = "", id = ""] = hash.split("/");
  if (name === "payment" && /^[a-z]+_[A-Za-z0-9]+$/.test(id)) return { name, id };
  if (name === "link" && /^[0-9a-f]{32}$/.test(id)) return { name, id };
  return { name: PLAIN.find((known) => known === name) ?? "home" };
}

export function addressOf(route: Route): string {
  return "id" in route ? `#/${route.name}/${route.id}` : `#/${route.name}`;
}

let current = $state.raw<Route>(routeFrom(location.hash));
window.addEventListener("hashchange", () => {
  // A link that is opened while the wallet stands open.
  takeFromAddress();
  current = routeFrom(location.hash);
});

export function route(): Route {
  return current;
}

export function go(next: Route): void {
  const address = addressOf(next);
  if (location.hash === address) current = next;
  else location.hash = address;
}

export function goHome(): void {
  go({ name: "home" });
}
