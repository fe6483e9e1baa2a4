/** Binary HTTP of known length (RFC 9292): as much of it as a sealed request needs. */

export interface BinaryRequest {
  readonly method: string;
  readonly address: URL;
  readonly headers: readonly (readonly [string, string])[];
  readonly content: Uint8Array;
}

export interface BinaryResponse {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly content: Uint8Array<ArrayBuffer>;
}

const REQUEST = 0;
const RESPONSE = 1;
const STATUS_MIN = 200;
const STATUS_MAX = 599;
/** Lengths here are far below what one number of JavaScript holds. */
const LENGTH_MAX = 2 ** 30;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The request, with zeros up to the first of the sizes that holds it (section 3.8). */
export function writeRequest(request: BinaryRequest, sizes: readonly number[]): Uint8Array {
  const { method, address, headers, content } = request;
  const scheme = address.protocol.replace(":", "");
  const control = [method, scheme, address.host, address.pathname].map((part) =>
    sized(bytesOf(part)),
  );
  const fields = headers.flatMap(([name, value]) => [
    sized(bytesOf(name.toLowerCase())),
    sized(bytesOf(value)),
  ]);
  const message = joined([
    number(REQUEST),
    ...control,
    sized(joined(fields)),
    sized(content),
    sized(new Uint8Array()),
  ]);
  const size = sizes.find((one) => one >= message.length);
  if (size === undefined) throw new RangeError("the request is too long for a relay");
  const padded = new Uint8Array(size);
  padded.set(message);
  return padded;
}

/** Null where the message is no final answer of known length. */
export function readResponse(message: Uint8Array): BinaryResponse | null {
  const rest = new Rest(message);
  if (rest.number() !== RESPONSE) return null;
  const status = rest.number();
  if (status < STATUS_MIN || status > STATUS_MAX) return null;
  const fields = new Rest(rest.section());
  const headers: (readonly [string, string])[] = [];
  while (fields.length > 0 && !fields.isBroken) headers.push([fields.text(), fields.text()]);
  const content = rest.section();
  return rest.isBroken || fields.isBroken
    ? null
    : { status, headers, content: Uint8Array.from(content) };
}

/** Reads on from where it is; what is missing at the end is told once, by `isBroken`. */
class Rest {
  isBroken = false;
  #left: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#left = bytes;
  }

  get length(): number {
    return this.#left.length;
  }

  take(count: number): Uint8Array {
    if (count > this.#left.length) this.isBroken = true;
    const taken = this.#left.subarray(0, count);
    this.#left = this.#left.subarray(count);
    return taken;
  }

  /** The first two bits say how many bytes there are (RFC 9000, section 16). */
  number(): number {
    const [first = 0] = this.take(1);
    const more = this.take((1 << (first >> 6)) - 1);
    const value = more.reduce((sum, byte) => sum * 256 + byte, first & 0x3f);
    if (value > LENGTH_MAX) this.isBroken = true;
    return value;
  }

  sized(): Uint8Array {
    return this.take(this.number());
  }

  /** Sections at the end may be left out (section 3.8). */
  section(): Uint8Array {
    return this.#left.length === 0 ? this.#left : this.sized();
  }

  text(): string {
    return new TextDecoder().decode(this.sized());
  }
}

function sized(part: Uint8Array): Uint8Array {
  return joined([number(part.length), part]);
}

function number(value: number): Uint8Array {
  if (value < 64) return Uint8Array.of(value);
  if (value < 16_384) return Uint8Array.of(0x40 | (value >> 8), value & 0xff);
  return Uint8Array.of(
    0x80 | (value >> 24),
    (value >> 16) & 0xff,
    (value >> 8) & 0xff,
    value & 0xff,
  );
}

export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
