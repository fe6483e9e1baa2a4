/**
 * One swap, and finding out what became of it.
 *
 * As in paying, silence is never taken for an end: the mint is asked after exactly these inputs
 * (NUT-07) and exactly these outputs (NUT-09), and until that is known the same swap goes again.
 */

import type { Book } from "./book.ts";
import { type Unblinded, pointOf, unblind } from "./curve.ts";
import { type Mint, type SentInput, signaturesByOutput } from "./mint.ts";
import type { Coin, PurseState, Signature, Token } from "./model.ts";
import type { Dleq, Passed, SwapOutput } from "./people-model.ts";

export interface Swap {
  readonly inputs: readonly SentInput[];
  readonly outputs: readonly SwapOutput[];
  readonly token: Token | null;
}

export type Swapped =
  /** Signed; what its signature does not prove is left out. */
  | { readonly kind: "signed"; readonly proofs: readonly Proven[] }
  /** Nothing was done. */
  | { readonly kind: "refused"; readonly code: number }
  /** The inputs were spent, some or all, by somebody else. */
  | { readonly kind: "spent"; readonly spent: ReadonlySet<string> }
  | { readonly kind: "unknown" };

export interface Proven extends Unblinded {
  readonly output: SwapOutput;
  readonly dleq: Dleq;
}

export async function swapOnce(
  book: Book,
  mint: Mint,
  swap: Swap,
  send: () => ReturnType<Mint["swap"]> = async () =>
    mint.swap(swap.inputs, swap.outputs, swap.token),
): Promise<Swapped> {
  const answer = await send();
  if (answer.kind === "answered") {
    return { kind: "signed", proofs: provenOf(book.state, swap.outputs, answer.value.signatures) };
  }
  const points = new Map(swap.inputs.map(({ secret }) => [pointOf(secret), secret]));
  const states = await mint.states([...points.keys()]);
  if (states.kind !== "answered") return { kind: "unknown" };
  const found = new Map(states.value.states.map(({ Y, state }) => [points.get(Y), state]));
  const stateOf = (secret: string) => found.get(secret) ?? "PENDING";
  const spent = new Set([...points.values()].filter((secret) => stateOf(secret) === "SPENT"));
  if ([...points.values()].some((secret) => stateOf(secret) === "PENDING")) {
    return { kind: "unknown" };
  }
  if (spent.size > 0) return signedBefore(book, mint, swap, spent);
  return answer.kind === "refused" ? { kind: "refused", code: answer.code } : { kind: "unknown" };
}

async function signedBefore(
  book: Book,
  mint: Mint,
  swap: Swap,
  spent: ReadonlySet<string>,
): Promise<Swapped> {
  const again = await mint.restore(swap.outputs);
  if (again.kind !== "answered") return { kind: "unknown" };
  const found = signaturesByOutput(again.value);
  if (found.size === 0) return { kind: "spent", spent };
  const signatures = swap.outputs.flatMap(({ B_ }) => found.get(B_) ?? []);
  return { kind: "signed", proofs: provenOf(book.state, swap.outputs, signatures) };
}

function provenOf(
  state: PurseState,
  outputs: readonly SwapOutput[],
  signatures: readonly Signature[],
): readonly Proven[] {
  return outputs.flatMap((output, at): readonly Proven[] => {
    const [signature, keys] = [signatures[at], state.keys[output.keyset]];
    if (signature === undefined || keys === undefined) return [];
    const proof = unblind(output, signature, keys);
    if (proof === null || signature.dleq === null) return [];
    return [{ ...proof, output, dleq: { ...signature.dleq, r: output.r } }];
  });
}

/** Outputs as they are sent: ascending, those that stay and those that go among each other. */
export function sorted(outputs: readonly SwapOutput[]): readonly SwapOutput[] {
  return outputs.toSorted((a, b) => a.amount - b.amount || (a.B_ < b.B_ ? -1 : 1));
}

export function passedFrom({ keyset, amount, secret, C, output }: Proven): Passed {
  return { keyset, amount, secret, C, ephemeral: output.ephemeral };
}

export function coinFrom(
  { keyset, amount, secret, C, r }: Unblinded,
  lineage: string,
  availableAt: number,
): Coin {
  return { keyset, amount, secret, C, r, lineage, availableAt };
}
