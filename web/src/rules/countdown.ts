/** Time left until an instant, for a clock that counts down. */

export interface TimeLeft {
  readonly over: boolean;
  readonly minutes: number;
  readonly seconds: number;
}

export function timeLeft(until: Date, now: Date): TimeLeft {
  const seconds = Math.max(0, Math.ceil((until.getTime() - now.getTime()) / 1000));
  return { over: seconds === 0, minutes: Math.floor(seconds / 60), seconds: seconds % 60 };
}
