/** Pictures drawn by code: what the built-in model was trained on and what the demo looks at. */

import { Random } from "../../base/random.ts";
import { drawBackground } from "./backgrounds.ts";
import { MOTIF_TABLE } from "./motifs.ts";

/** The names of all motifs, in the order of the built-in model's classes. */
export const MOTIFS: readonly string[] = Object.keys(MOTIF_TABLE);

/** The facets of the demo's imagined class, a meadow: an index into this is a picture's `facet`. */
export const FACETS: readonly string[] = ["flower", "mushroom", "shell", "bee"];

/** One picture of the demo's class. */
export interface Drawing {
  /** Row-major RGB bytes, `width * height * 3` of them. */
  readonly pixels: Uint8ClampedArray;
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** Which of the class's facets it shows: an index into {@linkcode FACETS}. */
  readonly facet: number;
  /** `image_001`, `image_002`, ... in the order returned. */
  readonly name: string;
}

/** What to draw for the demo. */
export interface ClassOptions {
  /** How many pictures, shared evenly among the facets (120). */
  readonly count?: number;
  /** The pictures' side in pixels (128). */
  readonly size?: number;
  /** Same seed, same pictures (1). */
  readonly seed?: number;
}

/** Samples along each side of a pixel: enough for smooth edges. */
const SAMPLES = 3;

/**
 * Draws one motif on a random background: its colours, place, size (a diameter of about half to
 * four fifths of the picture, all of it inside), turn and the faint pixel noise are random too.
 *
 * @param motif One of {@linkcode MOTIFS}.
 * @param size The picture's side in pixels.
 * @param random Where all chance comes from: the same state gives the same picture.
 * @returns Row-major RGB bytes, `size * size * 3` of them.
 */
export function drawMotif(motif: string, size: number, random: Random): Uint8ClampedArray {
  const kind = MOTIF_TABLE[motif];
  if (!kind) throw new RangeError(`no motif "${motif}"; there are ${MOTIFS.join(", ")}`);
  const background = drawBackground(random);
  const paint = kind.specimen(random);
  const radius = random.uniform(0.24, 0.4);
  const angle = random.uniform(-kind.turn, kind.turn);
  const stray = 0.5 - radius;
  const [left, top] = [0.5 + random.uniform(-stray, stray), 0.5 + random.uniform(-stray, stray)];
  const [c, s] = [Math.cos(angle) / radius, Math.sin(angle) / radius];
  const noise = random.uniform(0, 0.06);

  const pixels = new Uint8ClampedArray(size * size * 3);
  const step = 1 / (size * SAMPLES);
  for (let row = 0, at = 0; row < size; row++) {
    for (let column = 0; column < size; column++, at += 3) {
      let [red, green, blue, covered] = [0, 0, 0, 0];
      for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
        const u = (column * SAMPLES + sample % SAMPLES + 0.5) * step - left;
        const v = top - (row * SAMPLES + Math.floor(sample / SAMPLES) + 0.5) * step;
        const colour = paint(c * u + s * v, c * v - s * u);
        if (!colour) continue;
        red += colour[0], green += colour[1], blue += colour[2], covered++;
      }
      const behind = background((column + 0.5) / size, (row + 0.5) / size);
      const bare = SAMPLES * SAMPLES - covered;
      const grain = random.uniform(-noise, noise);
      const level = (front: number, back: number) =>
        255 * ((front + bare * back) / (SAMPLES * SAMPLES) + grain);
      pixels[at] = level(red, behind[0]);
      pixels[at + 1] = level(green, behind[1]);
      pixels[at + 2] = level(blue, behind[2]);
    }
  }
  return pixels;
}

/**
 * Draws the demo's class: an imagined thing that shows itself in {@linkcode FACETS}, in mixed
 * order. Everything is random within the seed.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { drawClass } from "./draw.ts";
 * const pictures = drawClass({ count: 8, size: 64 });
 * assert(pictures.length === 8 && pictures[0]!.pixels.length === 64 * 64 * 3);
 * ```
 */
export function drawClass({ count = 120, size = 128, seed = 1 }: ClassOptions = {}): Drawing[] {
  const random = new Random(seed);
  const facets = Array.from({ length: count }, (_, i) => i % FACETS.length);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [facets[i], facets[j]] = [facets[j]!, facets[i]!];
  }
  return facets.map((facet, i) => ({
    pixels: drawMotif(FACETS[facet]!, size, random),
    width: size,
    height: size,
    facet,
    name: `image_${String(i + 1).padStart(3, "0")}`,
  }));
}
