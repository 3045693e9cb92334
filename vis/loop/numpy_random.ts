/** The random numbers of numpy's `RandomState`, so that the window moves as in `vis.py`. */

const N = 624;
const M = 397;

/** The Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), as numpy seeds and reads it. */
export class NumpyRandom {
  readonly #state = new Uint32Array(N);
  #next = N;
  #spare: number | undefined;

  /** `np.random.RandomState(seed)` for a whole number below 2³². */
  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < N; i++) {
      const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
      state[i] = Math.imul(1812433253, previous) + i;
    }
  }

  #refill(): void {
    const state = this.#state;
    for (let i = 0; i < N; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % N]! & 0x7fffffff);
      state[i] = state[(i + M) % N]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }

  #bits(): number {
    if (this.#next === N) this.#refill();
    let y = this.#state[this.#next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** A number in [0, 1): `random_sample()`. */
  uniform(): number {
    const high = this.#bits() >>> 5;
    return (high * 67108864 + (this.#bits() >>> 6)) / 9007199254740992;
  }

  /** A normally distributed number: `normal(mean, deviation)`, by the polar method in pairs. */
  normal(mean = 0, deviation = 1): number {
    let value = this.#spare;
    if (value === undefined) {
      let x, y, square;
      do {
        x = 2 * this.uniform() - 1;
        y = 2 * this.uniform() - 1;
        square = x * x + y * y;
      } while (square >= 1 || square === 0);
      const factor = Math.sqrt(-2 * Math.log(square) / square);
      this.#spare = factor * x;
      value = factor * y;
    } else {
      this.#spare = undefined;
    }
    return mean + deviation * value;
  }
}
