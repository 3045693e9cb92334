/** The canvas the picture is a window of: the paper's jitter, which moves the window rarely. */
import type { Random } from "../ops/mod.ts";

/** K canvases of which K square windows are being worked on. */
export class Canvas {
  readonly #pixels: Float32Array<ArrayBuffer>;
  readonly #planes: number;
  readonly #size: number;
  /** Side of the canvas. */
  readonly side: number;
  #x: number;
  #y: number;

  /**
   * @param start [K,3,S,S], enlarged to fill the canvas
   * @param scale side of the canvas / side of the window
   */
  constructor(start: Float32Array, k: number, size: number, scale: number) {
    this.side = Math.round(size * scale);
    this.#planes = 3 * k;
    this.#size = size;
    this.#x = this.#y = (this.side - size) >> 1;
    this.#pixels = this.side === size
      ? Float32Array.from(start)
      : enlarge(start, this.#planes, size, this.side);
  }

  /** Where the window is. */
  get offset(): readonly [x: number, y: number] {
    return [this.#x, this.#y];
  }

  #rows(visit: (canvasAt: number, windowAt: number) => void): void {
    for (let plane = 0; plane < this.#planes; plane++) {
      for (let y = 0; y < this.#size; y++) {
        const canvasAt = (plane * this.side + y + this.#y) * this.side + this.#x;
        visit(canvasAt, (plane * this.#size + y) * this.#size);
      }
    }
  }

  /** The pixels in the window, [K,3,S,S]. */
  window(): Float32Array<ArrayBuffer> {
    const out = new Float32Array(this.#planes * this.#size * this.#size);
    this.#rows((from, to) => out.set(this.#pixels.subarray(from, from + this.#size), to));
    return out;
  }

  /** Puts pixels back where the window is. */
  paste(pixels: Float32Array): void {
    this.#rows((to, from) => this.#pixels.set(pixels.subarray(from, from + this.#size), to));
  }

  /** Moves the window to a normally distributed place, `deviation` spare widths from the centre. */
  move(deviation: number, random: Random): void {
    const spare = this.side - this.#size;
    const place = () => {
      const offset = Math.round(spare / 2 + random.normal() * deviation * spare);
      return Math.min(spare, Math.max(0, offset));
    };
    this.#x = place();
    this.#y = place();
  }
}

/** Bilinear enlargement of square planes, corners on corners. */
function enlarge(
  source: Float32Array,
  planes: number,
  from: number,
  to: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(planes * to * to);
  const at = Array.from({ length: to }, (_, i) => {
    const p = i * (from - 1) / (to - 1);
    const low = Math.min(Math.floor(p), from - 2);
    return { low, f: p - low };
  });
  for (let plane = 0; plane < planes; plane++) {
    for (let y = 0; y < to; y++) {
      const top = (plane * from + at[y]!.low) * from;
      for (let x = 0; x < to; x++) {
        const { low, f } = at[x]!;
        const mixRow = (row: number) => source[row + low]! * (1 - f) + source[row + low + 1]! * f;
        const fy = at[y]!.f;
        out[(plane * to + y) * to + x] = mixRow(top) * (1 - fy) + mixRow(top + from) * fy;
      }
    }
  }
  return out;
}
