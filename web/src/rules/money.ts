/** Amounts: whole minor units and a currency, shown and read without ever becoming a float. */

export interface Money {
  readonly currency: string;
  readonly minor: bigint;
}

/** ISO 4217 exponents that are not 2. Browsers' own tables differ from the standard for some. */
const EXPONENTS: Readonly<Record<string, number>> = {
  BHD: 3,
  IQD: 3,
  JOD: 3,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  TND: 3,
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  ISK: 0,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  PYG: 0,
  RWF: 0,
  UGX: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
};

export function exponentOf(currency: string): number {
  return EXPONENTS[currency] ?? 2;
}

/** The exact decimal text of an amount, as Intl reads it: "-12.50". */
export function decimalText({ currency, minor }: Money): string {
  const exponent = exponentOf(currency);
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, "0");
  const whole = digits.slice(0, digits.length - exponent);
  const part = exponent === 0 ? "" : `.${digits.slice(-exponent)}`;
  return `${minor < 0n ? "-" : ""}${whole}${part}`;
}

const formats = new Map<string, Intl.NumberFormat>();

/** `plus`: what came in carries its sign, set where the language sets it. */
type Sign = "auto" | "plus";

function formatFor(currency: string, locale: string, sign: Sign): Intl.NumberFormat {
  const name = `${locale} ${currency} ${sign}`;
  const known = formats.get(name);
  if (known !== undefined) return known;
  const exponent = exponentOf(currency);
  const made = new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    signDisplay: sign === "plus" ? "exceptZero" : "auto",
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  });
  formats.set(name, made);
  return made;
}

export function formatMoney(amount: Money, locale: string, sign: Sign = "auto"): string {
  return formatFor(amount.currency, locale, sign).format(
    decimalText(amount) as Intl.StringNumericLiteral,
  );
}

export interface AmountPart {
  readonly role: "currency" | "number" | "fraction";
  readonly text: string;
}

/** The same text in pieces, so that a page can set the fraction and the sign of currency smaller. */
export function moneyParts(amount: Money, locale: string): AmountPart[] {
  const pieces = formatFor(amount.currency, locale, "auto").formatToParts(
    decimalText(amount) as Intl.StringNumericLiteral,
  );
  const parts: AmountPart[] = [];
  for (const { type, value } of pieces) {
    const role =
      type === "currency"
        ? "currency"
        : type === "decimal" || type === "fraction"
          ? "fraction"
          : "number";
    const last = parts.at(-1);
    if (last?.role === role) parts[parts.length - 1] = { role, text: last.text + value };
    else parts.push({ role, text: value });
  }
  return parts;
}

export function sum(currency: string, amounts: Iterable<Money>): Money {
  let minor = 0n;
  for (const amount of amounts) {
    if (amount.currency !== currency) throw new RangeError("amounts of two currencies were added");
    minor += amount.minor;
  }
  return { currency, minor };
}

/** As it travels: minor units as a string of digits. */
export function wireMoney({ currency, minor }: Money): { currency: string; minor: string } {
  return { currency, minor: minor.toString() };
}
