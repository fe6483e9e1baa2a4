/** The code that another page opened the wallet with, until the screen for paying takes it. */

let asked: string | null = null;

export function askToPay(code: string): void {
  asked = code;
}

export function takeAsked(): string | null {
  const code = asked;
  asked = null;
  return code;
}

let ecash: string | null = null;

/** E-cash that a link brought; it is in no address any more, and waits here to be taken. */
export function offerEcash(token: string): void {
  ecash = token;
}

export function offeredEcash(): string | null {
  return ecash;
}

export function forgetEcash(): void {
  ecash = null;
}

/** Offers what may be e-cash, and says whether it was. */
export function isOffered(token: string | null): boolean {
  if (token !== null) offerEcash(token);
  return token !== null;
}
