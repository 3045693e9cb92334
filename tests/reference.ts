/**
 * The operations of ops/mod.ts on plain arrays: slow loops in float64, written from the definitions
 * and from nothing else. Signatures are the same, so one expression runs on the GPU and here.
 */
import type {
  AdaptiveRobustOptions,
  AveragePool2dOptions,
  Axis,
  Conv2dOptions,
  ConvTranspose2dOptions,
  LocalResponseNormOptions,
  MaxPool2dOptions,
  OperationName,
  Pair,
  Rearrangement,
  ResizeOptions,
  Shape,
  TotalVariationOptions,
  Triple,
} from "../ops/mod.ts";

/** An array [n,c,h,w] in C order. */
export interface Values {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** What both ops/mod.ts (T = Tensor) and this file (T = Values) can do. */
export interface Operations<T> {
  abs(a: T): T;
  adaptiveAveragePool2d(x: T, size: number | Pair): T;
  add(a: T, b: T): T;
  adaptiveRobustLoss(
    x: T,
    latentAlpha: T,
    latentScale: T,
    options?: AdaptiveRobustOptions,
  ): T;
  affine(a: T, k: number, l?: number): T;
  averagePool2d(x: T, options: AveragePool2dOptions): T;
  batchNorm(
    x: T,
    parameters: { mean: T; variance: T; weight?: T; bias?: T; epsilon?: number },
  ): T;
  batchNormTraining(
    x: T,
    parameters: { weight?: T; bias?: T; epsilon?: number },
  ): { y: T; mean: T; variance: T };
  canberraDistance(x: T, target: T): T;
  chebyshevDistance(x: T, target: T): T;
  channelShuffle(x: T, groups: number): T;
  clampMin(a: T, k: number): T;
  clampTo(a: T, low: number, high: number): T;
  concat(parts: readonly T[]): T;
  conv2d(x: T, weight: T, bias?: T, options?: Conv2dOptions): T;
  convTranspose2d(x: T, weight: T, bias?: T, options?: ConvTranspose2dOptions): T;
  crossEntropy(logits: T, targets: T): T;
  detach(a: T): T;
  div(a: T, b: T): T;
  erf(a: T): T;
  exp(a: T): T;
  expand(a: T, shape: Shape): T;
  finite(a: T): T;
  floor(a: T): T;
  gaussianBlur(x: T, weights: T): T;
  gelu(a: T, approximate?: "none" | "tanh"): T;
  globalAveragePool(x: T): T;
  huberDistance(x: T, target: T, delta: number): T;
  l1Distance(x: T, target: T): T;
  l2Distance(x: T, target: T): T;
  hardsigmoid(a: T): T;
  hardswish(a: T): T;
  layerNorm(x: T, parameters?: { weight?: T; bias?: T; epsilon?: number }): T;
  linear(x: T, weight: T, bias?: T): T;
  localResponseNorm(x: T, options: LocalResponseNormOptions): T;
  log(a: T): T;
  logCoshHalf(a: T): T;
  logitDistance(x: T, target: T): T;
  maximum(a: T, b: T): T;
  logSoftmax(x: T): T;
  max(x: T, axes: readonly Axis[]): T;
  maxPool2d(x: T, options: MaxPool2dOptions): T;
  mean(x: T, axes: readonly Axis[]): T;
  meanOfSquares(x: T, axes: readonly Axis[]): T;
  minimum(a: T, b: T): T;
  minkowskiDistance(x: T, target: T, p: number): T;
  mix(a: T, b: T, weight: T): T;
  mul(a: T, b: T): T;
  multiplyAdd(a: T, b: T, c: T): T;
  pad(x: T, options: { low: Triple; high: Triple }): T;
  pow(a: T, b: T): T;
  quantileDistance(x: T, target: T, q: number): T;
  radialMask(numbers: T, height: number, width: number, plateau: boolean): T;
  rearrange(x: T, options: Rearrangement): T;
  relu(a: T): T;
  relu6(a: T): T;
  robustAlpha(latent: T, options?: AdaptiveRobustOptions): T;
  robustDistance(x: T, target: T, alpha: T, c: T): T;
  robustLogPartition(alpha: T): T;
  robustLoss(x: T, alpha: T, c: T): T;
  robustNegativeLogLikelihood(x: T, alpha: T, c: T): T;
  robustScale(latent: T, options?: AdaptiveRobustOptions): T;
  resize(x: T, options: ResizeOptions): T;
  roll(x: T, shift: T): T;
  sigmoid(a: T): T;
  silu(a: T): T;
  slice(x: T, options: { start?: Triple; size?: Triple; step?: Triple }): T;
  softplus(a: T): T;
  softmax(x: T): T;
  sqrt(a: T): T;
  sub(a: T, b: T): T;
  sum(x: T, axes: readonly Axis[]): T;
  sumOfSquares(x: T, axes: readonly Axis[]): T;
  tanh(a: T): T;
  totalVariation(x: T, options?: TotalVariationOptions): T;
  tvDenoise(x: T, settings: T, sweeps: number): T;
  warp(x: T, theta: T, size?: number | readonly [number, number]): T;
  where(condition: T, a: T, b: T): T;
  xlogy(a: T, b: T): T;
}

/** An array from a formula for its elements. */
export function generate(
  shape: Shape,
  at: (n: number, c: number, y: number, x: number) => number,
): Values {
  const data = new Float64Array(shape[0] * shape[1] * shape[2] * shape[3]);
  let i = 0;
  for (let n = 0; n < shape[0]; n++) {
    for (let c = 0; c < shape[1]; c++) {
      for (let y = 0; y < shape[2]; y++) {
        for (let x = 0; x < shape[3]; x++) data[i++] = at(n, c, y, x);
      }
    }
  }
  return { shape, data };
}

/** One element. */
export function at({ shape, data }: Values, n: number, c: number, y: number, x: number): number {
  return data[((n * shape[1] + c) * shape[2] + y) * shape[3] + x]!;
}

/** One element, or zero outside the picture. */
function padded(a: Values, n: number, c: number, y: number, x: number): number {
  const inside = y >= 0 && y < a.shape[2] && x >= 0 && x < a.shape[3];
  return inside ? at(a, n, c, y, x) : 0;
}

/** f element by element; arrays of size 1 along an axis are repeated along it. */
function elementwise(f: (...values: number[]) => number, ...operands: Values[]): Values {
  const shape = [0, 1, 2, 3].map((axis) => Math.max(...operands.map((o) => o.shape[axis]!)));
  return generate(
    shape as unknown as Shape,
    (...index) =>
      f(...operands.map((o) => {
        const [n, c, y, x] = index.map((i, axis) => o.shape[axis] === 1 ? 0 : i);
        return at(o, n!, c!, y!, x!);
      })),
  );
}

/** Φ(x) = ½ + ∫₀ˣ e^(−t²/2) dt / √2π, the integral as a series of positive terms. */
function normalDistribution(x: number): number {
  const u = Math.abs(x);
  let [term, series] = [u, u];
  for (let k = 3; term > 1e-18 * series; k += 2) series += term *= u * u / k;
  const half = Math.exp(-u * u / 2) / Math.sqrt(2 * Math.PI) * series;
  return 0.5 + Math.sign(x) * half;
}

const pair = (value: number | readonly [number, number]) =>
  typeof value === "number" ? [value, value] as const : value;

function* range(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}

/** The numbers of the window at output (oy, ox) that lie inside the picture. */
function* windowOf(
  x: Values,
  n: number,
  c: number,
  [y0, x0]: [number, number],
  [kh, kw]: readonly [number, number],
  [dy, dx]: readonly [number, number],
): Generator<number> {
  for (let y = y0; y < y0 + kh * dy; y += dy) {
    for (let col = x0; col < x0 + kw * dx; col += dx) {
      if (y >= 0 && y < x.shape[2] && col >= 0 && col < x.shape[3]) yield at(x, n, c, y, col);
    }
  }
}

/** One number for each pooling window: f(its values, its first row and column). */
function pool(
  x: Values,
  options: MaxPool2dOptions,
  f: (values: number[], first: [number, number]) => number,
): Values {
  const kernel = pair(options.kernel);
  const stride = pair(options.stride ?? options.kernel);
  const padding = pair(options.padding ?? 0);
  const after = options.paddingEnd ?? padding;
  const dilation = pair(options.dilation ?? 1);
  const span = kernel.map((k, axis) => (k - 1) * dilation[axis]! + 1);
  const count = (axis: 0 | 1) => {
    const size = x.shape[axis + 2]!;
    let windows = 0; // windows that fit; in ceil mode those that start before the right padding
    for (let first = -padding[axis];; first += stride[axis], windows++) {
      const end = first + span[axis]! <= size + after[axis];
      // PyTorch's ceil mode keeps a last window that sticks out if it starts before the padding.
      const previousTouchesEnd = first - stride[axis] + span[axis]! >= size + after[axis];
      if (!end && !(options.ceilMode && first < size && !previousTouchesEnd)) return windows;
    }
  };
  return generate([x.shape[0], x.shape[1], count(0), count(1)], (n, c, oy, ox) => {
    const first: [number, number] = [oy * stride[0] - padding[0], ox * stride[1] - padding[1]];
    return f([...windowOf(x, n, c, first, kernel, dilation)], first);
  });
}

/** One number for each slice along some axes: f(its values). */
function reduceOver(
  x: Values,
  axes: readonly Axis[],
  f: (values: Iterable<number>) => number,
): Values {
  const shape = x.shape.map((size, axis) => axes.includes(axis as Axis) ? 1 : size);
  const span = (axis: Axis, i: number) => axes.includes(axis) ? range(x.shape[axis]) : [i];
  function* slice(n: number, c: number, y: number, col: number) {
    for (const i of span(0, n)) {
      for (const j of span(1, c)) {
        for (const k of span(2, y)) {
          for (const l of span(3, col)) yield at(x, i, j, k, l);
        }
      }
    }
  }
  return generate(shape as unknown as Shape, (...index) => f(slice(...index)));
}

function sumOf(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

const sumOver = (x: Values, axes: readonly Axis[]) => reduceOver(x, axes, sumOf);

/** -3 -2 -1 0 1 2 3 of five pixels is 3 2 1 0 1 2 3: the edge pixel itself is not repeated. */
function mirror(i: number, size: number): number {
  while (size > 1 && (i < 0 || i >= size)) i = i < 0 ? -i : 2 * (size - 1) - i;
  return size === 1 ? 0 : i;
}

/** PyTorch's reflection at the outer edges of the edge pixels, then clipped to pixel centres. */
function reflect(p: number, size: number): number {
  while (p < -0.5 || p > size - 0.5) p = p < -0.5 ? -1 - p : 2 * size - 1 - p;
  return Math.min(Math.max(p, 0), size - 1);
}

const wrap = (i: number, size: number) => ((i % size) + size) % size;

/** An array from its rows. */
function lines(shape: Shape, row: (n: number, c: number, y: number) => number[]): Values {
  const data = new Float64Array(shape[0] * shape[1] * shape[2] * shape[3]);
  let i = 0;
  for (const n of range(shape[0])) {
    for (const c of range(shape[1])) {
      for (const y of range(shape[2])) {
        data.set(row(n, c, y), i);
        i += shape[3];
      }
    }
  }
  return { shape, data };
}

/** The integral of the line as a staircase over each new pixel, over its width. */
function areaLine(line: number[], length: number): number[] {
  // In units of 1/length of an old pixel, where all edges are whole numbers.
  const [old, now] = [length, line.length];
  return [...range(length)].map((i) => {
    let total = 0;
    for (let unit = i * now; unit < (i + 1) * now; unit++) total += line[Math.floor(unit / old)]!;
    return total / now;
  });
}

/** OpenCV's INTER_AREA where a picture grows, in its own arithmetic: cv::resize, "area_mode". */
function enlargedLine(line: number[], length: number): number[] {
  const inverse = length / line.length;
  const scale = 1 / inverse;
  return [...range(length)].map((dx) => {
    let sx = Math.floor(dx * scale);
    let fx = Math.fround((dx + 1) - (sx + 1) * inverse);
    fx = fx <= 0 ? 0 : fx - Math.floor(fx);
    if (sx >= line.length - 1) [sx, fx] = [line.length - 1, 0];
    return line[sx]! * (1 - fx) + (fx === 0 ? 0 : line[sx + 1]! * fx);
  });
}

/** The polygon through the pixels' centres, held constant beyond its ends. */
function bilinearLine(line: number[], length: number, alignCorners: boolean): number[] {
  return [...range(length)].map((i) => {
    const centre = (i + 0.5) / length * line.length - 0.5;
    const corner = length === 1 ? 0 : i / (length - 1) * (line.length - 1);
    const p = Math.min(Math.max(alignCorners ? corner : centre, 0), line.length - 1);
    let total = 0;
    line.forEach((value, j) => total += value * Math.max(0, 1 - Math.abs(p - j)));
    return total;
  });
}

/** Interpolating cubic spline, mirrored at the ends: B-spline heights from a tridiagonal system. */
function splineLine(line: number[], length: number): number[] {
  const n = line.length;
  const heights = [...line];
  if (n > 1) {
    // c[i−1]/6 + 4·c[i]/6 + c[i+1]/6 = line[i]; at the ends both neighbours are the same one.
    const upper = line.map((_, i) => i === 0 ? 2 / 6 : 1 / 6);
    const diagonal = line.map(() => 4 / 6);
    for (let i = 1; i < n; i++) {
      const factor = (i === n - 1 ? 2 / 6 : 1 / 6) / diagonal[i - 1]!;
      diagonal[i]! -= factor * upper[i - 1]!;
      heights[i]! -= factor * heights[i - 1]!;
    }
    heights[n - 1]! /= diagonal[n - 1]!;
    for (let i = n - 2; i >= 0; i--) {
      heights[i] = (heights[i]! - upper[i]! * heights[i + 1]!) / diagonal[i]!;
    }
  }
  return [...range(length)].map((i) => {
    const p = length === 1 ? 0 : i * (n - 1) / (length - 1);
    const [k, t] = [Math.floor(p), p - Math.floor(p)];
    const pieces = [
      (1 - t) ** 3,
      4 - 6 * t ** 2 + 3 * t ** 3,
      1 + 3 * t + 3 * t ** 2 - 3 * t ** 3,
      t ** 3,
    ];
    return pieces.reduce((sum, b, j) => sum + b / 6 * heights[mirror(k - 1 + j, n)]!, 0);
  });
}

/**
 * Split-Bregman sweeps over picture n; u has a border of one pixel that never changes. Also how much
 * each sweep that was done changed, RMS.
 */
export function denoise(
  f: Values,
  n: number,
  weight: number,
  eps: number,
  sweeps: number,
): { u: Values; changes: number[] } {
  const [, channels, h, w] = f.shape;
  const lambda = 2 * weight;
  const inner = (i: number, size: number) => i < 0 ? Math.min(1, size - 1) : Math.min(i, size - 1);
  const plane = (): Values => generate([1, channels, h + 2, w + 2], () => 0);
  const u = generate(
    [1, channels, h + 2, w + 2],
    (_, c, y, x) => at(f, n, c, inner(y - 1, h), inner(x - 1, w)),
  );
  const [dx, dy, bx, by] = [plane(), plane(), plane(), plane()];
  const index = (c: number, y: number, x: number) => (c * (h + 2) + y) * (w + 2) + x;
  const changes: number[] = [];
  while (changes.length < sweeps && !(changes.at(-1)! <= eps)) {
    let squares = 0;
    for (let y = 1; y <= h; y++) {
      for (let x = 1; x <= w; x++) {
        for (let c = 0; c < channels; c++) {
          const here = index(c, y, x);
          const [west, north] = [index(c, y, x - 1), index(c, y - 1, x)];
          const before = u.data[here]!;
          const [ux, uy] = [u.data[here + 1]! - before, u.data[index(c, y + 1, x)]! - before];
          const neighbours = u.data[here + 1]! + u.data[west]! + u.data[index(c, y + 1, x)]! +
            u.data[north]!;
          const splits = dx.data[west]! - dx.data[here]! + dy.data[north]! - dy.data[here]! -
            bx.data[west]! + bx.data[here]! - by.data[north]! + by.data[here]!;
          const after = (lambda * (neighbours + splits) + weight * at(f, n, c, y - 1, x - 1)) /
            (weight + 4 * lambda);
          u.data[here] = after;
          squares += (after - before) ** 2;
          const [tx, ty] = [ux + bx.data[here]!, uy + by.data[here]!];
          const s = Math.hypot(tx, ty);
          dx.data[here] = lambda * s * tx / (1 + lambda * s);
          dy.data[here] = lambda * s * ty / (1 + lambda * s);
          bx.data[here] = tx - dx.data[here]!;
          by.data[here] = ty - dy.data[here]!;
        }
      }
    }
    changes.push(Math.sqrt(squares / (h * w * channels)));
  }
  return { u: generate([1, channels, h, w], (_, c, y, x) => at(u, 0, c, y + 1, x + 1)), changes };
}

/** f over each picture's pairs of elements of x and of the target, which is repeated. */
function perPicture(
  x: Values,
  target: Values,
  f: (pairs: [x: number, target: number][]) => number,
): Values {
  const repeated = elementwise((_, t) => t!, x, target);
  const size = x.data.length / x.shape[0];
  return generate([x.shape[0], 1, 1, 1], (n) => {
    const first = n * size;
    return f(
      Array.from({ length: size }, (_, i) => [x.data[first + i]!, repeated.data[first + i]!]),
    );
  });
}

/** The mean of f(x − t, x, t) over each picture. */
function meanDistance(
  x: Values,
  target: Values,
  f: (d: number, x: number, t: number) => number,
): Values {
  return perPicture(
    x,
    target,
    (pairs) => pairs.reduce((total, [p, t]) => total + f(p - t, p, t), 0) / pairs.length,
  );
}

/** Barron's loss, each of its cases by its own formula. */
function rho(x: number, alpha: number, c: number): number {
  const z = (x / c) ** 2;
  if (alpha === 2) return z / 2;
  if (alpha === 0) return Math.log1p(z / 2);
  if (alpha === -Infinity) return -Math.expm1(-z / 2);
  const b = Math.abs(alpha - 2);
  return b / alpha * Math.expm1(alpha / 2 * Math.log1p(z / b));
}

/** ln ∫exp(−ρ(x, α, 1))dx, with x = exp(v) and sums over v: the tails end like exp(−|v|). */
function logPartition(alpha: number): number {
  const h = 1 / 8;
  let total = 0;
  for (let v = -40; v <= 40; v += h) total += Math.exp(v - rho(Math.exp(v), alpha, 1));
  return Math.log(2 * h * total);
}

/** The references. */
export const reference: Operations<Values> = {
  abs: (a) => elementwise(Math.abs, a),
  add: (a, b) => elementwise((p, q) => p! + q!, a, b),
  affine: (a, k, l = 0) => elementwise((p) => k * p! + l, a),
  clampMin: (a, k) => elementwise((p) => Math.max(p!, k), a),
  clampTo: (a, low, high) => elementwise((p) => Math.min(Math.max(p!, low), high), a),
  detach: (a) => a,
  div: (a, b) => elementwise((p, q) => p! / q!, a, b),
  erf: (a) => elementwise((p) => 2 * normalDistribution(Math.SQRT2 * p!) - 1, a),
  exp: (a) => elementwise(Math.exp, a),
  floor: (a) => elementwise(Math.floor, a),
  gelu: (a, approximate) =>
    elementwise(
      (p) =>
        approximate === "tanh"
          ? p! / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (p! + 0.044715 * p! ** 3)))
          : p! * normalDistribution(p!),
      a,
    ),
  hardsigmoid: (a) => elementwise((p) => p! <= -3 ? 0 : p! >= 3 ? 1 : (p! + 3) / 6, a),
  finite: (a) => elementwise((p) => Number.isFinite(p) ? 1 : 0, a),
  where: (condition, a, b) => elementwise((p, q, r) => p! >= 0.5 ? q! : r!, condition, a, b),
  hardswish: (a) => elementwise((p) => p! <= -3 ? 0 : p! >= 3 ? p! : p! * (p! + 3) / 6, a),
  log: (a) => elementwise(Math.log, a),
  mix: (a, b, weight) => elementwise((p, q, r) => (1 - r!) * p! + r! * q!, a, b, weight),
  mul: (a, b) => elementwise((p, q) => p! * q!, a, b),
  multiplyAdd: (a, b, c) => elementwise((p, q, r) => p! * q! + r!, a, b, c),
  relu: (a) => elementwise((p) => p! > 0 ? p! : 0, a),
  relu6: (a) => elementwise((p) => Math.min(Math.max(p!, 0), 6), a),
  sigmoid: (a) => elementwise((p) => 1 / (1 + Math.exp(-p!)), a),
  silu: (a) => elementwise((p) => p! / (1 + Math.exp(-p!)), a),
  sqrt: (a) => elementwise(Math.sqrt, a),
  sub: (a, b) => elementwise((p, q) => p! - q!, a, b),
  tanh: (a) => elementwise(Math.tanh, a),
  expand: (a, shape) => elementwise((p) => p!, a, generate(shape, () => 0)),

  maximum: (a, b) => elementwise((p, q) => Math.max(p!, q!), a, b),
  minimum: (a, b) => elementwise((p, q) => Math.min(p!, q!), a, b),
  pow: (a, b) => elementwise((p, q) => p! ** q!, a, b),
  xlogy: (a, b) => elementwise((p, q) => p === 0 ? 0 : p! * Math.log(q!), a, b),
  softplus: (a) => elementwise((p) => p! > 30 ? p! : Math.log1p(Math.exp(p!)), a),
  logCoshHalf: (a) => elementwise((p) => 2 * Math.log(Math.cosh(p! / 2)), a),

  l1Distance: (x, target) => meanDistance(x, target, Math.abs),
  l2Distance: (x, target) => meanDistance(x, target, (d) => d * d),
  chebyshevDistance: (x, target) =>
    perPicture(x, target, (pairs) => Math.max(...pairs.map(([p, t]) => Math.abs(p - t)))),
  canberraDistance: (x, target) =>
    meanDistance(
      x,
      target,
      (d, p, t) => d === 0 ? 0 : Math.abs(d) / (Math.abs(p) + Math.abs(t)),
    ),
  minkowskiDistance(x, target, p) {
    const power = meanDistance(x, target, (d) => Math.abs(d) ** p);
    return elementwise((mean) => mean! ** (1 / p), power);
  },
  logitDistance: (x, target) => meanDistance(x, target, (d) => 2 * Math.log(Math.cosh(d / 2))),
  huberDistance: (x, target, delta) =>
    meanDistance(
      x,
      target,
      (d) => Math.abs(d) <= delta ? d * d / 2 : delta * (Math.abs(d) - delta / 2),
    ),
  quantileDistance: (x, target, q) => meanDistance(x, target, (d) => d < 0 ? -q * d : (1 - q) * d),
  robustDistance: (x, target, alpha, c) =>
    reference.mean(reference.robustLoss(reference.sub(x, target), alpha, c), [1, 2, 3]),
  robustLoss: (x, alpha, c) => elementwise((p, q, r) => rho(p!, q!, r!), x, alpha, c),
  robustLogPartition: (alpha) => elementwise((p) => logPartition(p!), alpha),
  robustNegativeLogLikelihood: (x, alpha, c) =>
    elementwise(
      (p, q, r, logZ) => rho(p!, q!, r!) + Math.log(r!) + logZ!,
      x,
      alpha,
      c,
      reference.robustLogPartition(alpha),
    ),
  robustAlpha: (latent, { alphaLow = 0.001, alphaHigh = 1.999 } = {}) =>
    elementwise((p) => alphaLow + (alphaHigh - alphaLow) / (1 + Math.exp(-p!)), latent),
  robustScale: (latent, { scaleLow = 1e-5, scaleStart = 1 } = {}) =>
    elementwise(
      (p) => scaleLow + (scaleStart - scaleLow) * Math.log1p(Math.exp(p!) * (Math.E - 1)),
      latent,
    ),
  adaptiveRobustLoss: (x, latentAlpha, latentScale, options) =>
    reference.robustNegativeLogLikelihood(
      x,
      reference.robustAlpha(latentAlpha, options),
      reference.robustScale(latentScale, options),
    ),

  batchNorm: (x, { mean, variance, weight, bias, epsilon = 1e-5 }) =>
    generate(x.shape, (n, c, y, col) => {
      const unit = (at(x, n, c, y, col) - mean.data[c]!) / Math.sqrt(variance.data[c]! + epsilon);
      return unit * (weight?.data[c] ?? 1) + (bias?.data[c] ?? 0);
    }),

  batchNormTraining(x, { weight, bias, epsilon = 1e-5 }) {
    const average = reference.mean(x, [0, 2, 3]);
    const squares = elementwise((p, m) => (p! - m!) ** 2, x, average);
    const spread = reference.mean(squares, [0, 2, 3]);
    const y = generate(x.shape, (n, c, row, col) => {
      const unit = (at(x, n, c, row, col) - average.data[c]!) /
        Math.sqrt(spread.data[c]! + epsilon);
      return unit * (weight?.data[c] ?? 1) + (bias?.data[c] ?? 0);
    });
    return { y, mean: average, variance: spread };
  },

  layerNorm(x, { weight, bias, epsilon = 1e-5 } = {}) {
    const average = reference.mean(x, [1]);
    const spread = reference.mean(elementwise((p, m) => (p! - m!) ** 2, x, average), [1]);
    const unit = elementwise((p, m, v) => (p! - m!) / Math.sqrt(v! + epsilon), x, average, spread);
    return generate(x.shape, (n, c, y, col) => {
      return at(unit, n, c, y, col) * (weight?.data[c] ?? 1) + (bias?.data[c] ?? 0);
    });
  },
  localResponseNorm: (x, { size, alpha = 1e-4, beta = 0.75, k = 1 }) =>
    generate(x.shape, (n, c, y, col) => {
      let squares = 0;
      for (const i of range(size)) {
        const neighbour = c - Math.floor(size / 2) + i;
        const inside = neighbour >= 0 && neighbour < x.shape[1];
        if (inside) squares += at(x, n, neighbour, y, col) ** 2;
      }
      return at(x, n, c, y, col) / (k + alpha * squares / size) ** beta;
    }),

  conv2d(x, weight, bias, options = {}) {
    const [sy, sx] = pair(options.stride ?? 1);
    const [py, px] = pair(options.padding ?? 0);
    const [ey, ex] = options.paddingEnd ?? [py, px];
    const [dy, dx] = pair(options.dilation ?? 1);
    const [n, , h, w] = x.shape;
    const [outputs, inputs, kh, kw] = weight.shape;
    const perGroup = outputs / (options.groups ?? 1);
    const shape: Shape = [
      n,
      outputs,
      Math.floor((h + py + ey - dy * (kh - 1) - 1) / sy + 1),
      Math.floor((w + px + ex - dx * (kw - 1) - 1) / sx + 1),
    ];
    return generate(shape, (picture, o, oy, ox) => {
      let total = bias?.data[o] ?? 0;
      const firstInput = Math.floor(o / perGroup) * inputs;
      for (let i = 0; i < inputs; i++) {
        for (let ky = 0; ky < kh; ky++) {
          for (let kx = 0; kx < kw; kx++) {
            total += at(weight, o, i, ky, kx) *
              padded(x, picture, firstInput + i, oy * sy - py + ky * dy, ox * sx - px + kx * dx);
          }
        }
      }
      return total;
    });
  },
  /** Every element of x adds its window, so many pixels from the last one's. */
  convTranspose2d(x, weight, bias, options = {}) {
    const [sy, sx] = pair(options.stride ?? 1);
    const [py, px] = pair(options.padding ?? 0);
    const [ey, ex] = options.paddingEnd ?? [py, px];
    const [dy, dx] = pair(options.dilation ?? 1);
    const [oy, ox] = pair(options.outputPadding ?? 0);
    const groups = options.groups ?? 1;
    const [n, c, h, w] = x.shape;
    const [, each, kh, kw] = weight.shape;
    const height = (h - 1) * sy - py - ey + dy * (kh - 1) + 1 + oy;
    const width = (w - 1) * sx - px - ex + dx * (kw - 1) + 1 + ox;
    const shape: Shape = [n, each * groups, height, width];
    const y = generate(shape, (_, o) => bias?.data[o] ?? 0);
    for (const i of range(n)) {
      for (const input of range(c)) {
        const first = Math.floor(input / (c / groups)) * each;
        generate(weight.shape, (from, o, ky, kx) => {
          for (const row of from === input ? range(h) : []) {
            for (const column of range(w)) {
              const [ty, tx] = [row * sy - py + ky * dy, column * sx - px + kx * dx];
              if (ty < 0 || ty >= height || tx < 0 || tx >= width) continue;
              y.data[((i * each * groups + first + o) * height + ty) * width + tx]! +=
                at(x, i, input, row, column) * at(weight, input, o, ky, kx);
            }
          }
          return 0;
        });
      }
    }
    return y;
  },
  linear: (x, weight, bias) =>
    generate([x.shape[0], weight.shape[0], 1, 1], (n, o) => {
      let total = bias?.data[o] ?? 0;
      for (const i of range(x.shape[1])) total += at(x, n, i, 0, 0) * at(weight, o, i, 0, 0);
      return total;
    }),

  maxPool2d: (x, options) => pool(x, options, (values) => Math.max(...values)),
  averagePool2d: (x, options) =>
    pool(x, options, (values, [y0, x0]) => {
      const [kh, kw] = pair(options.kernel);
      const [py, px] = pair(options.padding ?? 0);
      const total = values.reduce((a, b) => a + b, 0);
      if (options.countIncludePad === false) return total / values.length;
      // What ceil mode adds beyond the padding is not counted.
      const rows = Math.min(y0 + kh, x.shape[2] + py) - y0;
      const columns = Math.min(x0 + kw, x.shape[3] + px) - x0;
      return total / (rows * columns);
    }),

  adaptiveAveragePool2d(x, size) {
    const to = pair(size);
    const from = [x.shape[2], x.shape[3]] as const;
    /** The first pixel of a window, and the one after its last. */
    const edges = (axis: 0 | 1, o: number) =>
      [Math.floor(o * from[axis] / to[axis]), Math.ceil((o + 1) * from[axis] / to[axis])] as const;
    return generate([x.shape[0], x.shape[1], ...to], (n, c, oy, ox) => {
      const [[top, bottom], [left, right]] = [edges(0, oy), edges(1, ox)];
      const size = [bottom - top, right - left] as const;
      const window = [...windowOf(x, n, c, [top, left], size, [1, 1])];
      return window.reduce((a, b) => a + b, 0) / window.length;
    });
  },

  sum: sumOver,
  mean(x, axes) {
    const count = axes.reduce<number>((product, axis) => product * x.shape[axis], 1);
    return elementwise((p) => p! / count, sumOver(x, axes));
  },
  sumOfSquares: (x, axes) => sumOver(reference.mul(x, x), axes),
  meanOfSquares: (x, axes) => reference.mean(reference.mul(x, x), axes),
  globalAveragePool: (x) => reference.mean(x, [2, 3]),
  max: (x, axes) => reduceOver(x, axes, (values) => Math.max(...values)),

  softmax(x) {
    const e = reference.exp(x); // float64 does not overflow before e^709
    return reference.div(e, sumOver(e, [1]));
  },
  logSoftmax: (x) => reference.log(reference.softmax(x)),
  crossEntropy(logits, targets) {
    const products = reference.mul(targets, reference.logSoftmax(logits));
    return elementwise((p) => -p! / logits.shape[0], sumOver(products, [0, 1]));
  },

  slice(x, { start = [0, 0, 0], size, step = [1, 1, 1] }) {
    const all = [0, 1, 2].map((i) => Math.ceil((x.shape[i + 1]! - start[i]!) / step[i]!));
    const [c, h, w] = size ?? all;
    return generate([x.shape[0], c!, h!, w!], (n, i, j, k) => {
      return at(x, n, start[0] + i * step[0], start[1] + j * step[1], start[2] + k * step[2]);
    });
  },
  pad(x, { low, high }) {
    const [n, ...sizes] = x.shape;
    const [c, h, w] = sizes.map((size, i) => size + low[i]! + high[i]!);
    return generate([n, c!, h!, w!], (i, k, y, col) => {
      const channel = k - low[0];
      return channel < 0 || channel >= x.shape[1]
        ? 0
        : padded(x, i, channel, y - low[1], col - low[2]);
    });
  },
  /** The channels as a table, a row for each group, read by columns. */
  channelShuffle(x, groups) {
    const perGroup = x.shape[1] / groups;
    const order = [...range(perGroup)].flatMap((column) =>
      [...range(groups)].map((row) => row * perGroup + column)
    );
    return generate(x.shape, (n, c, y, col) => at(x, n, order[c]!, y, col));
  },
  /** By the elements' numbers, in the order in which the factors count them. */
  rearrange(x, { factors, order }) {
    const sizes = factors.flat();
    const shape = order.map((axis) => axis.reduce((a, f) => a * sizes[f]!, 1)) as unknown as Shape;
    const used = order.flat();
    return generate(shape, (...place) => {
      const digits = new Array<number>(sizes.length).fill(0);
      let number = place.reduce((total, p, axis) => total * shape[axis]! + p, 0);
      for (const factor of used.toReversed()) {
        digits[factor] = number % sizes[factor]!;
        number = Math.floor(number / sizes[factor]!);
      }
      return x.data[digits.reduce((total, digit, i) => total * sizes[i]! + digit, 0)]!;
    });
  },
  concat(parts) {
    const [n, , h, w] = parts[0]!.shape;
    const sources = parts.flatMap((part) =>
      [...range(part.shape[1])].map((channel) => ({ part, channel }))
    );
    return generate([n, sources.length, h, w], (i, c, y, x) => {
      return at(sources[c]!.part, i, sources[c]!.channel, y, x);
    });
  },

  gaussianBlur(x, weights) {
    const [, , h, w] = x.shape;
    const radius = weights.shape[1] - 1;
    const taps = [...range(2 * radius + 1)].map((i) => i - radius);
    const along = (f: (k: number) => number) =>
      taps.reduce((total, k) => total + weights.data[Math.abs(k)]! * f(k), 0);
    const rows = generate(x.shape, (n, c, y, col) => {
      return along((k) => at(x, n, c, y, mirror(col + k, w)));
    });
    return generate(x.shape, (n, c, y, col) => {
      return along((k) => at(rows, n, c, mirror(y + k, h), col));
    });
  },
  resize(x, { size, mode, alignCorners = false }) {
    const to = pair(size);
    const grows = to[0] > x.shape[2] || to[1] > x.shape[3];
    const along = (line: number[], length: number): number[] => {
      if (mode === "cubicSpline") return splineLine(line, length);
      if (mode === "bilinear") return bilinearLine(line, length, alignCorners);
      return grows ? enlargedLine(line, length) : areaLine(line, length);
    };
    const [n, c, h] = x.shape;
    const wide = lines([n, c, h, to[1]], (i, k, y) => {
      return along([...range(x.shape[3])].map((col) => at(x, i, k, y, col)), to[1]);
    });
    const turned = lines([n, c, to[1], to[0]], (i, k, col) => {
      return along([...range(h)].map((y) => at(wide, i, k, y, col)), to[0]);
    });
    return generate([n, c, ...to], (i, k, y, col) => at(turned, i, k, col, y));
  },
  roll: (x, { data: [dx, dy] }) =>
    generate(x.shape, (n, c, y, col) => {
      return at(x, n, c, wrap(y - dy!, x.shape[2]), wrap(col - dx!, x.shape[3]));
    }),
  warp(x, { data: theta }, size) {
    const [pictures, channels, h, w] = x.shape;
    const [rows, columns] = size === undefined
      ? [h, w]
      : typeof size === "number"
      ? [size, size]
      : size;
    return generate([pictures, channels, rows, columns], (n, c, row, column) => {
      const [u, v] = [(2 * column + 1) / columns - 1, (2 * row + 1) / rows - 1];
      const place = (i: number, size: number) => {
        const normalised = theta[i]! * u + theta[i + 1]! * v + theta[i + 2]!;
        return reflect(((normalised + 1) * size - 1) / 2, size);
      };
      const [px, py] = [place(0, w), place(3, h)];
      const [x0, y0] = [Math.floor(px), Math.floor(py)];
      const [fx, fy] = [px - x0, py - y0];
      // A pixel beyond the edge only ever has weight 0.
      return (1 - fy) * ((1 - fx) * at(x, n, c, y0, x0) + fx * padded(x, n, c, y0, x0 + 1)) +
        fy * ((1 - fx) * padded(x, n, c, y0 + 1, x0) + fx * padded(x, n, c, y0 + 1, x0 + 1));
    });
  },
  /** Finds the extremes itself, and so checks maskNumbers too. */
  radialMask({ data: [edge, sigma] }, height, width, plateau) {
    const flank = generate([1, 1, height, width], (_n, _c, y, x) => {
      const r = Math.hypot(y - Math.floor(height / 2), x - Math.floor(width / 2));
      const d = (plateau && r < edge! ? 0 : r - edge!) / sigma!;
      return Math.exp(-d * d / 2);
    });
    const [low, high] = [Math.min(...flank.data), Math.max(...flank.data)];
    return elementwise((p) => (p! - low) / (high - low), flank);
  },
  totalVariation(x, { isotropic = false, epsilon = 1e-6 } = {}) {
    const [, , h, w] = x.shape;
    const lengths = generate(x.shape, (n, c, y, col) => {
      const here = at(x, n, c, y, col);
      const dx = col + 1 < w ? at(x, n, c, y, col + 1) - here : 0;
      const dy = y + 1 < h ? at(x, n, c, y + 1, col) - here : 0;
      return isotropic ? Math.sqrt(dx ** 2 + dy ** 2 + epsilon) : Math.abs(dx) + Math.abs(dy);
    });
    return sumOver(lengths, [1, 2, 3]);
  },
  tvDenoise(x, { data: [weight, eps] }, sweeps) {
    const pictures = [...range(x.shape[0])].map((n) => denoise(x, n, weight!, eps!, sweeps).u);
    return generate(x.shape, (n, c, y, col) => at(pictures[n]!, 0, c, y, col));
  },
};

/**
 * The reference behind each operation of the graph that has none of its own name. Those of gradients
 * are covered by differences of the function they belong to.
 */
export const REFERENCE_OF: Record<
  Exclude<OperationName, "constant" | "variable" | keyof Operations<unknown>>,
  keyof Operations<unknown>
> = {
  conv2dInputGradient: "conv2d",
  conv2dWeightGradient: "conv2d",
  maxPool2dIndices: "maxPool2d",
  maxPool2dGradient: "maxPool2d",
  averagePool2dGradient: "averagePool2d",
  elementwise: "multiplyAdd",
  fusedElementwise: "multiplyAdd",
  rectifierMask: "relu",
  rectifierGradient: "relu",
  sumAxis: "sum",
  robustLossSlope: "robustLoss",
  robustLogPartitionSlope: "robustLogPartition",
  maxAxis: "max",
  centredDotAxis: "batchNormTraining",
  normalise: "batchNormTraining",
  normaliseGradient: "batchNormTraining",
  channelWindow: "localResponseNorm",
  concatPair: "concat",
  blurAxis: "gaussianBlur",
  difference: "totalVariation",
  differenceTranspose: "totalVariation",
  blurAxisTranspose: "gaussianBlur",
  resampleAxis: "resize",
  warpTranspose: "warp",
  tvDenoiseGradient: "tvDenoise",
};
