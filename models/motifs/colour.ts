/** Colours as three numbers in 0..1 (red, green, blue), and the few ways the drawings mix them. */

import type { Random } from "../../base/random.ts";

/** Red, green and blue, each in 0..1. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Nearly black, the colour of outlines and spots. */
export const INK: Colour = [0.07, 0.06, 0.08];

/** Nearly white. */
export const CHALK: Colour = [0.95, 0.94, 0.9];

/** The colour of a hue (in turns, any real number), a saturation and a value (both 0..1). */
export function hsv(hue: number, saturation: number, value: number): Colour {
  const channel = (offset: number) => {
    const k = (((offset + hue * 6) % 6) + 6) % 6;
    return value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

/** The colour a share (0..1) of the way from one colour to another. */
export function mix(from: Colour, to: Colour, share: number): Colour {
  return [
    from[0] + (to[0] - from[0]) * share,
    from[1] + (to[1] - from[1]) * share,
    from[2] + (to[2] - from[2]) * share,
  ];
}

/** The colour made brighter (factor above 1) or darker (below 1). */
export function shade(colour: Colour, factor: number): Colour {
  return [
    Math.min(1, colour[0] * factor),
    Math.min(1, colour[1] * factor),
    Math.min(1, colour[2] * factor),
  ];
}

/** A random strong colour with a hue between the two given (in turns; all hues by default). */
export function vivid(random: Random, lowHue = 0, highHue = 1): Colour {
  return hsv(random.uniform(lowHue, highHue), random.uniform(0.75, 1), random.uniform(0.75, 1));
}

/** A random quiet colour of any hue and any brightness. */
export function muted(random: Random): Colour {
  return hsv(random.uniform(), random.uniform(0, 0.5), random.uniform(0.25, 0.9));
}
