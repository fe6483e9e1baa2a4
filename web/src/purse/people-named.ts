/** The operator's named side of e-cash between people: the own key, and letters that wait. */

import type { Checked } from "../wire/check.ts";
import { ask, nothing } from "../wire/http.ts";
import { letters } from "./wire.ts";

export type Letters = Checked<typeof letters>["items"];

export interface MailSide {
  putKey(pubkey: string): Promise<boolean>;
  /** Null where it is not known now. */
  letters(): Promise<Letters | null>;
  drop(id: string): Promise<boolean>;
}

export function mailSide(token: string): MailSide {
  return {
    async putKey(pubkey) {
      const body = JSON.stringify({ purse_key: pubkey });
      const path = "/v1/purse/key";
      return (await ask({ method: "PUT", path, token, body, check: nothing })).kind === "answered";
    },
    async letters() {
      const answer = await ask({ method: "GET", path: "/v1/purse/mail", token, check: letters });
      return answer.kind === "answered" ? answer.value.items : null;
    },
    async drop(id) {
      const path = `/v1/purse/mail/${id}`;
      return (await ask({ method: "DELETE", path, token, check: nothing })).kind === "answered";
    },
  };
}
