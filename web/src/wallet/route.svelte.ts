/** Which screen of the wallet is open; it stands after `#`, so the back button works. */

export type Route =
  | { readonly name: "home" | "pay" | "scan" | "purse" | "history" | "settings" }
  | { readonly name: "payment"; readonly id: string };

const PLAIN = ["home", "pay", "scan", "purse", "history", "settings"] as const;

export function routeFrom(hash: string): Route {
  const [, name = "", id = ""] = hash.split("/");
  if (name === "payment" && /^[a-z]+_[A-Za-z0-9]+$/.test(id)) return { name, id };
  return { name: PLAIN.find((known) => known === name) ?? "home" };
}

export function addressOf(route: Route): string {
  return route.name === "payment" ? `#/payment/${route.id}` : `#/${route.name}`;
}

let current = $state.raw<Route>(routeFrom(location.hash));
window.addEventListener("hashchange", () => {
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
