import "../ui/base.css";
import { mount } from "svelte";
import { settings } from "../device/store.ts";
import { secretFrom } from "../rules/link.ts";
import { applyLanguage } from "../text/language.svelte.ts";
import { takeFromAddress } from "./asked.svelte.ts";
import { forgetKnown } from "./known.ts";

// Secrets leave the address before anything else runs, so that they are in no history and no copy.
takeFromAddress();
const token = secretFrom(location.hash, "token");
if (token !== null) {
  settings.set("token", token);
  forgetKnown();
  history.replaceState(null, "", location.pathname);
}
applyLanguage();

const { default: App } = await import("./App.svelte");
const target = document.getElementById("app");
if (target !== null) mount(App, { target });
