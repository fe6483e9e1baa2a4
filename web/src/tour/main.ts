import "../ui/base.css";
import { mount } from "svelte";
import { settings } from "../device/store.ts";
import { secretFrom } from "../rules/link.ts";
import { applyLanguage } from "../text/language.svelte.ts";

// A demonstration's first link carries the tokens of its wallet and its till, and a payment link's
// secret. They leave the address before anything else runs, and wait where each is looked for.
const HANDED = [
  { name: "wallet", setting: "token" },
  { name: "till", setting: "till-key" },
  { name: "online", setting: "tour-link" },
] as const;
for (const { name, setting } of HANDED) {
  const secret = secretFrom(location.hash, name);
  if (secret !== null) settings.set(setting, secret);
}
if (location.hash !== "") history.replaceState(null, "", location.pathname);
applyLanguage();

const { default: Tour } = await import("./Tour.svelte");
const target = document.getElementById("app");
if (target !== null) mount(Tour, { target });
