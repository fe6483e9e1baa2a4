/** The checkout's state: one order or link, and looking at it until it has ended. */

import { pause } from "../device/live.ts";
import { waitBefore } from "../rules/intent.ts";
import { type Money, wireMoney } from "../rules/money.ts";
import type { Check } from "../wire/check.ts";
import { type Answer, type Problem, ask } from "../wire/http.ts";
import { type Place, placeFrom } from "./place.ts";
import {
  type LookedLink,
  type LookedOrder,
  type LookedPlace,
  lookedLink,
  lookedOrder,
  lookedPlace,
} from "./shapes.ts";

const LOOK_EVERY_MS = 2_000;

class Checkout {
  order = $state.raw<LookedOrder | null>(null);
  link = $state.raw<LookedLink | null>(null);
  front = $state.raw<LookedPlace | null>(null);
  fault = $state.raw<Problem | null>(null);
  lost = $state(false);
  isNothing = $state(false);
  opening = $state(false);
  #round = 0;

  /** Begins anew with what the page's address names now. */
  async enter(): Promise<void> {
    this.order = null;
    this.link = null;
    this.front = null;
    this.fault = null;
    this.isNothing = false;
    this.#round += 1;
    const place = placeFrom(location.pathname, location.hash);
    if (place.kind === "nothing") this.isNothing = true;
    else if (place.kind === "front") await this.#open();
    else if (place.kind === "order") await this.#follow(place.id);
    else await this.#look(place);
  }

  /** Makes an order of the link, and stays with that order, so that a reload makes no other. */
  async begin(amount: Money | null): Promise<void> {
    const place = placeFrom(location.pathname, location.hash);
    if (place.kind !== "link" || this.opening) return;
    this.opening = true;
    this.fault = null;
    const body = { link: place.secret, ...(amount === null ? {} : { amount: wireMoney(amount) }) };
    const answer = await look("/v1/look/link/order", body, lookedOrder);
    this.opening = false;
    this.lost = answer.kind === "lost";
    if (answer.kind === "problem") this.fault = answer.problem;
    if (answer.kind !== "answered") return;
    history.replaceState(null, "", `/o/#${answer.value.id}`);
    void this.enter();
  }

  async #look({ secret }: Extract<Place, { kind: "link" }>): Promise<void> {
    this.link = await this.#answerTo(() => look("/v1/look/link", { link: secret }, lookedLink));
  }

  async #open(): Promise<void> {
    const asked = { method: "GET", path: "/v1/look", check: lookedPlace } as const;
    this.front = await this.#answerTo(() => ask(asked));
  }

  /** The answer once there is one; null where it is a refusal, or no longer what the page is about. */
  async #answerTo<T>(question: () => Promise<Answer<T>>): Promise<T | null> {
    const round = this.#round;
    for (let attempt = 0; round === this.#round; attempt += 1) {
      const answer = await question();
      if (this.#isAnswered(answer, round)) return answer.value;
      if (this.isNothing) return null;
      await pause(waitBefore(attempt, Math.random()));
    }
    return null;
  }

  async #follow(id: string): Promise<void> {
    const round = this.#round;
    for (let attempt = 0; round === this.#round;) {
      const answer = await look("/v1/look/order", { order: id }, lookedOrder);
      if (this.#isAnswered(answer, round)) {
        attempt = 0;
        this.order = answer.value;
        if (answer.value.status !== "open") return;
        await pause(LOOK_EVERY_MS);
      } else if (this.isNothing) return;
      else {
        await pause(waitBefore(attempt, Math.random()));
        attempt += 1;
      }
    }
  }

  #isAnswered<T>(
    answer: Answer<T>,
    round: number,
  ): answer is Extract<Answer<T>, { kind: "answered" }> {
    if (round !== this.#round) return false;
    this.lost = answer.kind === "lost" || (answer.kind === "problem" && is5xx(answer.problem));
    if (answer.kind === "problem" && !is5xx(answer.problem)) {
      this.isNothing = true;
      this.fault = answer.problem;
    }
    return answer.kind === "answered";
  }
}

const is5xx = ({ status }: Problem): boolean => status >= 500;

function look<T>(path: string, body: object, check: Check<T>): Promise<Answer<T>> {
  return ask({ method: "POST", path, body: JSON.stringify(body), check });
}

export const checkout = new Checkout();
