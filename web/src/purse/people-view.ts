/** E-cash between people as the screens show it. */

import { heldMax, passedMax } from "../rules/purse/people.ts";
import { DAY, POLICY } from "../rules/purse/policy.ts";
import type { PurseState } from "./model.ts";
import { heldOf } from "./people-changes.ts";
import type { Handing } from "./people-model.ts";
import type { HandingView, Summary } from "./talk.ts";

type PeopleSummary = Pick<Summary, "passedMax" | "heldMax" | "handings" | "arrivals" | "held">;

/** `exponent`: how many digits the purse's currency has after the point. */
export function peopleSummary(state: PurseState, exponent: number): PeopleSummary {
  return {
    passedMax: passedMax(POLICY, exponent),
    heldMax: heldMax(POLICY, exponent),
    handings: state.people.handings.map(viewOf).toReversed(),
    arrivals: state.people.arrivals.toReversed(),
    held: heldOf(state)
      .map(({ id, stage, amount, at }) => ({ id, stage, amount, at }))
      .toReversed(),
  };
}

function viewOf({ person, isByHand = false, ...handing }: Handing): HandingView {
  const { id, amount, stage, text, refundAt, madeAt } = handing;
  const payee = person === null ? null : { handle: person.handle, name: person.name };
  const margin = POLICY.offline.lock_days_min * DAY;
  const sureUntil = isByHand && refundAt !== null ? refundAt - margin : null;
  return { id, payee, amount, stage, text, refundAt, madeAt, isByHand, sureUntil };
}
