/** A refund on its way: kept on the device before it is sent, so that a reload goes on with it. */

import { pause } from "../device/live.ts";
import { settings } from "../device/store.ts";
import { carryThrough } from "../rules/intent.ts";
import { type Money, wireMoney } from "../rules/money.ts";
import { type Check, object, reading, text } from "../wire/check.ts";
import { type Problem, ask } from "../wire/http.ts";
import { refund as refundShape } from "../wire/shapes.ts";
import { till } from "./till.svelte.ts";

interface Kept {
  readonly order: string;
  readonly key: string;
  readonly body: string;
}

const keptShape: Check<Kept> = object({ order: text, key: text, body: text });

export type Stage =
  | { readonly name: "sending" | "unknown" | "signed-out" }
  | { readonly name: "done"; readonly amount: Money }
  | { readonly name: "refused"; readonly problem: Problem };

class Refunding {
  stage = $state.raw<Stage | null>(null);
  #running = false;

  async begin(order: string, amount: Money): Promise<void> {
    if (this.#running) return;
    const body = JSON.stringify({ amount: wireMoney(amount) });
    const kept = { order, key: crypto.randomUUID(), body };
    settings.set("till-refund", JSON.stringify(kept));
    await this.#carry(kept);
  }

  async resume(): Promise<void> {
    const stored = settings.get("till-refund");
    if (stored === null || this.#running) return;
    const read = reading(keptShape, JSON.parse(stored));
    if (read.ok) await this.#carry(read.value);
  }

  clear(): void {
    if (!this.#running) this.stage = null;
  }

  async #carry({ order, key, body }: Kept): Promise<void> {
    this.#running = true;
    this.stage = { name: "sending" };
    const verdict = await carryThrough({
      send: () =>
        ask({
          method: "POST",
          path: `/v1/orders/${order}/refunds`,
          token: till.key,
          body,
          idempotencyKey: key,
          check: refundShape,
        }),
      pause,
      chance: Math.random,
      doubtful: () => (this.stage = { name: "unknown" }),
    });
    this.#running = false;
    if (verdict.kind === "signed-out") {
      this.stage = { name: "signed-out" };
      till.leave(true);
      return;
    }
    settings.set("till-refund", null);
    this.stage =
      verdict.kind === "refused"
        ? { name: "refused", problem: verdict.problem }
        : { name: "done", amount: verdict.value.amount };
    await till.refresh();
  }
}

export const refunding = new Refunding();
