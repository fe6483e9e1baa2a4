/** Gathers the parts of one message, in any order, until it is whole. */

import { crc32 } from "./bytewords.ts";
import { fragmentsOf } from "./mixing.ts";
import { type Part, lay, readCode, textIn } from "./parts.ts";

/** Some fragments, one laid over the other. */
interface Mixed {
  readonly fragments: readonly number[];
  readonly bytes: Uint8Array;
}

export type Gathered =
  /** Of `count` pieces of knowledge, so many are there. */
  | { readonly kind: "some"; readonly have: number; readonly count: number }
  | { readonly kind: "text"; readonly text: string }
  /** Nothing of a sequence, or of another one than was begun. */
  | { readonly kind: "other" };

/** How much of a message is read, below 1; told in whole hundredths, and never more than there is. */
export function shareOf({
  have,
  count,
}: {
  readonly have: number;
  readonly count: number;
}): number {
  return Math.floor((100 * have) / count) / 100;
}

export class Collector {
  #first: Part | null = null;
  /** Each with another first fragment, so all are needed and none says what others say. */
  readonly #known = new Map<number, Mixed>();

  /** Takes what a camera read; what belongs to another sequence begins that one. */
  async take(code: string): Promise<Gathered> {
    const read = readCode(code);
    if (read === null) return { kind: "other" };
    if (read.kind === "whole") return textOf(read.message);
    const { part } = read;
    if (this.#first === null || !isSameMessage(this.#first, part)) {
      this.#known.clear();
      this.#first = part;
    }
    const { number, count, checksum, bytes } = part;
    this.#learn({ fragments: await fragmentsOf(number, count, checksum), bytes: bytes.slice() });
    if (this.#known.size < count) return { kind: "some", have: this.#known.size, count };
    return this.#whole(part);
  }

  /** Takes away what is known already; what is left is new, or nothing. */
  #learn(found: Mixed): void {
    let mixed = found;
    for (;;) {
      const [first] = mixed.fragments;
      if (first === undefined) return;
      const known = this.#known.get(first);
      if (known === undefined) {
        this.#known.set(first, mixed);
        return;
      }
      mixed = over(mixed, known);
    }
  }

  #whole({ count, length, checksum, bytes: { length: size } }: Part): Gathered {
    const message = new Uint8Array(count * size);
    for (let at = count - 1; at >= 0; at -= 1) {
      let mixed = this.#known.get(at);
      // Every later fragment stands by itself by now.
      for (const later of mixed?.fragments.slice(1) ?? []) {
        const known = this.#known.get(later);
        if (mixed !== undefined && known !== undefined) mixed = over(mixed, known);
      }
      if (mixed === undefined) return { kind: "other" };
      this.#known.set(at, mixed);
      message.set(mixed.bytes, at * size);
    }
    const whole = message.subarray(0, length);
    if (crc32(whole) === checksum) return textOf(whole);
    this.#known.clear();
    return { kind: "other" };
  }
}

function over(one: Mixed, other: Mixed): Mixed {
  const bytes = one.bytes.slice();
  lay(bytes, other.bytes);
  const both = [...one.fragments, ...other.fragments];
  const fragments = both.filter(
    (at) => one.fragments.includes(at) !== other.fragments.includes(at),
  );
  return { bytes, fragments: fragments.toSorted((a, b) => a - b) };
}

function isSameMessage(one: Part, other: Part): boolean {
  return (
    one.count === other.count && one.length === other.length && one.checksum === other.checksum
  );
}

function textOf(message: Uint8Array): Gathered {
  const text = textIn(message);
  return text === null ? { kind: "other" } : { kind: "text", text };
}
