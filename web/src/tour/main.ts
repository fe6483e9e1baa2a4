import "../ui/base.css";
import { mount } from "svelte";
import { secretFrom } from "../rules/link.ts";
import { applyLanguage } from "../text/language.svelte.ts";

/** A demonstration's first link carries the tokens of its wallet and till; the tour hands them on. */
const props = {
  walletToken: secretFrom(location.hash, "wallet"),
  tillKey: secretFrom(location.hash, "till"),
};
if (props.walletToken !== null || props.tillKey !== null) {
  history.replaceState(null, "", location.pathname);
}
applyLanguage();

const { default: Tour } = await import("./Tour.svelte");
const target = document.getElementById("app");
if (target !== null) mount(Tour, { target, props });
