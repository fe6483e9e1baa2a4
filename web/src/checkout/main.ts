import "../ui/base.css";
import { mount } from "svelte";
import { applyLanguage } from "../text/language.svelte.ts";

applyLanguage();

const { default: App } = await import("./App.svelte");
const target = document.getElementById("app");
if (target !== null) mount(App, { target });
