/** What another page opened the wallet with, until the screen that it is for takes it. */

import { thisTab } from "../device/store.ts";
import { codeAskedFor, ecashFrom } from "../rules/link.ts";
import { readKnown } from "./known.ts";

let asked = $state.raw<string | null>(null);
/** Who is signed in, as far as this device remembers; before anybody is, a link is for who comes next. */
const whose = (): string | null => readKnown()?.account ?? null;

/** Takes a link's e-cash or code out of the address at once, so that it is in no history. */
export function takeFromAddress(): void {
  const token = ecashFrom(location.hash);
  const code = codeAskedFor(location.hash);
  if (token !== null) {
    ecash = token;
    history.replaceState(null, "", `${location.pathname}#/take`);
  } else if (code !== null) {
    asked = code;
    // So that it is looked at again after a reload.
    thisTab.set("asked", code);
    thisTab.set("asked-of", whose());
    history.replaceState(null, "", `${location.pathname}#/pay`);
  } else if (location.hash === "#/pay") asked ??= thisTab.get("asked");
  else forgetAsked();
}

/** What was asked for is paid, refused, or left by the person: a reload does not bring it back. */
export function forgetAsked(): void {
  thisTab.set("asked", null);
}

/** Somebody signs out: what links brought until then is for nobody else. */
export function forgetBrought(): void {
  forgetAsked();
  asked = null;
  ecash = null;
}

/** Why somebody comes who is not signed in yet, where a link brought them. */
export function broughtBy(): "take" | "pay" | null {
  return ecash !== null ? "take" : asked !== null ? "pay" : null;
}

/** What is to be paid, for whom the link was opened or who signed in first after that. */
export function takeAsked(): string | null {
  const code = asked;
  asked = null;
  const first = thisTab.get("asked-of");
  if (code === null || (first !== null && first !== whose())) {
    if (code !== null) forgetAsked();
    return null;
  }
  thisTab.set("asked-of", whose());
  return code;
}

let ecash = $state.raw<string | null>(null);

/** E-cash that a link brought; it is in no address any more, and waits here to be taken. */
export function offeredEcash(): string | null {
  return ecash;
}

export function forgetEcash(): void {
  ecash = null;
}

/** Offers what may be e-cash, and says whether it was. */
export function isOffered(token: string | null): boolean {
  if (token !== null) ecash = token;
  return token !== null;
}
