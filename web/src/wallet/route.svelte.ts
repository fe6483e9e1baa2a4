/** Which screen of the wallet is open; it stands after `#`, so the back button works. */

import { ecashFrom } from "../rules/link.ts";
import { offerEcash } from "./asked.ts";

export type Route =
  | { readonly name: "home" | "pay" | "scan" | "purse" | "give" | "take" | "history" | "settings" }
  | { readonly name: "payment" | "link"; readonly id: string };

const PLAIN = ["home", "pay", "scan", "purse", "give", "take", "history", "settings"] as const;

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
  // A link with e-cash that is opened while the wallet stands open; it leaves the address at once.
  const ecash = ecashFrom(location.hash);
  if (ecash !== null) {
    offerEcash(ecash);
    history.replaceState(null, "", `${location.pathname}#/take`);
  }
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
