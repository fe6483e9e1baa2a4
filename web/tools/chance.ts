/** Chance from a seed, for the town: the same seed is the same town. */

const MASK = (1n << 64n) - 1n;

/** SplitMix64 to spread the seed, then xoshiro128** in 32-bit words, which Node runs fast. */
export class Chance {
  private readonly words: Uint32Array;

  constructor(seed: bigint) {
    this.words = new Uint32Array(4);
    let state = seed & MASK;
    for (let index = 0; index < 4; index += 2) {
      state = (state + 0x9e3779b97f4a7c15n) & MASK;
      let mixed = state;
      mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
      mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & MASK;
      mixed ^= mixed >> 31n;
      this.words[index] = Number(mixed & 0xffffffffn);
      this.words[index + 1] = Number(mixed >> 32n);
    }
  }

  private word(): number {
    const words = this.words as unknown as [number, number, number, number];
    const [first, second, third, fourth] = words;
    const turned = Math.imul(second, 5);
    const result = Math.imul((turned << 7) | (turned >>> 25), 9) >>> 0;
    words[2] = third ^ first;
    words[3] = fourth ^ second;
    words[1] = second ^ words[2];
    words[0] = first ^ words[3];
    words[2] ^= second << 9;
    words[3] = (words[3] << 11) | (words[3] >>> 21);
    return result;
  }

  /** In [0, 1). */
  uniform(): number {
    return this.word() / 0x1_0000_0000;
  }

  between(from: number, to: number): number {
    return from + (to - from) * this.uniform();
  }

  whole(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, this.word());
    view.setUint32(4, this.word());
    return bytes;
  }

  /** Box and Muller. */
  normal(mean: number, deviation: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Marsaglia and Tsang, for a shape of at least one. */
  gamma(shape: number, scale: number): number {
    const least = shape - 1 / 3;
    const factor = 1 / Math.sqrt(9 * least);
    for (;;) {
      const drawn = this.normal(0, 1);
      const cube = (1 + factor * drawn) ** 3;
      if (cube <= 0) continue;
      const bound = drawn ** 2 / 2 + least - least * cube + least * Math.log(cube);
      if (Math.log(1 - this.uniform()) < bound) return least * cube * scale;
    }
  }

  poisson(mean: number): number {
    let count = 0;
    for (let product = this.uniform(); product > Math.exp(-mean); count++)
      product *= this.uniform();
    return count;
  }
}
