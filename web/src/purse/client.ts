/** The page's side of the purse's worker, which is started with the first question. */

import type { Call, Calls, News, Note, Reply } from "./talk.ts";

const NAMES = Object.keys({
  open: 0,
  resume: 0,
  start: 0,
  chooseTier: 0,
  fill: 0,
  getReady: 0,
  look: 0,
  forget: 0,
  pay: 0,
  deposit: 0,
  close: 0,
  askRefund: 0,
  receipts: 0,
  listHash: 0,
  newPhrase: 0,
  keepPhrase: 0,
  hasBackup: 0,
  restore: 0,
  tend: 0,
  issueAnew: 0,
  verdicts: 0,
  goDirect: 0,
  setRelay: 0,
  lookUp: 0,
  give: 0,
  seeToken: 0,
  takeToken: 0,
  keepToken: 0,
  takeBack: 0,
  askTaken: 0,
  fetchMail: 0,
  mayAsk: 0,
} satisfies Record<keyof Calls, 0>) as (keyof Calls)[];

export type Listener = (news: News) => void;

/** One worker for the life of the page; a question that it cannot answer is rejected. */
export function startPurse(heard: Listener): Calls {
  const worker = new Worker(new URL("./purse.worker.ts", import.meta.url), { type: "module" });
  const open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let last = 0;
  worker.onmessage = ({ data }: MessageEvent<Reply | Note>) => {
    if ("note" in data) {
      heard(data.note);
      return;
    }
    const waiting = open.get(data.number);
    open.delete(data.number);
    if (data.fault === undefined) waiting?.resolve(data.value);
    else waiting?.reject(new Error(data.fault));
  };
  worker.onerror = () => {
    for (const waiting of open.values()) waiting.reject(new Error("the purse's thread has ended"));
    open.clear();
  };
  const ask = (call: keyof Calls, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      last += 1;
      open.set(last, { resolve, reject });
      worker.postMessage({ number: last, call, args } satisfies Call);
    });
  // Every method is the same question with another name.
  const calls = NAMES.map((call) => [call, (...args: readonly unknown[]) => ask(call, args)]);
  return Object.fromEntries(calls) as unknown as Calls;
}
