/** One request to the operator and the three ways it can end. */

import { type Check, reading } from "./check.ts";
import { problem as problemShape } from "./shapes.ts";

export interface Problem {
  readonly slug: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string | null;
  readonly scheme: string | null;
  readonly retryWithSameId: boolean;
}

/**
 * `lost`: nobody knows whether the operator acted (no connection, cut off in the middle,
 * or an answer that cannot be read).
 */
export type Answer<T> =
  | { readonly kind: "answered"; readonly value: T }
  | { readonly kind: "problem"; readonly problem: Problem }
  | { readonly kind: "lost"; readonly why: string };

export interface Request<T> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly token?: string | null;
  readonly body?: string;
  readonly idempotencyKey?: string;
  readonly check: Check<T>;
}

const PATIENCE_MS = 20_000;

export async function ask<T>(request: Request<T>): Promise<Answer<T>> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (request.token != null) headers["Authorization"] = `Bearer ${request.token}`;
  if (request.body !== undefined) headers["Content-Type"] = "application/json";
  if (request.idempotencyKey !== undefined) headers["Idempotency-Key"] = request.idempotencyKey;
  try {
    const response = await fetch(request.path, {
      method: request.method,
      headers,
      body: request.body ?? null,
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return await answerFrom(response, request.check);
  } catch (error) {
    return { kind: "lost", why: error instanceof Error ? error.name : "unknown" };
  }
}

async function answerFrom<T>(response: Response, check: Check<T>): Promise<Answer<T>> {
  const body = response.status === 204 ? null : parsed(await response.text());
  if (!response.ok) return { kind: "problem", problem: problemFrom(response.status, body) };
  const read = reading(check, body);
  return read.ok ? { kind: "answered", value: read.value } : { kind: "lost", why: read.fault };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

/** A body that is no problem document still has a status to go by. */
export function problemFrom(status: number, body: unknown): Problem {
  const read = reading(problemShape, body);
  if (!read.ok) {
    return {
      slug: "",
      status,
      title: "",
      detail: null,
      scheme: null,
      retryWithSameId: status >= 500,
    };
  }
  const { type, title, detail, scheme, retry_with_same_id } = read.value;
  return {
    slug: type.split("/").at(-1) ?? "",
    status,
    title,
    detail,
    scheme,
    retryWithSameId: retry_with_same_id === true,
  };
}

/** The session is over: the operator's own word for it, not the status of a page put in between. */
export function isSignedOut({ slug }: Problem): boolean {
  return slug === "not-signed-in";
}

/** The operator was not heard: nothing came, a fault of its own, or a page that is not its own. */
export function isUnanswered(answer: Exclude<Answer<unknown>, { kind: "answered" }>): boolean {
  return answer.kind === "lost" || answer.problem.status >= 500 || answer.problem.slug === "";
}

/** For answers that carry nothing (204). */
export const nothing: Check<null> = () => null;
