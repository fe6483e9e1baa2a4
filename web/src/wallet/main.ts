import "../ui/base.css";
import { mount } from "svelte";
import { settings } from "../device/store.ts";
import { codeAskedFor, ecashFrom, secretFrom } from "../rules/link.ts";
import { applyLanguage } from "../text/language.svelte.ts";
import { askToPay, offerEcash } from "./asked.ts";
import { forgetKnown } from "./known.ts";

// The token leaves the address before anything else runs, so that it is in no history and no copy.
const ecash = ecashFrom(location.hash);
const token = ecash === null ? secretFrom(location.hash, "token") : null;
if (ecash !== null) {
  offerEcash(ecash);
  history.replaceState(null, "", `${location.pathname}#/take`);
}
if (token !== null) {
  settings.set("token", token);
  forgetKnown();
  history.replaceState(null, "", location.pathname);
}
const code = codeAskedFor(location.hash);
if (code !== null) {
  askToPay(code);
  history.replaceState(null, "", `${location.pathname}#/pay`);
}
applyLanguage();

const { default: App } = await import("./App.svelte");
const target = document.getElementById("app");
if (target !== null) mount(App, { target });
