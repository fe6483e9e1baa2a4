/** E-cash between people, as the purse's worker runs it and the screens ask for it. */

import { mayFetchLetters } from "../rules/purse/people.ts";
import { POLICY } from "../rules/purse/policy.ts";
import { toBase64Url } from "../rules/note.ts";
import { takeSome } from "./blind.ts";
import { fromHex, toHex } from "./bytes.ts";
import { pointOf, pubkeyOf } from "./curve.ts";
import { NOT_FOUND } from "./mint.ts";
import {
  handingChanged,
  handingOf,
  heldOf,
  keyMade,
  letterDropped,
  letterEmpty,
} from "./people-changes.ts";
import { type Handed, type Parts, handOver, makeHanding, resumeHanding } from "./people-handing.ts";
import { readList } from "./listing.ts";
import type { Person } from "./people-model.ts";
import type { MailSide } from "./people-named.ts";
import { keepHeld } from "./people-offline.ts";
import { type Took, newPurseKey, resumeTaking, seeToken, take, takeBack } from "./people-taking.ts";
import type { Given, Kept, OpenMoment, PersonSeen, Posted, TokenOffer } from "./talk.ts";

const ID_BYTES = 16;
const HANDLE = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export class People {
  readonly #parts: Parts;
  readonly #seen = new Map<string, Person>();
  #isKeyKnown = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Finishes what was on its way when the page was last closed. */
  async resume(): Promise<void> {
    const { handings, takings } = (await this.#parts.book.read()).people;
    for (const taking of takings) await resumeTaking(this.#parts, taking);
    for (const handing of handings) {
      const isOpen = handing.stage === "swapping" || handing.stage === "ready";
      if (isOpen) await resumeHanding(this.#parts, handing);
    }
  }

  /** Asks the mint, without a name, to which keys e-cash for a handle is locked and sealed. */
  async look(handle: string): Promise<PersonSeen> {
    if (!HANDLE.test(handle)) return { kind: "nobody" };
    const token = (await takeSome(this.#parts.book, 1))?.[0];
    if (token === undefined) return { kind: "no-token" };
    const answer = await this.#parts.mint.person(handle, token);
    if (answer.kind === "refused") {
      return { kind: answer.code === NOT_FOUND ? "nobody" : "no-token" };
    }
    if (answer.kind === "lost") return { kind: "lost" };
    const { name, purse_key: purseKey, note_key } = answer.value;
    const noteKey = toBase64Url(fromHex(note_key) ?? new Uint8Array());
    this.#seen.set(handle, { handle, name, purseKey, noteKey });
    return { kind: "person", handle, name };
  }

  /**
   * Hands an amount over: to somebody who was looked up, or to whoever gets the link.
   *
   * By hand nothing is left at the mint: the token is shown to the person it is locked to.
   */
  async give(handle: string | null, amount: number, isByHand = false): Promise<Given> {
    const person = handle === null ? null : (this.#seen.get(handle) ?? null);
    if (handle !== null && person === null) return { kind: "nobody" };
    const made = await makeHanding(this.#parts, person, amount, isByHand && person !== null);
    return made.kind === "made" ? given(await handOver(this.#parts, made.handing)) : made;
  }

  async seeToken(text: string): Promise<TokenOffer> {
    const seen = await seeToken(this.#parts, text);
    return "amount" in seen ? { kind: seen.kind, amount: seen.amount } : seen;
  }

  async takeToken(text: string): Promise<Took> {
    const seen = await seeToken(this.#parts, text);
    if (seen.kind === "held") return { kind: "lost" };
    if (seen.kind !== "token") return seen;
    const id = toHex(this.#parts.ports.random(ID_BYTES));
    const source = seen.inputs.some(({ witness }) => witness !== null) ? "hand" : "link";
    return take(this.#parts, { id, source }, seen.inputs);
  }

  /** Keeps what was judged without a network, to have it counted when there is one. */
  async keepToken(text: string): Promise<Kept> {
    const seen = await seeToken(this.#parts, text);
    if (seen.kind === "token") return this.takeToken(text);
    if (seen.kind !== "held") return seen;
    const judged = await keepHeld(this.#parts.book, seen.held);
    return judged.kind === "sure" ? { kind: "held", amount: seen.amount } : judged;
  }

  /** Has the mint count what was taken without a network; says whether anything came in. */
  async countHeld(): Promise<boolean> {
    const { book, mint } = this.#parts;
    const waits = (await book.read()).people.held?.some(({ stage }) => stage === "held");
    if (waits !== true || (await readList(book, mint)).kind !== "known") return false;
    let isIn = false;
    for (const { id, stage, inputs } of heldOf(book.state)) {
      if (stage !== "held") continue;
      isIn = (await take(this.#parts, { id, source: "hand" }, inputs)).kind === "taken" || isIn;
    }
    return isIn;
  }

  async takeBack(id: string): Promise<Took> {
    const handing = handingOf(await this.#parts.book.read(), id);
    return handing === null ? { kind: "refused" } : takeBack(this.#parts, handing);
  }

  /**
   * Asks the mint whether somebody has banked what was handed over.
   *
   * Only when the person wants to know: asked at each opening, next to the session's own requests,
   * it would say who had sent what the payee banks.
   */
  async ask(id: string): Promise<"taken" | "waiting" | "lost"> {
    const { book, mint } = this.#parts;
    const proof = handingOf(await book.read(), id)?.proofs[0];
    if (proof === undefined) return "waiting";
    const states = await mint.states([pointOf(proof.secret)]);
    if (states.kind !== "answered") return "lost";
    if (states.value.states[0]?.state !== "SPENT") return "waiting";
    await book.change((state) => handingChanged(state, id, { stage: "taken" }));
    return "taken";
  }

  /**
   * Publishes the own key, fetches letters and banks what is in them.
   *
   * By itself only in an idle opening, far from a payment: the named side sees who was there.
   */
  async fetchMail(named: MailSide, noteKey: string | null, moment: OpenMoment): Promise<Posted> {
    const { book, ports } = this.#parts;
    const state = await book.read();
    if (!moment.isAsked && !this.#mayFetch(moment)) return "not-now";
    if (state.people.handings.some(({ stage }) => stage === "swapping")) return "not-now";
    const isIn = await ports.locks.tryHold("held", () => this.countHeld());
    const posted = await this.#fetchLetters(named, noteKey);
    return isIn === true && posted !== "lost" ? "arrived" : posted;
  }

  async #fetchLetters(named: MailSide, noteKey: string | null): Promise<Posted> {
    const { book, ports, seals } = this.#parts;
    if (noteKey === null || !(await seals.has(noteKey))) return "other-device";
    if (!this.#isKeyKnown) {
      // Without a network the mint's keys cannot be asked for: whoever may be paid knows them before.
      await readList(book, this.#parts.mint);
      const { people } = await book.change((before) => keyMade(before, newPurseKey()));
      if (people.key === null) throw new Error("a key was made");
      this.#isKeyKnown = await named.putKey(toHex(pubkeyOf(people.key)));
    }
    return (await ports.locks.tryHold("letters", () => this.#letters(named))) ?? "not-now";
  }

  #mayFetch({ openSince, paying }: OpenMoment): boolean {
    const { state } = this.#parts.book;
    const lastSpentAt = state.spendings.at(-1)?.at ?? null;
    const moment = { now: this.#parts.ports.now(), openSince, paying, lastSpentAt };
    return state.spends.length === 0 && mayFetchLetters(POLICY, moment);
  }

  async #letters(named: MailSide): Promise<Posted> {
    const { book } = this.#parts;
    const items = await named.letters();
    if (items === null) return "lost";
    let posted: Posted = "nothing";
    for (const { id, sealed } of items) {
      if (!book.state.people.letters.includes(id) && (await this.#open(id, sealed)))
        posted = "arrived";
    }
    // Each is dropped once its end is stored; one that could not be opened stays for another device.
    for (const id of book.state.people.letters) {
      const isThere = items.some((one) => one.id === id);
      if (!isThere || (await named.drop(id))) await book.change((one) => letterDropped(one, id));
    }
    return posted;
  }

  async #open(id: string, sealed: string): Promise<boolean> {
    const { book, seals } = this.#parts;
    const text = await seals.open(sealed);
    if (text === null) return false;
    const seen = await seeToken(this.#parts, text);
    if (seen.kind === "not-a-token" || seen.kind === "other-mint") {
      await book.change((state) => letterEmpty(state, id));
    }
    if (seen.kind !== "token") return false;
    return (await take(this.#parts, { id, source: "mail" }, seen.inputs)).kind === "taken";
  }
}

function given(handed: Handed): Given {
  if (handed.kind === "refused") return handed;
  const { id, stage } = handed.handing;
  return { kind: "given", id, isDelivered: stage === "delivered" };
}
