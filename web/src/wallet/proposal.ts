import type { OwnCode } from "../rules/code.ts";
import type { CodeReading } from "../wire/shapes.ts";

/** Whom the wallet is about to pay, as read from a code or a handle, before the person agrees. */
export interface Proposal {
  readonly target: { readonly code: string } | { readonly payee: string };
  readonly payee: { readonly handle: string; readonly kind: "merchant" | "person" };
  readonly name: string;
  /** The payee's device key for a sealed message; people only. */
  readonly noteKey: string | null;
  readonly code: CodeReading | null;
}

/** What a code asks of the purse. */
export interface Asked {
  readonly code: string;
  readonly own: OwnCode;
  readonly amount: number | null;
}
