/** The operator's named side of the purse: refills left and fetched, addresses to pay back to. */

import { type Answer, ask, nothing } from "../wire/http.ts";
import type { Output, Refill, Signature } from "./model.ts";
import {
  type PurseFacts,
  type RefillAnswer,
  backupAnswer,
  depositAnswer,
  issued,
  purseFacts,
  refillAnswer,
} from "./wire.ts";

export interface NamedSide {
  /** Null where it is not known now. */
  facts(): Promise<PurseFacts | null>;
  refill(): Promise<RefillAnswer | null>;
  /** `debited`: refused, as the account has paid for one of another sum that is not signed yet. */
  leave(refill: Refill, unit: string): Promise<"left" | "refused" | "debited" | "lost">;
  /** Takes back the refill that still waits; false where it is not known whether one does. */
  withdraw(): Promise<boolean>;
  /** Blind tokens for outputs of amount 1; null where they are not known now. */
  tokens(keyset: string, outputs: readonly Output[]): Promise<readonly Signature[] | null>;
  /** Leaves the sealed backup; false where it may not have been taken. */
  putBackup(sealed: string): Promise<boolean>;
  /** The sealed backup in base64url; null where it is not known now. */
  backup(): Promise<string | "none" | null>;
  /** A one-use address of the own account; one for closing takes any sum. */
  depositRequest(isClosing?: boolean): Promise<string | null>;
}

const NOT_FOUND = 404;
const DEBITED = "purse-refill-debited";

export function namedSide(token: string): NamedSide {
  return {
    async facts() {
      return valueOf(await ask({ method: "GET", path: "/v1/purse", token, check: purseFacts }));
    },
    async refill() {
      const path = "/v1/purse/refill";
      const answer = await ask({ method: "GET", path, token, check: refillAnswer });
      if (answer.kind === "problem" && answer.problem.status === NOT_FOUND) {
        return { state: "none", signatures: null };
      }
      return valueOf(answer);
    },
    async leave(refill, unit) {
      const answer = await ask({
        method: "PUT",
        path: "/v1/purse/refill",
        token,
        idempotencyKey: refill.id,
        body: refillBody(refill, unit),
        check: nothing,
      });
      if (answer.kind === "answered") return "left";
      if (answer.kind === "lost") return "lost";
      const { slug, status, retryWithSameId } = answer.problem;
      if (slug === DEBITED) return "debited";
      return retryWithSameId || status >= 500 || status === 401 || status === 429
        ? "lost"
        : "refused";
    },
    async withdraw() {
      const path = "/v1/purse/refill";
      return (await ask({ method: "DELETE", path, token, check: nothing })).kind === "answered";
    },
    async tokens(keyset, outputs) {
      const answer = await ask({
        method: "POST",
        path: "/v1/purse/tokens",
        token,
        body: tokensBody(keyset, outputs),
        check: issued,
      });
      // A refusal is of the day's ration, or of outputs that were signed before: ask with others.
      if (answer.kind === "problem" && answer.problem.status < 500) return [];
      return valueOf(answer)?.signatures ?? null;
    },
    async putBackup(sealed) {
      const body = JSON.stringify({ sealed });
      const path = "/v1/purse/backup";
      return (await ask({ method: "PUT", path, token, body, check: nothing })).kind === "answered";
    },
    async backup() {
      const path = "/v1/purse/backup";
      const answer = await ask({ method: "GET", path, token, check: backupAnswer });
      return answer.kind === "answered" ? (answer.value.sealed ?? "none") : null;
    },
    async depositRequest(isClosing = false) {
      const answer = await ask({
        method: "POST",
        path: "/v1/purse/deposits",
        token,
        idempotencyKey: crypto.randomUUID(),
        body: JSON.stringify(isClosing ? { closing: true } : {}),
        check: depositAnswer,
      });
      return valueOf(answer)?.request ?? null;
    },
  };
}

/** The outputs as they are left, ascending and without what unblinds them. */
export function refillBody(refill: Refill, unit: string): string {
  return JSON.stringify({
    tier: { currency: unit.toUpperCase(), minor: refill.tier.toString() },
    keyset_id: refill.keyset,
    outputs: refill.outputs.map(({ amount, B_ }) => ({ amount, B_ })),
  });
}

export function tokensBody(keyset: string, outputs: readonly Output[]): string {
  const left = outputs.map(({ amount, B_ }) => ({ amount, B_ }));
  return JSON.stringify({ keyset_id: keyset, outputs: left });
}

function valueOf<T>(answer: Answer<T>): T | null {
  return answer.kind === "answered" ? answer.value : null;
}
