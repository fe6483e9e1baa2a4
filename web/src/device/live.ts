/** The operator's live events, for as long as the page is open. */

import { reading } from "../wire/check.ts";
import { type Event, event as eventShape } from "../wire/shapes.ts";
import { FrameReader } from "../wire/sse.ts";
import { waitBefore } from "../rules/intent.ts";

export interface Listener {
  readonly token: string;
  readonly happened: (event: Event) => void;
  /** Connected anew: what happened in between may have been missed, so read the state again. */
  readonly joined: () => void;
}

/** Longer than the operator's heartbeat, so that a dead connection is noticed. */
const SILENCE_MS = 40_000;

export function listen(listener: Listener): () => void {
  const stop = new AbortController();
  void follow(listener, stop.signal);
  return () => stop.abort();
}

async function follow(listener: Listener, stopped: AbortSignal): Promise<void> {
  let last: string | null = null;
  for (let attempt = 0; !stopped.aborted; attempt += 1) {
    try {
      const reader = await connect(listener.token, last, stopped);
      attempt = 0;
      listener.joined();
      for await (const { id, data } of reader) {
        last = id ?? last;
        const read = reading(eventShape, safelyParsed(data));
        if (read.ok) listener.happened(read.value);
      }
    } catch {
      // A connection that ends is made again; what it would have told is read by `joined`.
    }
    if (!stopped.aborted) await pause(waitBefore(attempt, Math.random()), stopped);
  }
}

async function connect(token: string, last: string | null, stopped: AbortSignal) {
  const cut = new AbortController();
  stopped.addEventListener("abort", () => cut.abort(), { signal: cut.signal });
  const headers: Record<string, string> = {
    Accept: "text/event-stream",
    Authorization: `Bearer ${token}`,
  };
  if (last !== null) headers["Last-Event-ID"] = last;
  const response = await fetch("/v1/events/stream", {
    headers,
    cache: "no-store",
    credentials: "omit",
    signal: cut.signal,
  });
  if (!response.ok || response.body === null) throw new Error(`stream answered ${response.status}`);
  return framesOf(response.body, cut);
}

async function* framesOf(body: ReadableStream<Uint8Array>, cut: AbortController) {
  const frames = new FrameReader();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let silence = setTimeout(() => cut.abort(), SILENCE_MS);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(() => cut.abort(), SILENCE_MS);
      yield* frames.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    clearTimeout(silence);
    cut.abort();
  }
}

function safelyParsed(data: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    return null;
  }
}

export function pause(ms: number, stopped?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stopped?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
