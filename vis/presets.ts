/** Presets: named choices of all parameters, each written as what it changes in `default`. */
import { UserError } from "../base/errors.ts";
import {
  changeParameters,
  optionName,
  PARAMETER_NAMES,
  PARAMETERS,
  type Parameters,
  SHARED_PARAMETERS,
  showValue,
} from "./parameters.ts";

/** The recipe of docs/method.md: one set of options for every network. */
const DEFAULT = Object.fromEntries(
  PARAMETER_NAMES.map((key) => [key, PARAMETERS[key].standard]),
) as unknown as Parameters;

/** The picture is as large as what the network sees, once warped in every iteration: softer. */
const SOFT: Parameters = { ...DEFAULT, iterations: 200, views: 0, statisticsWeight: 0 };

/** The paper to the letter (Stergiou 2021). */
const PAPER: Parameters = {
  ...SOFT,
  choose: "nearest",
  weighting: "inverse",
  iterations: 2001,
  startLr: 0.5,
  endLr: 0.08,
  optimizerRestart: true,
  momentumDamping: false,
  gradientScale: "raw",
  gradientSpace: "normalised",
  gradientColour: false,
  gradientBands: [],
  activationWeight: 1,
  activationScale: "raw",
  activationCosine: false,
  distance: "charbonnier",
  startLambda: 1e-4,
  endLambda: 5e-4,
  lambdaScale: "raw",
  maskRadius: 0,
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
export const PRESETS: Readonly<Record<string, Parameters>> = {
  default: DEFAULT,
  soft: SOFT,
  paper: PAPER,
  /** What `vis.py` computes, its slips included: each is one parameter that `paper` has otherwise. */
  original: {
    ...PAPER,
    choose: "farthest",
    colourOrder: "bgr",
    wholeLevels: true,
    schedule: "continued",
    channelSets: "all",
    distance: "adaptive",
    distanceFormulas: "vis_py",
    termSums: "matrix",
    // ε^(½d²) = exp(−½ (d·√−ln ε)²) with ε = 2⁻⁵².
    maskDivisor: Math.sqrt(52 * Math.LN2),
    maskScales: false,
    brightnessGated: true,
    windowMode: "smear",
  },
  /** Crisper and more contrasted, at the price of grit in the background. */
  vivid: {
    ...SOFT,
    channels: 20,
    startLr: 0.068,
    activationWeight: 1,
    distanceWeight: 0.5,
    maskRadius: 0.4,
    startDenoiseWeight: 12,
    endDenoiseWeight: 60,
  },
  /**
   * For early and middle layers, which see textures: left alone, their pictures run into black or
   * white, so the photos' channel statistics count as much as all else.
   */
  texture: { ...DEFAULT, statisticsWeight: 1 },
  /** A large picture; time is no object. */
  poster: { ...DEFAULT, size: 1024, iterations: 160, viewSide: [0.25, 1] },
  /** For pictures that start from noise: all of the picture grows, in larger steps, smoothly at first. */
  noise: {
    ...SOFT,
    maskRadius: 0.7,
    startLr: 0.06,
    warpZoom: 0.3,
    startDenoiseWeight: 4,
  },
};

/**
 * A preset with some parameters changed.
 *
 * @param changes by either spelling of their names, as text or as values
 * @throws {UserError} for an unknown preset or name (the nearest are listed) or a value out of range.
 */
export function chooseParameters(
  preset = "default",
  changes: Readonly<Record<string, unknown>> = {},
): Parameters {
  const base = Object.hasOwn(PRESETS, preset) ? PRESETS[preset] : undefined;
  if (!base) {
    throw new UserError(
      `no preset "${preset}"; expected one of: ${Object.keys(PRESETS).join(", ")}`,
    );
  }
  return changeParameters(base, changes);
}

/**
 * The octaves of a run: a preset, changes for all of them, and changes for each.
 *
 * @param octaves one entry each; none makes one octave
 * @throws {UserError} as {@linkcode chooseParameters} and {@linkcode checkOctaves}.
 */
export function chooseOctaves(
  preset = "default",
  common: Readonly<Record<string, unknown>> = {},
  octaves: readonly Readonly<Record<string, unknown>>[] = [],
): Parameters[] {
  const base = chooseParameters(preset, common);
  const chosen = (octaves.length > 0 ? octaves : [{}]).map((changes, i) => {
    try {
      return changeParameters(base, changes);
    } catch (error) {
      if (!(error instanceof UserError) || octaves.length < 2) throw error;
      throw new UserError(`octave ${i + 1}: ${error.message}`);
    }
  });
  checkOctaves(chosen);
  return chosen;
}

/** Octaves as people write them. */
export function describeOctaves(octaves: readonly Parameters[]): Record<string, unknown>[] {
  return octaves.map((parameters) =>
    Object.fromEntries(Object.entries(parameters).map(([key, value]) => [optionName(key), value]))
  );
}

/** Iteration, counted from 1, at which each octave's schedule begins. */
export function firstIterations(octaves: readonly Parameters[]): number[] {
  let done = 0;
  return octaves.map(({ schedule, iterations }) => {
    if (schedule === "fresh") done = 0;
    const first = done + 1;
    done = iterations;
    return first;
  });
}

/**
 * Throws unless octaves go together.
 *
 * @throws {UserError} when there is none, when they differ in what all octaves share, or when a
 * continued schedule is over before its octave begins.
 */
export function checkOctaves(octaves: readonly Parameters[]): void {
  const [first] = octaves;
  if (!first) throw new UserError("expected at least one octave, got none");
  const starts = firstIterations(octaves);
  octaves.forEach((octave, i) => {
    for (const key of SHARED_PARAMETERS) {
      if (showValue(octave[key]) !== showValue(first[key])) {
        throw new UserError(
          `octave ${i + 1}: ${optionName(key)} is ${showValue(octave[key])}, but ` +
            `${showValue(first[key])} in octave 1; it must be the same in all octaves`,
        );
      }
    }
    if (starts[i]! > octave.iterations) {
      throw new UserError(
        `octave ${i + 1}: schedule=continued goes on at iteration ${starts[i]} of its ` +
          `${octave.iterations}; give it more iterations or schedule=fresh`,
      );
    }
  });
}
