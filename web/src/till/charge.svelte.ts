/** The order at the till: made, shown as a code, watched until it has ended. */

import { soundOver, soundPaid } from "../device/chime.ts";
import { pause } from "../device/live.ts";
import { saltedNote, sealNote } from "../device/seal.ts";
import { find, forget, keep, settings } from "../device/store.ts";
import { carryThrough } from "../rules/intent.ts";
import { type Money, wireMoney } from "../rules/money.ts";
import { type Problem, ask, nothing } from "../wire/http.ts";
import { type Event, type Order, order as orderShape } from "../wire/shapes.ts";
import { object, text } from "../wire/check.ts";
import { till } from "./till.svelte.ts";

const LOOK_EVERY_MS = 3_000;

export interface Wish {
  readonly amount: Money;
  readonly reference: string;
  readonly note: string;
  readonly tip: boolean;
}

class Charge {
  order = $state.raw<Order | null>(null);
  making = $state(false);
  fault = $state.raw<Problem | null>(null);
  noteSealed = $state(false);
  /** What was bought stays here: the payment came without a key to seal it to. */
  noteUnsent = $state(false);
  #watched: string | null = null;

  /** Makes the order; a second press while the first is under way does nothing. */
  async begin(wish: Wish): Promise<void> {
    if (this.making || this.order !== null) return;
    this.making = true;
    this.fault = null;
    const salted = wish.note === "" ? null : await saltedNote(wish.note);
    const body = JSON.stringify({
      amount: wireMoney(wish.amount),
      ...(wish.reference === "" ? {} : { reference: wish.reference }),
      ...(salted === null ? {} : { basket_hash: salted.hash }),
      ...(till.place === null ? {} : { till: till.place.id }),
      ...(wish.tip ? { tip: "prompt" } : {}),
    });
    const idempotencyKey = crypto.randomUUID();
    const verdict = await carryThrough<Order>({
      send: () =>
        ask({
          method: "POST",
          path: "/v1/orders",
          token: till.key,
          body,
          idempotencyKey,
          check: orderShape,
        }),
      pause,
      chance: Math.random,
      doubtful: () => (till.lost = true),
    });
    this.making = false;
    till.lost = false;
    if (verdict.kind === "signed-out") till.leave(true);
    else if (verdict.kind === "refused") this.fault = verdict.problem;
    else {
      if (salted !== null) await keep("orderNotes", { order: verdict.value.id, note: salted.note });
      this.#show(verdict.value);
    }
  }

  /** Goes on with the order that was on the screen when the page was last closed. */
  async resume(): Promise<void> {
    const id = settings.get("till-order");
    if (id === null) return;
    const order = await till.read(`/v1/orders/${id}`, orderShape);
    if (order?.status === "open") this.#show(order);
    else if (order !== null) {
      await this.#sealReceipt(order);
      settings.set("till-order", null);
    }
  }

  async cancel(): Promise<void> {
    const { order } = this;
    if (order === null) return;
    const answer = await ask({
      method: "POST",
      path: `/v1/orders/${order.id}/cancel`,
      token: till.key,
      body: "{}",
      idempotencyKey: crypto.randomUUID(),
      check: object({ id: text, status: text }),
    });
    this.fault = answer.kind === "problem" ? answer.problem : null;
    // Whatever was answered, the order itself says how it stands: it may have been paid meanwhile.
    await this.look();
  }

  happened(event: Event | null): void {
    if (event === null || event.order_id === this.#watched) void this.look();
  }

  next(): void {
    this.order = null;
    this.fault = null;
    this.noteSealed = false;
    this.noteUnsent = false;
    this.#watched = null;
    settings.set("till-order", null);
  }

  async look(): Promise<void> {
    const id = this.#watched;
    if (id === null) return;
    const order = await till.read(`/v1/orders/${id}`, orderShape);
    if (order === null || this.#watched !== id) return;
    const was = this.order?.status;
    this.order = order;
    if (was === "open" && order.status !== "open") await this.#ended(order);
  }

  #show(order: Order): void {
    this.order = order;
    this.#watched = order.id;
    settings.set("till-order", order.id);
    void this.#watch(order.id);
  }

  /** Live events tell at once; looking now and then tells also when they are held up. */
  async #watch(id: string): Promise<void> {
    while (this.#watched === id && this.order?.status === "open") {
      await pause(LOOK_EVERY_MS);
      if (this.#watched === id && this.order?.status === "open") await this.look();
    }
  }

  async #ended(order: Order): Promise<void> {
    settings.set("till-order", null);
    if (order.status === "paid" || order.status === "authorised") soundPaid();
    else soundOver();
    till.refreshSoon();
    await this.#sealReceipt(order);
  }

  async #sealReceipt(order: Order): Promise<void> {
    const kept = await find("orderNotes", order.id).catch(() => null);
    if (kept === null) return;
    const paid = order.status === "paid" || order.status === "authorised";
    this.noteUnsent = paid && order.note_key === null;
    const sealed =
      paid && order.note_key !== null ? await sealNote(order.note_key, kept.note) : null;
    if (sealed !== null) {
      const answer = await ask({
        method: "PUT",
        path: `/v1/orders/${order.id}/receipt-note`,
        token: till.key,
        body: JSON.stringify({ sealed_note: sealed }),
        check: nothing,
      });
      if (answer.kind === "lost") return;
      this.noteSealed = answer.kind === "answered";
    }
    await forget("orderNotes", order.id);
  }
}

export const charge = new Charge();
