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
