/**
 * Every parameter of the method, once: the type of a run's parameters, their texts, help and checks
 * all come from these tables. Names are camelCase here and snake_case, as in `vis.py`, for people.
 */
import { UnknownNameError, UserError } from "../base/errors.ts";
import { type DistanceName, DISTANCES } from "../ops/mod.ts";

/** What a JSON value may be, in the words of JSON schemas, for editors. */
export interface JsonSchema {
  /** By keyword: `type`, `minimum`, … */
  readonly [keyword: string]: unknown;
}

/** One parameter: what it may be and what it is for. */
export interface MethodParameter<T> {
  /** Its value in preset `default`. */
  readonly standard: T;
  /** What it may be, as a phrase: `a number from 0 to 10`. */
  readonly allowed: string;
  /** What a number counts; empty where there is nothing to say. */
  readonly unit: string;
  /** One sentence on what it does. */
  readonly help: string;
  /** The same for editors, as far as a schema can say it. */
  readonly schema: JsonSchema;
  /** Whether a value is allowed. */
  readonly accepts: (value: unknown) => boolean;
  /** A value from text; what makes no sense is left as it is and not accepted. */
  readonly parse: (text: string) => unknown;
}

/** Like Number(), but nothing is not zero. */
function toNumber(text: string): number {
  return text.trim() === "" ? NaN : Number(text);
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && value >= least && value <= most;
}

/** A number from `least` to `most`. */
function number(
  standard: number,
  [least, most]: readonly [least: number, most: number],
  unit: string,
  help: string,
): MethodParameter<number> {
  return {
    standard,
    allowed: `a number from ${least} to ${most}`,
    unit,
    help,
    schema: { type: "number", minimum: least, maximum: most },
    accepts: (value) => isWithin(value, least, most),
    parse: toNumber,
  };
}

/** A whole number from `least` to `most`. */
function whole(
  standard: number,
  [least, most]: readonly [least: number, most: number],
  unit: string,
  help: string,
): MethodParameter<number> {
  return {
    ...number(standard, [least, most], unit, help),
    allowed: `a whole number from ${least} to ${most}`,
    schema: { type: "integer", minimum: least, maximum: most },
    accepts: (value) => isWithin(value, least, most) && Number.isInteger(value),
  };
}

/** One of some names. */
function choice<const T extends string>(
  standard: NoInfer<T>,
  choices: readonly T[],
  help: string,
): MethodParameter<T> {
  return {
    standard,
    allowed: choices.join(" or "),
    unit: "",
    help,
    schema: { enum: choices },
    accepts: (value) => choices.includes(value as T),
    parse: (text) => text,
  };
}

/** Yes or no. */
function flag(standard: boolean, help: string): MethodParameter<boolean> {
  return {
    standard,
    allowed: "true or false",
    unit: "",
    help,
    schema: { type: "boolean" },
    accepts: (value) => typeof value === "boolean",
    parse: (text) => text === "true" ? true : text === "false" ? false : text,
  };
}

/** A list of `fewest` to `longest` numbers from `least` to `most`. */
function listOf(
  [least, most]: readonly [least: number, most: number],
  fewest: number,
  longest: number,
): JsonSchema {
  const items = { type: "number", minimum: least, maximum: most };
  return { type: "array", items, minItems: fewest, maxItems: longest };
}

/** Some numbers, `0+1+2` as text. */
function numbers(
  standard: readonly number[],
  [least, most]: readonly [least: number, most: number],
  unit: string,
  help: string,
): MethodParameter<readonly number[]> {
  return {
    standard,
    allowed: `up to 8 numbers from ${least} to ${most} joined by +, or none`,
    unit,
    help,
    schema: listOf([least, most], 0, 8),
    accepts: (value) =>
      Array.isArray(value) && value.length <= 8 && value.every((v) => isWithin(v, least, most)),
    parse: (text) => text === "none" ? [] : text.split("+").map(toNumber),
  };
}

/** From one number to another, `0.4+1` as text. */
function span(
  standard: readonly [from: number, to: number],
  [least, most]: readonly [least: number, most: number],
  unit: string,
  help: string,
): MethodParameter<readonly number[]> {
  return {
    ...numbers(standard, [least, most], unit, help),
    allowed: `two numbers from ${least} to ${most} joined by +, the smaller one first`,
    schema: listOf([least, most], 2, 2),
    accepts: (value) =>
      Array.isArray(value) && value.length === 2 && value[0] <= value[1] &&
      value.every((v) => isWithin(v, least, most)),
  };
}

/** The number of a distance, with its range and meaning as the distance has them. */
function distanceNumber(distance: DistanceName, name: string): MethodParameter<number> {
  const { standard, least, most, meaning } = DISTANCES[distance].parameters[name]!;
  return number(standard, [least, most], "", `Of distance ${distance}: ${meaning}`);
}

const ANY = [0, 1e6] as const;
const COUNT = [1, 1e6] as const;
const STEP = [0, 1e6] as const;

/** What the pictures start from and should excite: the same for all octaves of a run. */
const GOALS = {
  channels: whole(50, COUNT, "channels", "How many of a facet's largest channels are driven up"),
  nearest: whole(10, COUNT, "images", "How many of a facet's images make its target and start"),
  choose: choice(
    "typical",
    ["typical", "nearest", "farthest"],
    "Which: its own whose activations point where the facet's mean does, its own nearest to its " +
      "centre in the embedding, or the farthest of the whole folder, as vis.py does",
  ),
  weighting: choice(
    "median",
    ["median", "inverse"],
    "Their weights by distance d: softmax(-d/median d), or the paper's softmax(1/d)",
  ),
  blend: choice(
    "mean",
    ["mean", "median"],
    "How they make the start picture: the weighted mean of each pixel, or the median, softened, " +
      "which leaves out frames and watermarks that few of them have",
  ),
  statisticsWeight: number(
    0.5,
    ANY,
    "",
    "Weight of the mean and deviation that those images have in each channel, in the last layer of " +
      "each size up to the target; 1 is as strong as the rest at the first step",
  ),
  colourOrder: choice(
    "rgb",
    ["rgb", "bgr"],
    "Order of the pictures' channels; bgr shows the network, and saves, red for blue, as vis.py does",
  ),
  wholeLevels: flag(
    false,
    "Keep photos and pictures as whole grey levels: steps round, blends cut off, as in vis.py",
  ),
};

/** How long an octave is, and its schedule. */
const OCTAVE = {
  iterations: whole(60, COUNT, "iterations", "Number of steps"),
  size: whole(0, [0, 4096], "pixels", "Side of the pictures; 0 for that of the run"),
  schedule: choice(
    "fresh",
    ["fresh", "continued"],
    "Whether an octave's schedule begins with it, or its iterations count from the run's first",
  ),
};

/** The step. */
const STEPS = {
  optimizer: choice(
    "nesterov",
    ["sgd", "nesterov", "adam"],
    "How gradients become steps: momentum, Nesterov's momentum, or Adam",
  ),
  startLr: number(
    0.034,
    ANY,
    "share of black to white per iteration when the gradient is normalised",
    "Size of the first step",
  ),
  endLr: number(0.009, ANY, "as start_lr", "Size of the last step"),
  momentum: number(0.9, [0, 0.999], "", "Momentum; Adam's beta1"),
  beta2: number(0.999, [0, 0.999999], "", "Adam's decay of squared gradients"),
  optimizerRestart: flag(
    false,
    "Forget momentum and what the adaptive distance learned after every step, as vis.py does",
  ),
  momentumDamping: flag(
    true,
    "Multiply momentum's steps by 1 - momentum, so that lr is their size in the long run",
  ),
  gradientScale: choice(
    "rms",
    ["rms", "raw"],
    "Divide each picture's gradient by its RMS, or take it as it is",
  ),
  gradientSpace: choice(
    "pixel",
    ["pixel", "normalised"],
    "The space of gradient and step: 0..1 pixels, or the network's normalised values",
  ),
  gradientColour: flag(true, "Weigh the gradient's colours like those of natural images"),
  gradientBands: numbers(
    [0, 1, 2, 4],
    [0, 10],
    "pixels",
    "Sum the gradient blurred by these sigmas, each brought to RMS 1",
  ),
  gradientPower: number(
    0,
    [0, 4],
    "",
    "Divide the gradient's frequencies f by f to this power; 2 is a Fourier parameterisation",
  ),
};

/** The loss. */
const OBJECTIVE = {
  // The recipe's 1 leaves ResNet-18's palest facet of ants a hair under 1.2 times its photos.
  activationWeight: number(1.15, ANY, "", "Weight of activation maximisation"),
  activationScale: choice(
    "target",
    ["target", "raw"],
    "Divide the sum of out*t over the own channels by that of t*t, or take it as it is",
  ),
  activationCosine: flag(
    true,
    "Multiply it by the cosine between out and t, centred on the folder's mean",
  ),
  channelSets: choice(
    "own",
    ["own", "all"],
    "Drive each picture's own channels, or every facet's channels in every picture, as vis.py does",
  ),
  distanceWeight: number(1, ANY, "", "Weight of distance minimisation"),
  distance: choice(
    "relative",
    [
      "relative",
      "charbonnier",
      "adaptive",
      ...(Object.keys(DISTANCES) as DistanceName[]),
    ],
    "Distance of out from t; relative: sum (out-t)^2 / sum t^2; charbonnier: robust with alpha 1; " +
      "adaptive: robust, its shape and scale learned for each channel",
  ),
  distanceFormulas: choice(
    "named",
    ["named", "vis_py"],
    "Whether l2, canberra, minkowski, logit and quantile are what they are called or as in vis.py",
  ),
  distanceP: distanceNumber("minkowski", "p"),
  distanceDelta: distanceNumber("huber", "delta"),
  distanceQ: distanceNumber("quantile", "q"),
  distanceAlpha: distanceNumber("robust", "alpha"),
  distanceC: distanceNumber("robust", "c"),
  adaptiveLr: number(1, ANY, "times lr", "Of distance adaptive: how fast it learns"),
  startLambda: number(0.01, ANY, "", "Weight of the penalty layer's L1 norm at the start"),
  endLambda: number(0.05, ANY, "", "The same at the end"),
  lambdaScale: choice(
    "start",
    ["start", "raw"],
    "That norm as a share of the first iteration's, or the plain sum",
  ),
  termSums: choice(
    "picture",
    ["picture", "matrix"],
    "Count distance and L1 once a picture, or, as vis.py does, in each cell of a K x K matrix",
  ),
};

/** The mask. */
const MASK = {
  startMaskSigma: number(420, [1, 1e6], "pixels times mask_divisor", "Width of the mask's flank"),
  endMaskSigma: number(340, [1, 1e6], "as start_mask_sigma", "The same at the end"),
  maskDivisor: number(
    6,
    [0.1, 100],
    "",
    "What that is divided by; vis.py's base, machine epsilon, makes it 6.0036",
  ),
  maskScales: flag(true, "Whether these pixels are those of a picture of 512, or of any"),
  maskRadius: number(
    0.25,
    [0, 0.7],
    "share of the side",
    "Radius of the mask's plateau; 0 for the paper's mask, a ring of radius 1 pixel",
  ),
};

/** Blur, denoising and brightness. */
const REGULARISATION = {
  regulariseStep: whole(10, COUNT, "iterations", "How often to blur and denoise"),
  startSigma: number(0.5, [0, 10], "pixels", "Standard deviation of the blur"),
  endSigma: number(0.2, [0, 10], "pixels", "The same at the end"),
  blurRadius: choice(
    "three_sigma",
    ["opencv", "three_sigma"],
    "The blur's kernel: OpenCV's of side max(5, 3.3 sigma), or 3 sigma to either side",
  ),
  startDenoiseWeight: number(8, [0.01, 1e6], "", "TV denoising weight; small is smooth"),
  endDenoiseWeight: number(40, [0.01, 1e6], "", "The same at the end"),
  denoiseSweeps: whole(
    12,
    [1, 1000],
    "sweeps",
    "Most sweeps of the denoiser, which stops when one changes less than 1e-3",
  ),
  magnitude: choice(
    "free",
    ["free", "images"],
    "Give every frequency, as often as it denoises, the magnitude it has in the facet's images",
  ),
  brightnessStep: whole(0, STEP, "iterations", "How often to add 5/255 brightness; 0 for never"),
  brightnessGated: flag(
    false,
    "Add it only in iterations that also blur, as vis.py does",
  ),
};

/** What of the picture the network sees. */
const VIEW = {
  warpShift: number(24 / 224, [0, 0.5], "share of the side", "Largest random shift, both ways"),
  warpZoom: number(0.2, [0, 1], "natural logarithm", "Largest random zoom"),
  warpTurn: number(15, [0, 180], "degrees", "Largest random turn"),
  views: whole(
    4,
    [0, 64],
    "views an iteration",
    "How many random squares of the picture the network sees, turned by warp_turn, instead of the " +
      "whole picture warped once; 0 for the latter",
  ),
  viewSide: span([0.4, 1], [0.01, 1], "share of the side", "Sides of the views, drawn evenly"),
  viewSpread: number(
    0.15,
    [0, 1],
    "share of the side",
    "Standard deviation of a view's centre around the picture's middle",
  ),
  seen: whole(
    0,
    [0, 4096],
    "pixels",
    "Side of what the network sees; 0 for the network's own with views, else the picture's",
  ),
  scale: number(1, [1, 4], "times the picture", "Side of the canvas the picture is a window of"),
  window: number(
    0,
    [0, 10],
    "times the spare width",
    "Standard deviation of the window's place; 0 leaves it in the middle",
  ),
  windowStep: whole(0, STEP, "iterations", "How often the window moves; 0 for never"),
  windowMode: choice(
    "move",
    ["move", "smear"],
    "Put the picture back where it was taken from, or, as vis.py does, at a new place each iteration",
  ),
};

/** The rows of all parameters by what they are about: the one place that says what there is. */
export const PARAMETER_GROUPS = {
  "Goals, for all octaves": GOALS,
  "Octave": OCTAVE,
  "Step": STEPS,
  "Objective": OBJECTIVE,
  "Mask": MASK,
  "Regularisation": REGULARISATION,
  "View": VIEW,
};

/** The name of a parameter. */
export type ParameterName = {
  [Group in keyof typeof PARAMETER_GROUPS]: keyof (typeof PARAMETER_GROUPS)[Group];
}[keyof typeof PARAMETER_GROUPS];

/**
 * A value for each parameter: one octave of the loop. `start…` and `end…` go linearly from its
 * first iteration to its last. {@linkcode PARAMETERS} says what each one is and what it may be: the
 * value's type is that of the row with its name, in whichever group that is.
 */
export type Parameters = {
  readonly [Name in ParameterName]: (typeof PARAMETER_GROUPS)[
    keyof typeof PARAMETER_GROUPS
  ] extends infer Groups
    ? Groups extends Readonly<Record<Name, MethodParameter<infer Value>>> ? Value : never
    : never;
};

/** A row for each parameter. */
export type ParameterRows = { readonly [Name in ParameterName]: MethodParameter<Parameters[Name]> };

/** Every parameter by its name. */
export const PARAMETERS: ParameterRows = {
  ...GOALS,
  ...OCTAVE,
  ...STEPS,
  ...OBJECTIVE,
  ...MASK,
  ...REGULARISATION,
  ...VIEW,
};

/** The names, in order. */
export const PARAMETER_NAMES = Object.keys(PARAMETERS) as readonly ParameterName[];

/** Those that all octaves of a run share. */
export const SHARED_PARAMETERS = Object.keys(GOALS) as readonly ParameterName[];

/** `startLr` → `start_lr`, the name for people, as in `vis.py`. */
export function optionName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What a value may be, for messages. */
export function allowed(key: ParameterName): string {
  const { allowed, unit } = PARAMETERS[key];
  return unit === "" ? allowed : `${allowed} (${unit})`;
}

/** A value as people write it. */
export function showValue(value: unknown): string {
  if (Array.isArray(value)) return value.length ? value.join("+") : "none";
  return typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value);
}

const BY_OPTION = new Map(PARAMETER_NAMES.map((key) => [optionName(key), key]));

/** `vis.py`'s own names where ours are others. */
const ALIASES: ReadonlyMap<string, ParameterName> = new Map([["iter_n", "iterations"]]);

/**
 * The parameter of that name, in either spelling.
 *
 * @throws {UnknownNameError} when there is none; the nearest are listed.
 */
export function findParameter(name: string): ParameterName {
  const option = optionName(name);
  const key = BY_OPTION.get(option) ?? ALIASES.get(option);
  if (!key) throw new UnknownNameError("parameter", name, BY_OPTION.keys(), { count: 3 });
  return key;
}

/**
 * Throws unless every parameter is in its range.
 *
 * @throws {UserError} naming the parameter, what it may be and what it is.
 */
export function validateParameters(parameters: Parameters): void {
  for (const key of PARAMETER_NAMES) {
    const value: unknown = parameters[key];
    if (!PARAMETERS[key].accepts(value)) {
      const shown = typeof value === "object" ? JSON.stringify(value) : String(value);
      throw new UserError(`${optionName(key)}: expected ${allowed(key)}, got ${shown}`);
    }
  }
}

/**
 * Parameters with some changed.
 *
 * @param changes by either spelling of their names, as text or as values
 * @throws {UserError} for an unknown name or a value out of range.
 */
export function changeParameters(
  base: Parameters,
  changes: Readonly<Record<string, unknown>>,
): Parameters {
  const parameters: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    const key = findParameter(name);
    parameters[key] = typeof value === "string" ? PARAMETERS[key].parse(value) : value;
  }
  validateParameters(parameters as Parameters);
  return parameters as Parameters;
}
