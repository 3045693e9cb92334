/** Seeded random numbers: the only source of chance in the program. */

/**
 * A small, fast, seeded generator (sfc32; Chris Doty-Humphrey's "Small Fast Counting" generator).
 * The same seed gives the same numbers on every machine.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Random } from "./random.ts";
 * const random = new Random(7);
 * assert(random.uniform(-1, 1) === new Random(7).uniform(-1, 1));
 * ```
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  #spare: number | undefined;

  /**
   * Starts the sequence of a seed.
   *
   * @param seed Any integer; only its low 32 bits count.
   */
  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = 0x9e3779b9;
    this.#c = 0x243f6a88;
    for (let i = 0; i < 15; i++) this.#next();
  }

  #next(): number {
    const t = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) >>> 0;
    return t;
  }

  /** A number in [low, high). */
  uniform(low = 0, high = 1): number {
    const unit = ((this.#next() >>> 5) * 67108864 + (this.#next() >>> 6)) / 9007199254740992;
    return low + (high - low) * unit;
  }

  /** A normally distributed number, mean 0 and standard deviation 1 (Box-Muller). */
  normal(): number {
    if (this.#spare !== undefined) {
      const value = this.#spare;
      this.#spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** An integer in 0..count-1. */
  integer(count: number): number {
    return Math.floor(this.uniform(0, count));
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)]!;
  }
}
