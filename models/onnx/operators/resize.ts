/** Resize and Upsample: pictures in other sizes, by every rule that ONNX has for it. */
import { bandMatrix, type Tap } from "../../../ops/mod.ts";
import { UserError } from "../../../base/errors.ts";
import type { Call } from "../call.ts";
import type { View } from "../view.ts";
import { along } from "./shapes.ts";
import type { Operators } from "./table.ts";

/** One axis that changes. */
interface Change {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  /** For `tf_crop_and_resize`: the part of it, from 0 to 1. */
  readonly crop: readonly [start: number, end: number];
}

/** How a place of the result becomes one of the input. */
type Place = (out: number, change: Change) => number;

const PLACES: Readonly<Record<string, Place>> = {
  half_pixel: (x, { scale }) => (x + 0.5) / scale - 0.5,
  half_pixel_symmetric: (x, { scale, from, to }) => {
    const adjusted = to / (from * scale);
    return from / 2 * (1 - adjusted) + (x + 0.5) / scale - 0.5;
  },
  pytorch_half_pixel: (x, { scale, to }) => to > 1 ? (x + 0.5) / scale - 0.5 : 0,
  align_corners: (x, { from, to, scale }) => to > 1 ? x * (from - 1) / (from * scale - 1) : 0,
  asymmetric: (x, { scale }) => x / scale,
  tf_half_pixel_for_nn: (x, { scale }) => (x + 0.5) / scale,
  tf_crop_and_resize: (x, { from, to, crop: [start, end] }) =>
    to > 1
      ? start * (from - 1) + x * (end - start) * (from - 1) / (to - 1)
      : (start + end) / 2 * (from - 1),
};

const ROUNDINGS: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Weights of whole places around one that is none. */
type Kernel = (distance: number) => number;

const linear: Kernel = (d) => Math.max(0, 1 - Math.abs(d));

/** Keys 1981, with the slope a. */
function cubic(a: number): Kernel {
  return (distance) => {
    const d = Math.abs(distance);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
  };
}

interface Rule {
  readonly mode: string;
  readonly place: Place;
  readonly round: (x: number) => number;
  readonly kernel: Kernel;
  /** Places on each side that a kernel reaches. */
  readonly reach: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
}

function tapsOf(rule: Rule, change: Change, out: number): Tap[] {
  const { from, scale } = change;
  const inside = (at: number) => Math.min(Math.max(at, 0), from - 1);
  const place = rule.place(out, change);
  if (rule.place === PLACES.tf_crop_and_resize && (place < 0 || place > from - 1)) {
    throw new UserError("a part is taken that lies outside of the picture");
  }
  if (rule.mode === "nearest") return [[inside(rule.round(place)), 1]];
  // Where a picture shrinks and antialiasing is asked for, the kernel is as wide as a new pixel.
  const stretch = rule.antialias && scale < 1 ? scale : 1;
  const reach = rule.reach / stretch;
  const taps: Tap[] = [];
  for (let at = Math.ceil(place - reach); at <= Math.floor(place + reach); at++) {
    const weight = rule.kernel((at - place) * stretch);
    const gone = (rule.excludeOutside || rule.antialias) && at !== inside(at);
    if (weight !== 0 && !gone) taps.push([inside(at), weight]);
  }
  const total = taps.reduce((sum, [, weight]) => sum + weight, 0);
  return taps.map(([at, weight]) => [at, weight / total]);
}

function ruleOf(call: Call): Rule {
  const mode = call.word("mode", "nearest");
  const old = call.opset < 11;
  const placed = call.word("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  const rounded = call.word("nearest_mode", old ? "floor" : "round_prefer_floor");
  const place = PLACES[placed], round = ROUNDINGS[rounded];
  if (!place || !round || !["nearest", "linear", "bilinear", "cubic"].includes(mode)) {
    throw new UserError(`the rule ${mode}, ${placed}, ${rounded} is not known`);
  }
  return {
    mode,
    place,
    round,
    kernel: mode === "cubic" ? cubic(call.float("cubic_coeff_a", -0.75)) : linear,
    reach: mode === "cubic" ? 2 : 1,
    excludeOutside: call.int("exclude_outside", 0) !== 0,
    antialias: call.int("antialias", 0) !== 0,
  };
}

/** The axes that change, from scales or from sizes, which stand at places that changed by version. */
function changesOf(call: Call, dims: readonly number[]): Change[] {
  const at = call.node.type === "Upsample" || call.opset < 11
    ? { scales: 1, sizes: -1, roi: -1 }
    : { scales: 2, sizes: 3, roi: 1 };
  const numbers = (index: number) => {
    const value = index < 0 ? undefined : call.inputs[index];
    return value && value.dims[0] !== 0 ? [...call.known(index).numbers] : undefined;
  };
  const axes = call.ints("axes")?.map((axis) => call.axis(axis, dims.length)) ??
    dims.map((_, i) => i);
  const scales = call.attribute("scales")?.floats ?? numbers(at.scales);
  const sizes = numbers(at.sizes);
  const roi = numbers(at.roi);
  if (!scales && !sizes) throw new UserError("neither scales nor sizes are given");
  const policy = call.word("keep_aspect_ratio_policy", "stretch");
  const ratios = sizes && axes.map((axis, i) => sizes[i]! / dims[axis]!);
  const common = ratios && policy !== "stretch"
    ? policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios)
    : undefined;
  return axes.map((axis, i): Change => {
    const from = dims[axis]!;
    const crop: [number, number] = roi ? [roi[i]!, roi[i + axes.length]!] : [0, 1];
    if (common !== undefined) {
      return { axis, from, to: Math.round(from * common), scale: common, crop };
    }
    if (sizes) return { axis, from, to: sizes[i]!, scale: sizes[i]! / from, crop };
    const scale = scales![i]!;
    return { axis, from, to: Math.floor(from * scale * (crop[1] - crop[0])), scale, crop };
  });
}

/** The longest axis that is made: a picture's side. */
const LONGEST = 2 ** 14;

function resized(call: Call): View {
  const view = call.view(0);
  const rule = ruleOf(call);
  return changesOf(call, view.dims).reduce((x, change) => {
    const { axis, from, to, scale } = change;
    // Sizes that a graph was made with hold one picture; here there may be several.
    const pictures = axis === 0 && to === call.around.batch.declared;
    if (pictures || (to === from && scale === 1)) return x;
    if (!(to >= 1 && to <= LONGEST)) throw new UserError(`axis ${axis} would have ${to} elements`);
    return along(x, axis, bandMatrix(from, to, (out) => tapsOf(rule, change, out)));
  }, view);
}

/** The operators. */
export const RESIZES: Operators = { Resize: resized, Upsample: resized };
