/**
 * Trying apart what the mint refused together: one bad proof must not cost the good ones.
 *
 * By halves, down to the single proof; only what is refused singly, or was spent, is given up.
 */

import { sumOf } from "./model.ts";
import type { Parted, TakenProof, Taking } from "./people-model.ts";
import type { Swapped } from "./people-swap.ts";

/** Refusals for what a proof is; any other is for the request, and says nothing of its e-cash. */
const PROOF_FALSE = 10001;
const KEYSET_EXPIRED = 12003;
const FOR_A_PROOF: ReadonlySet<number> = new Set([PROOF_FALSE, KEYSET_EXPIRED]);

const NOTHING: Parted = { gained: 0, lost: [], left: [], rest: [] };

/** All that is being taken and has not come to an end: what is with the mint, and what follows. */
export function wholeOf({ inputs, parted }: Taking): readonly TakenProof[] {
  return [...inputs, ...(parted?.rest.flat() ?? [])];
}

/** How it stands once the mint has answered for one part. */
export function partedBy(taking: Taking, swapped: Exclude<Swapped, { kind: "unknown" }>): Parted {
  const { inputs, parted = NOTHING } = taking;
  if (swapped.kind === "refused") return refused(taking, swapped.code);
  if (swapped.kind === "signed") {
    const gained = sumOf(swapped.proofs);
    if (gained > 0) return { ...parted, gained: parted.gained + gained };
    return { ...parted, lost: [...parted.lost, ...inputs] };
  }
  const gone = inputs.filter(({ secret }) => swapped.spent.has(secret));
  const unspent = inputs.filter(({ secret }) => !swapped.spent.has(secret));
  const rest = unspent.length === 0 ? parted.rest : [unspent, ...parted.rest];
  return { ...parted, lost: [...parted.lost, ...gone], rest };
}

function refused(taking: Taking, code: number): Parted {
  const { inputs, source, parted = NOTHING } = taking;
  // This purse's own e-cash is never given up; what came from others is where a proof is at fault.
  if (source === "back" || !FOR_A_PROOF.has(code)) {
    return { ...parted, left: wholeOf(taking), rest: [] };
  }
  if (inputs.length === 1) return { ...parted, lost: [...parted.lost, ...inputs] };
  const half = Math.ceil(inputs.length / 2);
  return { ...parted, rest: [inputs.slice(0, half), inputs.slice(half), ...parted.rest] };
}
