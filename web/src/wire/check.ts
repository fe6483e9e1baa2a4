/**
 * Small checks that turn what came over the network (`unknown`) into a typed value.
 *
 * Fields the server sends that we do not know are passed over, so that an older wallet
 * keeps working with a newer operator; fields we need are required exactly.
 */

export class Malformed extends Error {
  constructor(path: string, expected: string) {
    super(`${path === "" ? "the answer" : path} is not ${expected}`);
  }
}

export type Check<T> = (value: unknown, path: string) => T;
export type Checked<C> = C extends Check<infer T> ? T : never;

export type Reading<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: string };

/** The one door: a value that passed its check, or what is wrong with it. */
export function reading<T>(check: Check<T>, value: unknown): Reading<T> {
  try {
    return { ok: true, value: check(value, "") };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, fault: error.message };
    throw error;
  }
}

/** The same for what this device keeps as JSON; null where it is not there or not as expected. */
export function kept<T>(check: Check<T>, json: string | null): T | null {
  if (json === null) return null;
  try {
    const read = reading(check, JSON.parse(json) as unknown);
    return read.ok ? read.value : null;
  } catch {
    return null;
  }
}

export const text: Check<string> = (value, path) => {
  if (typeof value !== "string") throw new Malformed(path, "text");
  return value;
};

/**
 * Scheme, host and port, written in the one way; nothing else may be in the address.
 *
 * What is asked there without a name would carry one in a path that was told to one person alone.
 */
export const origin: Check<string> = (value, path) => {
  const found = text(value, path);
  const { protocol, origin: whole, href } = new URL(URL.canParse(found) ? found : "data:");
  const isWeb = protocol === "https:" || protocol === "http:";
  if (!isWeb || href !== `${whole}/`) throw new Malformed(path, "an origin");
  return whole;
};

export const flag: Check<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw new Malformed(path, "true or false");
  return value;
};

export const count: Check<number> = (value, path) => {
  if (typeof value !== "number" || !Number.isSafeInteger(value))
    throw new Malformed(path, "a whole number");
  return value;
};

export const instant: Check<Date> = (value, path) => {
  const date = new Date(text(value, path));
  if (Number.isNaN(date.getTime())) throw new Malformed(path, "an instant");
  return date;
};

const MINOR = /^-?(0|[1-9]\d{0,18})$/;

/** Minor units travel as a string of digits, because a JavaScript number ends at 2^53. */
export const minorUnits: Check<bigint> = (value, path) => {
  const digits = text(value, path);
  if (!MINOR.test(digits)) throw new Malformed(path, "a string of digits");
  return BigInt(digits);
};

const CURRENCY = /^[A-Z]{3}$/;

export const currencyCode: Check<string> = (value, path) => {
  const code = text(value, path);
  if (!CURRENCY.test(code)) throw new Malformed(path, "a currency code");
  return code;
};

export function optional<T>(check: Check<T>): Check<T | null> {
  return (value, path) => (value === null || value === undefined ? null : check(value, path));
}

export function oneOf<const T extends readonly string[]>(...allowed: T): Check<T[number]> {
  return (value, path) => {
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw new Malformed(path, `one of ${allowed.join(", ")}`);
    return found;
  };
}

export function list<T>(check: Check<T>): Check<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new Malformed(path, "a list");
    return value.map((item: unknown, at) => check(item, `${path}[${at}]`));
  };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function mapOf<T>(check: Check<T>): Check<Readonly<Record<string, T>>> {
  return (value, path) => {
    if (!isRecord(value)) throw new Malformed(path, "an object");
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, check(item, `${path}.${name}`)]),
    );
  };
}

type Shape = Readonly<Record<string, Check<unknown>>>;
type Shaped<S extends Shape> = { readonly [K in keyof S]: Checked<S[K]> };

export function object<S extends Shape>(shape: S): Check<Shaped<S>> {
  const fields = Object.entries(shape);
  return (value, path) => {
    if (!isRecord(value)) throw new Malformed(path, "an object");
    const seen: Record<string, unknown> = {};
    for (const [name, check] of fields) {
      seen[name] = check(value[name], path === "" ? name : `${path}.${name}`);
    }
    // Each field has just passed its own check, which the compiler cannot follow through the loop.
    return seen as Shaped<S>;
  };
}
