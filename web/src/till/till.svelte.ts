/** The till's state: whose till it is, what was taken today, and the orders. */

import { listen, pause } from "../device/live.ts";
import { settings } from "../device/store.ts";
import { waitBefore } from "../rules/intent.ts";
import { type Answer, ask, isSignedOut, isUnanswered } from "../wire/http.ts";
import {
  type Event,
  type Merchant,
  type Order,
  type Till as TillPlace,
  health as healthShape,
  merchant as merchantShape,
  orders as ordersShape,
} from "../wire/shapes.ts";

const PAGE = 50;

class Till {
  key = $state<string | null>(settings.get("till-key"));
  merchant = $state.raw<Merchant | null>(null);
  orders = $state.raw<readonly Order[]>([]);
  next = $state<string | null>(null);
  loaded = $state(false);
  lost = $state(false);
  refused = $state(false);
  playMoney = $state(false);
  placeId = $state<string | null>(settings.get("till-place"));
  #stopListening: (() => void) | null = null;
  #refresh: ReturnType<typeof setTimeout> | null = null;

  get places(): readonly TillPlace[] {
    const places = this.merchant?.sites.flatMap((site) => site.tills) ?? [];
    return places.toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  }

  get place(): TillPlace | null {
    return this.places.find((place) => place.id === this.placeId) ?? this.places[0] ?? null;
  }

  choose(id: string): void {
    this.placeId = id;
    settings.set("till-place", id);
  }

  async open(happened: (event: Event | null) => void): Promise<boolean> {
    void this.#learnOperator();
    for (let attempt = 0; this.key !== null; attempt += 1) {
      await this.refresh();
      if (this.merchant !== null) {
        this.#follow(this.key, happened);
        return true;
      }
      if (this.key !== null) await pause(waitBefore(attempt, Math.random()));
    }
    return false;
  }

  signIn(key: string): void {
    this.key = key;
    this.refused = false;
    settings.set("till-key", key);
  }

  leave(refused: boolean): void {
    this.#stopListening?.();
    this.#stopListening = null;
    this.key = null;
    this.merchant = null;
    this.orders = [];
    this.loaded = false;
    this.refused = refused;
    settings.set("till-key", null);
  }

  async refresh(): Promise<void> {
    const [merchant, page] = await Promise.all([
      this.read("/v1/merchant", merchantShape),
      this.read(`/v1/orders?limit=${PAGE}`, ordersShape),
    ]);
    if (merchant !== null) this.merchant = merchant;
    if (page === null) return;
    if (!this.loaded) this.next = page.next;
    this.loaded = true;
    this.#merge(page.items);
  }

  async more(): Promise<void> {
    if (this.next === null) return;
    const cursor = encodeURIComponent(this.next);
    const page = await this.read(`/v1/orders?limit=${PAGE}&cursor=${cursor}`, ordersShape);
    if (page === null) return;
    this.next = page.next;
    this.#merge(page.items);
  }

  async read<T>(path: string, check: (value: unknown, path: string) => T): Promise<T | null> {
    return this.noted(await ask({ method: "GET", path, token: this.key, check }));
  }

  /** What was answered, or null after taking note of why not. */
  noted<T>(answer: Answer<T>): T | null {
    if (answer.kind === "answered") {
      this.lost = false;
      return answer.value;
    }
    if (answer.kind === "problem" && isSignedOut(answer.problem)) this.leave(true);
    else if (isUnanswered(answer)) this.lost = true;
    return null;
  }

  refreshSoon(): void {
    this.#refresh ??= setTimeout(() => {
      this.#refresh = null;
      void this.refresh();
    }, 150);
  }

  #merge(read: readonly Order[]): void {
    const byId = new Map([...this.orders, ...read].map((order) => [order.id, order]));
    this.orders = [...byId.values()].toSorted(
      (a, b) => b.created_at.getTime() - a.created_at.getTime() || (a.id < b.id ? 1 : -1),
    );
  }

  #follow(key: string, happened: (event: Event | null) => void): void {
    this.#stopListening?.();
    this.#stopListening = listen({
      token: key,
      happened: (event) => {
        this.refreshSoon();
        happened(event);
      },
      joined: () => {
        this.refreshSoon();
        happened(null);
      },
    });
  }

  async #learnOperator(): Promise<void> {
    const health = await ask({ method: "GET", path: "/health", check: healthShape });
    if (health.kind === "answered") this.playMoney = health.value.play_money;
  }
}

export const till = new Till();
