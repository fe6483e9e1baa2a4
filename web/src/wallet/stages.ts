/** The end of a payment as one screen shows it, named or private. */

import { problemText, t } from "../text/language.svelte.ts";
import type { Stage } from "./flight.svelte.ts";
import { refusalText } from "./private.ts";
import type { PrivateStage } from "./purse.svelte.ts";
import { addressOf } from "./route.svelte.ts";

export interface StageView {
  readonly name: Stage["name"];
  readonly title: string;
  readonly isResumed: boolean;
  readonly fault: string | null;
  /** Where the receipt is, once there is one. */
  readonly receipt: string | null;
  /** What the operator learnt of it. */
  readonly seen: string | null;
}

const plain = { isResumed: false, fault: null, receipt: null, seen: null } as const;

export function viewOfNamed(stage: Stage): StageView {
  switch (stage.name) {
    case "working":
      return { ...plain, name: stage.name, title: t("pay.working"), isResumed: stage.resumed };
    case "unknown":
      return { ...plain, name: stage.name, title: t("pay.unknown"), isResumed: stage.resumed };
    case "concluded": {
      const { id, status } = stage.payment;
      const title = t(status === "authorised" ? "pay.held" : "pay.done");
      const receipt = addressOf({ name: "payment", id });
      return { ...plain, name: "concluded", title, receipt };
    }
    case "refused":
      return {
        ...plain,
        name: "refused",
        title: t("pay.refused"),
        fault: problemText(stage.problem),
      };
    case "not-kept":
      return { ...plain, name: "not-kept", title: t("pay.refused"), fault: t("pay.storage") };
  }
}

export function viewOfPrivate(stage: PrivateStage): StageView {
  switch (stage.name) {
    case "working":
      return { ...plain, name: stage.name, title: t("pay.working"), isResumed: stage.resumed };
    case "unknown":
      return { ...plain, name: stage.name, title: t("pay.unknown"), isResumed: stage.resumed };
    case "paid":
      return {
        ...plain,
        name: "concluded",
        title: t("pay.done"),
        receipt: addressOf({ name: "receipt" }),
        seen: t("purse.paid.seen"),
      };
    case "refused":
      return {
        ...plain,
        name: "refused",
        title: t("pay.refused"),
        fault: refusalText(stage.code),
      };
  }
}
