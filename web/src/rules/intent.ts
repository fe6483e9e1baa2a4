/**
 * A payment on its way.
 *
 * The intent (key and body, byte for byte) is stored before the first request is sent.
 * Whatever then happens to the connection, the page or the phone, the same key and body
 * are sent again until the operator has told how it ended. Nothing else may be concluded
 * from silence: a lost answer is "not known yet", never "failed".
 */

import type { Answer, Problem } from "../wire/http.ts";
import { type Money, wireMoney } from "./money.ts";

export interface Intent {
  readonly key: string;
  readonly handle: string;
  readonly body: string;
  readonly shown: { readonly payee: string; readonly total: Money };
}

export interface PaymentDraft {
  readonly target: { readonly code: string } | { readonly payee: string };
  readonly amount: Money;
  readonly tip: Money | null;
  readonly sealedNote: string | null;
  readonly noteKey: string | null;
}

export function bodyOf(draft: PaymentDraft): string {
  return JSON.stringify({
    ...draft.target,
    amount: wireMoney(draft.amount),
    ...(draft.tip !== null && draft.tip.minor > 0n ? { tip: wireMoney(draft.tip) } : {}),
    ...(draft.sealedNote !== null ? { sealed_note: draft.sealedNote } : {}),
    ...(draft.noteKey !== null ? { note_key: draft.noteKey } : {}),
  });
}

export function totalOf(amount: Money, tip: Money | null): Money {
  return tip === null ? amount : { currency: amount.currency, minor: amount.minor + tip.minor };
}

export type Verdict<T> =
  | { readonly kind: "concluded"; readonly value: T }
  | { readonly kind: "refused"; readonly problem: Problem }
  | { readonly kind: "signed-out" }
  | { readonly kind: "unknown" };

/** Passing states of the operator or of what stands between: ask again with the same key. */
const PASSING = new Set([408, 425, 429]);

export function verdictOn<T extends { readonly status: string }>(answer: Answer<T>): Verdict<T> {
  if (answer.kind === "lost") return { kind: "unknown" };
  if (answer.kind === "answered") {
    const { value } = answer;
    return value.status === "pending" ? { kind: "unknown" } : { kind: "concluded", value };
  }
  const { problem } = answer;
  // Without a slug it is a page that something put in between: it says nothing of the payment.
  const isOwnWord = problem.slug !== "" && problem.status < 500 && !PASSING.has(problem.status);
  if (!isOwnWord || problem.retryWithSameId) return { kind: "unknown" };
  // An earlier attempt may have gone through, so a session that ended says nothing of the payment.
  if (problem.status === 401) return { kind: "signed-out" };
  return { kind: "refused", problem };
}

const WAITS_MS = [800, 1_500, 3_000, 6_000, 12_000, 20_000] as const;

/** How long to wait before attempt number `attempt` + 1; `chance` in [0, 1) spreads the crowd. */
export function waitBefore(attempt: number, chance: number): number {
  const wait = WAITS_MS[Math.min(Math.max(attempt, 0), WAITS_MS.length - 1)] ?? 20_000;
  return Math.round(wait * (0.75 + chance / 2));
}

export interface Attempts<T> {
  send(): Promise<Answer<T>>;
  pause(ms: number): Promise<void>;
  chance(): number;
  doubtful(attempt: number): void;
}

export type Settled<T> = Exclude<Verdict<T>, { kind: "unknown" }>;

/** Sends until the answer is known. Ends early only when there is no session to ask with. */
export async function carryThrough<T extends { readonly status: string }>(
  ports: Attempts<T>,
): Promise<Settled<T>> {
  for (let attempt = 0; ; attempt += 1) {
    const verdict = verdictOn(await ports.send());
    if (verdict.kind !== "unknown") return verdict;
    ports.doubtful(attempt);
    await ports.pause(waitBefore(attempt, ports.chance()));
  }
}
