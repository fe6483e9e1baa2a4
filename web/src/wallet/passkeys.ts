/** Sign-up and sign-in ceremonies; the browser's WebAuthn helper is loaded when first used. */

import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";
import { type Answer, ask } from "../wire/http.ts";
import { ceremony, session } from "../wire/shapes.ts";

export type Entry =
  | { readonly kind: "entered"; readonly token: string }
  | { readonly kind: "given-up" }
  | { readonly kind: "refused"; readonly slug: string; readonly title: string }
  | { readonly kind: "lost" };

export interface NewCustomer {
  readonly handle: string;
  readonly display_name: string;
  readonly language: string;
}

export function signUp(customer: NewCustomer): Promise<Entry> {
  return enter("/v1/sign-up", customer, async (options) => {
    const { startRegistration } = await import("@simplewebauthn/browser");
    // The options are the operator's, in the form the standard gives them; the browser checks them.
    return startRegistration({
      optionsJSON: options as unknown as PublicKeyCredentialCreationOptionsJSON,
    });
  });
}

export function signIn(): Promise<Entry> {
  return enter("/v1/sign-in", {}, async (options) => {
    const { startAuthentication } = await import("@simplewebauthn/browser");
    return startAuthentication({
      optionsJSON: options as unknown as PublicKeyCredentialRequestOptionsJSON,
    });
  });
}

async function enter(
  path: string,
  first: object,
  perform: (options: Readonly<Record<string, unknown>>) => Promise<unknown>,
): Promise<Entry> {
  const begun = await ask({
    method: "POST",
    path: `${path}/options`,
    body: JSON.stringify(first),
    check: ceremony,
  });
  if (begun.kind !== "answered") return failed(begun);
  const credential = await perform(begun.value.options).catch(() => null);
  if (credential === null) return { kind: "given-up" };
  const ended = await ask({
    method: "POST",
    path,
    body: JSON.stringify({ ceremony: begun.value.ceremony, credential }),
    check: session,
  });
  return ended.kind === "answered" ? { kind: "entered", token: ended.value.token } : failed(ended);
}

function failed(answer: Exclude<Answer<unknown>, { kind: "answered" }>): Entry {
  if (answer.kind === "lost") return { kind: "lost" };
  return { kind: "refused", slug: answer.problem.slug, title: answer.problem.title };
}
