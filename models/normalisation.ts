/** How networks want their pictures. */
import { UserError } from "../base/errors.ts";

/** The order in which a network has its colours. */
export type ChannelsOrder = "rgb" | "bgr";

/** The network expects (pixel / 255 - mean) / std. */
export interface Normalisation {
  /** What is subtracted from red, green and blue, in units of the whole range. */
  readonly mean: readonly [number, number, number];
  /** What they are divided by, in units of the whole range. */
  readonly std: readonly [number, number, number];
  /** That the network has blue first. */
  readonly order?: "bgr" | undefined;
  /** That the network has one channel: how light a picture is (ITU-R BT.601). */
  readonly channels?: 1 | undefined;
}

const same = (mean: number, std: number): Normalisation => ({
  mean: [mean, mean, mean],
  std: [std, std, std],
});

/** What most networks were trained with. */
export const IMAGENET: Normalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** Pixels from −1 to 1. */
export const HALF: Normalisation = same(0.5, 0.5);
/** Pixels from 0 to 1. */
export const UNIT: Normalisation = same(0, 1);
/** Pixels from 0 to 255. */
export const BYTES: Normalisation = same(0, 1 / 255);

/** By the names that people give them. */
const NAMED: Readonly<Record<string, Normalisation>> = {
  imagenet: IMAGENET,
  half: HALF,
  none: UNIT,
  bytes: BYTES,
};

/** What may be said of a normalisation, for help and messages. */
export const NORMALISATIONS = `${Object.keys(NAMED).join(", ")}, or MEAN/STD`;

/**
 * A normalisation from `imagenet`, `half` (−1 to 1), `none` (0 to 1), `bytes` (0 to 255), or
 * `MEAN/STD`, each one number or three for red, green and blue. Numbers above 1 are in units of
 * 0..255, others in units of 0..1: `0.5/0.5` and `127.5/127.5` are the same.
 *
 * @throws {UserError} when it is none of these.
 */
export function parseNormalisation(text: string): Normalisation {
  const named = Object.hasOwn(NAMED, text) ? NAMED[text] : undefined;
  if (named) return named;
  const fail = (problem: string): never => {
    throw new UserError(
      `normalisation "${text}": ${problem}; expected ${NORMALISATIONS}, such as ` +
        "0.485,0.456,0.406/0.229,0.224,0.225 or 127.5/127.5",
    );
  };
  const halves = text.split("/");
  if (halves.length !== 2) return fail("expected a mean, a slash and a deviation");
  const [mean, std] = halves.map((half): [number, number, number] => {
    const numbers = half.split(",").map((part) => part.trim() === "" ? NaN : Number(part));
    if (numbers.some((value) => !Number.isFinite(value))) return fail(`"${half}" is no number`);
    if (numbers.length === 1) return [numbers[0]!, numbers[0]!, numbers[0]!];
    return numbers.length === 3
      ? numbers as [number, number, number]
      : fail(`${numbers.length} numbers, expected one or three`);
  }) as [[number, number, number], [number, number, number]];
  if (std.some((value) => value <= 0)) fail("deviations must be above 0");
  if (mean.some((value) => Math.abs(value) > 255)) fail("means must be at most 255");
  const range = [...mean, ...std].some((value) => Math.abs(value) > 1) ? 255 : 1;
  const inUnits = (values: [number, number, number]) =>
    values.map((value) => value / range) as [number, number, number];
  return { mean: inUnits(mean), std: inUnits(std) };
}

/** The channels a network has its pictures in. */
export function channelsOf({ channels }: Normalisation): 1 | 3 {
  return channels ?? 3;
}

/** How light colours are: weights of red, green and blue. */
export const LIGHTNESS = [0.299, 0.587, 0.114] as const;

/** Pictures [N,3,S,S] without their colours: all three channels are how light they are. */
export function withoutColours(pictures: Float32Array, plane: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(pictures.length);
  for (let at = 0; at < pictures.length; at += 3 * plane) {
    for (let p = at; p < at + plane; p++) {
      const light = LIGHTNESS.reduce((sum, k, c) => sum + k * pictures[p + c * plane]!, 0);
      for (let c = 0; c < 3; c++) out[p + c * plane] = light;
    }
  }
  return out;
}
