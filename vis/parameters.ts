/** Every parameter of the method and the presets: named choices of all of them. */
import { UserError } from "../kernels/errors.ts";
import { nearest } from "../models/names.ts";

/**
 * What the loop does. Sizes are in pixels unless said otherwise; `start…`/`end…` pairs go linearly
 * from the first iteration to the last.
 */
export interface Parameters {
  /** Number of steps. */
  iterations: number;
  /** How many of a facet's largest channels are driven up. */
  channels: number;
  /** How many images nearest to a facet's centre make its target and start picture. */
  nearest: number;
  /** Their weights: softmax(−d/median d), or softmax(1/d). */
  weighting: "median" | "inverse";

  /** Step size: RMS change of 0..1 pixels when the gradient is normalised, raw otherwise. */
  startLr: number;
  /** The same at the end. */
  endLr: number;
  /** Nesterov momentum. */
  momentum: number;
  /** Forget the momentum after every step, which makes it (1 + momentum)·lr·gradient. */
  momentumRestart: boolean;
  /** Multiply the step by 1 − momentum, so that lr is the size of a step in the long run. */
  momentumDamping: boolean;
  /** Divide each picture's gradient by its RMS, or take it as it is. */
  gradientScale: "rms" | "raw";
  /** The space the gradient is taken in: 0..1 pixels, or the network's normalised values. */
  gradientSpace: "pixel" | "normalised";
  /** Weigh the gradient's colours like those of natural images. */
  gradientColour: boolean;
  /** Sum of the gradient blurred by these sigmas, each brought to RMS 1; `[]` leaves it alone. */
  gradientBands: readonly number[];

  /** Weight of activation maximisation. */
  activationWeight: number;
  /** Divide Σ out·t over the own channels by Σ t², or take it as it is. */
  activationScale: "target" | "raw";
  /** Multiply it by the cosine between out and t, centred on the folder's mean. */
  activationCosine: boolean;
  /** Weight of distance minimisation. */
  distanceWeight: number;
  /** Σ(out − t)²/Σt², or the mean of √((out − t)² + 1) − 1. */
  distance: "relative" | "charbonnier";
  /** Weight of the penalty layer's L1 norm. */
  startLambda: number;
  /** The same at the end. */
  endLambda: number;
  /** The norm as a share of the first iteration's, or the plain sum. */
  lambdaScale: "start" | "raw";

  /** Width of the mask in the paper's units: sigma/6 pixels for a picture of 512. */
  startMaskSigma: number;
  /** The same at the end. */
  endMaskSigma: number;
  /** Radius of the mask's plateau as a share of the side; 0 for the paper's mask. */
  maskRadius: number;

  /** Every how many iterations to blur and denoise. */
  regulariseStep: number;
  /** Standard deviation of the blur. */
  startSigma: number;
  /** The same at the end. */
  endSigma: number;
  /** The blur's kernel: OpenCV's max(5, ⌊3.3σ⌋) made odd, or 3σ to either side. */
  blurRadius: "opencv" | "three_sigma";
  /** TV denoising weight; small is smooth. */
  startDenoiseWeight: number;
  /** The same at the end. */
  endDenoiseWeight: number;
  /** Most sweeps of the denoiser, which stops by itself when a sweep changes less than 1e-3. */
  denoiseSweeps: number;
  /** Every how many iterations to add 5/255 brightness; 0 for never. */
  brightnessStep: number;

  /** Random warp before the network: largest shift as a share of the side, both ways. */
  warpShift: number;
  /** Largest zoom, as a logarithm. */
  warpZoom: number;
  /** Largest turn in degrees. */
  warpTurn: number;
  /** Size of the canvas the picture is a window of, as a multiple of the picture. */
  scale: number;
  /** Standard deviation of the window's place as a share of the spare width; 0 never moves it. */
  window: number;
  /** Every how many iterations the window moves. */
  windowStep: number;
}

/** The recipe of docs/method.md: one set of options for every network. */
const DEFAULT: Parameters = {
  iterations: 200,
  channels: 50,
  nearest: 10,
  weighting: "median",
  startLr: 0.034,
  endLr: 0.009,
  momentum: 0.9,
  momentumRestart: false,
  momentumDamping: true,
  gradientScale: "rms",
  gradientSpace: "pixel",
  gradientColour: true,
  gradientBands: [0, 1, 2, 4],
  // The recipe's 1 leaves ResNet-18's palest facet of ants a hair under 1.2 times its photos.
  activationWeight: 1.15,
  activationScale: "target",
  activationCosine: true,
  distanceWeight: 1,
  distance: "relative",
  startLambda: 0.01,
  endLambda: 0.05,
  lambdaScale: "start",
  startMaskSigma: 420,
  endMaskSigma: 340,
  maskRadius: 0.25,
  regulariseStep: 10,
  startSigma: 0.5,
  endSigma: 0.2,
  blurRadius: "three_sigma",
  startDenoiseWeight: 8,
  endDenoiseWeight: 40,
  denoiseSweeps: 12,
  brightnessStep: 0,
  warpShift: 24 / 224,
  warpZoom: 0.2,
  warpTurn: 15,
  scale: 1,
  window: 0,
  windowStep: 0,
};

/** The paper to the letter (Stergiou 2021). */
const PAPER: Parameters = {
  iterations: 2001,
  channels: 50,
  nearest: 10,
  weighting: "inverse",
  startLr: 0.5,
  endLr: 0.08,
  momentum: 0.9,
  momentumRestart: true,
  momentumDamping: false,
  gradientScale: "raw",
  gradientSpace: "normalised",
  gradientColour: false,
  gradientBands: [],
  activationWeight: 1,
  activationScale: "raw",
  activationCosine: false,
  distanceWeight: 1,
  distance: "charbonnier",
  startLambda: 1e-4,
  endLambda: 5e-4,
  lambdaScale: "raw",
  startMaskSigma: 420,
  endMaskSigma: 340,
  maskRadius: 0,
  regulariseStep: 10,
  startSigma: 0.9,
  endSigma: 0.2,
  blurRadius: "opencv",
  startDenoiseWeight: 2,
  endDenoiseWeight: 8,
  denoiseSweeps: 100,
  brightnessStep: 50,
  warpShift: 0,
  warpZoom: 0,
  warpTurn: 0,
  scale: 1.2,
  window: 0.4,
  windowStep: 400,
};

/** Presets by name. */
export const PRESETS: Readonly<Record<string, Parameters>> = { default: DEFAULT, paper: PAPER };

/** The range of each number: lowest, highest, and whether it must be whole. */
const RANGES: Partial<Record<keyof Parameters, readonly [number, number, "whole"?]>> = {
  iterations: [1, 1e6, "whole"],
  channels: [1, 1e6, "whole"],
  nearest: [1, 1e6, "whole"],
  startLr: [0, 1e6],
  endLr: [0, 1e6],
  momentum: [0, 0.999],
  activationWeight: [0, 1e6],
  distanceWeight: [0, 1e6],
  startLambda: [0, 1e6],
  endLambda: [0, 1e6],
  startMaskSigma: [1, 1e6],
  endMaskSigma: [1, 1e6],
  maskRadius: [0, 0.7],
  regulariseStep: [1, 1e6, "whole"],
  startSigma: [0, 10],
  endSigma: [0, 10],
  startDenoiseWeight: [0.01, 1e6],
  endDenoiseWeight: [0.01, 1e6],
  denoiseSweeps: [1, 1000, "whole"],
  brightnessStep: [0, 1e6, "whole"],
  warpShift: [0, 0.5],
  warpZoom: [0, 1],
  warpTurn: [0, 180],
  scale: [1, 4],
  window: [0, 10],
  windowStep: [0, 1e6, "whole"],
};

const CHOICES: Partial<Record<keyof Parameters, readonly string[]>> = {
  weighting: ["median", "inverse"],
  gradientScale: ["rms", "raw"],
  gradientSpace: ["pixel", "normalised"],
  activationScale: ["target", "raw"],
  distance: ["relative", "charbonnier"],
  lambdaScale: ["start", "raw"],
  blurRadius: ["opencv", "three_sigma"],
};

/** `startLr` → `start_lr`, the name on the command line and in `vis.py`. */
export function optionName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What a value may be, for messages. */
export function allowed(key: keyof Parameters): string {
  const choices = CHOICES[key];
  if (choices) return choices.join(" or ");
  const range = RANGES[key];
  if (range) return `a ${range[2] ? "whole " : ""}number from ${range[0]} to ${range[1]}`;
  return key === "gradientBands"
    ? "up to 8 numbers from 0 to 10 joined by +, or none"
    : "true or false";
}

function isAllowed(key: keyof Parameters, value: unknown): boolean {
  const choices = CHOICES[key];
  if (choices) return choices.includes(value as string);
  const inside = (v: unknown, [low, high, whole]: readonly [number, number, "whole"?]) =>
    typeof v === "number" && v >= low && v <= high && (!whole || Number.isInteger(v));
  const range = RANGES[key];
  if (range) return inside(value, range);
  if (key === "gradientBands") {
    return Array.isArray(value) && value.length <= 8 && value.every((v) => inside(v, [0, 10]));
  }
  return typeof value === "boolean";
}

/**
 * Throws unless every parameter is in its range.
 *
 * @throws {UserError} naming the parameter, what it may be and what it is.
 */
export function validateParameters(parameters: Parameters): void {
  for (const [key, value] of Object.entries(parameters) as [keyof Parameters, unknown][]) {
    if (!isAllowed(key, value)) {
      throw new UserError(`${optionName(key)}: expected ${allowed(key)}, got ${value}`);
    }
  }
}

/**
 * A preset with some parameters changed.
 *
 * @param changes by their names here or on the command line, as text or as values
 * @throws {UserError} for an unknown preset or name (the nearest are listed) or a value out of range.
 */
export function chooseParameters(
  preset = "default",
  changes: Readonly<Record<string, unknown>> = {},
): Parameters {
  const base = PRESETS[preset];
  if (!base) {
    throw new UserError(
      `no preset "${preset}"; expected one of: ${Object.keys(PRESETS).join(", ")}`,
    );
  }
  const names = new Map(Object.keys(base).map((key) => [optionName(key), key as keyof Parameters]));
  const parameters: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    const key = names.get(optionName(name));
    if (!key) {
      throw new UserError(
        `no parameter "${name}"; nearest: ${nearest(name, names.keys(), 3).join(", ")}`,
      );
    }
    parameters[key] = typeof value === "string" ? parse(key, value, base[key]) : value;
  }
  validateParameters(parameters as unknown as Parameters);
  return parameters as unknown as Parameters;
}

function parse(key: keyof Parameters, text: string, like: unknown): unknown {
  if (key === "gradientBands") return text === "none" ? [] : text.split("+").map(toNumber);
  if (typeof like === "number") return toNumber(text);
  if (typeof like === "boolean") return text === "true" ? true : text === "false" ? false : text;
  return text;
}

/** Like Number(), but nothing is not zero. */
function toNumber(text: string): number {
  return text.trim() === "" ? NaN : Number(text);
}
