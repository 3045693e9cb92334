/** Element-by-element functions with broadcasting, and rectifiers. */
import elementwiseSource from "../../kernels/element/elementwise.wgsl" with { type: "text" };
import functionsSource from "../../kernels/element/functions.wgsl" with { type: "text" };
import type { Gpu } from "../../kernels/runtime/device.ts";
import { type Call, type Operation, perTexel, repeatedAxes } from "../graph/operation.ts";
import { rectifierGradient } from "./rectifier_mask.ts";
import { sumTo } from "./sum.ts";
import {
  constant,
  formatShape,
  node,
  sameShape,
  type Shape,
  type Tensor,
} from "../graph/tensor.ts";
import type { ElementwiseAttributes } from "../graph/attributes.ts";

/** What a kernel calls the operands of an element function and its numbers. */
type Names = Readonly<Record<"a" | "b" | "c" | "k" | "l", string>>;

/** A function of up to three operands a, b, c and the numbers k, l. */
interface ElementFunction {
  /** WGSL on `vec4f`, for operands that are names. */
  readonly wgsl: (names: Names) => string;
  /**
   * It takes an instruction or two: computing it again for each texel, where a smaller tensor would
   * be repeated, costs nothing beside the texel's own way to memory.
   */
  readonly cheap?: true;
  /** Gradients for the operands, before broadcasting is undone; dy has y's shape. */
  readonly gradient: (
    dy: Tensor,
    inputs: readonly Tensor[],
    y: Tensor<"elementwise">,
  ) => (Tensor | undefined)[];
  /** The same for numbers, for what is worth computing from constants before a program runs. */
  readonly host?: (a: number, b: number, k: number, l: number) => number;
}

/**
 * One row each. A row's gradient calls functions by their declarations below, never by a row's name:
 * so the names are these rows' keys, written nowhere else.
 */
const FUNCTIONS = {
  identity: { cheap: true, wgsl: ({ a }) => `${a}`, gradient: (dy) => [dy] },
  /** The same value, without a gradient. */
  detach: { cheap: true, wgsl: ({ a }) => `${a}`, gradient: () => [] },
  add: { cheap: true, wgsl: ({ a, b }) => `${a} + ${b}`, gradient: (dy) => [dy, dy] },
  sub: {
    cheap: true,
    wgsl: ({ a, b }) => `${a} - ${b}`,
    gradient: (dy) => [dy, affine(dy, -1)],
    host: (a, b) => a - b,
  },
  mul: {
    cheap: true,
    wgsl: ({ a, b }) => `${a} * ${b}`,
    gradient: (dy, [a, b]) => [mul(dy, b!), mul(dy, a!)],
    host: (a, b) => a * b,
  },
  div: {
    wgsl: ({ a, b }) => `${a} / ${b}`,
    gradient: (dy, [, b], y) => [div(dy, b!), affine(mul(dy, div(y, b!)), -1)],
  },
  /** a·b + c. */
  multiplyAdd: {
    cheap: true,
    wgsl: ({ a, b, c }) => `${a} * ${b} + ${c}`,
    gradient: (dy, [a, b]) => [mul(dy, b!), mul(dy, a!), dy],
  },
  /** k·a + l. */
  affine: {
    cheap: true,
    wgsl: ({ a, k, l }) => `${k} * ${a} + ${l}`,
    gradient: (dy, _, y) => [affine(dy, y.attributes.k)],
  },
  relu: {
    cheap: true,
    wgsl: ({ a }) => `max(${a}, vec4f())`,
    gradient: (dy, _, y) => [rectifierGradient(dy, y, "relu")],
  },
  relu6: {
    cheap: true,
    wgsl: ({ a }) => `clamp(${a}, vec4f(), vec4f(6))`,
    gradient: (dy, _, y) => [rectifierGradient(dy, y, "relu6")],
  },
  abs: { cheap: true, wgsl: ({ a }) => `abs(${a})`, gradient: (dy, [a]) => [mul(dy, sign(a!))] },
  sign: { cheap: true, wgsl: ({ a }) => `sign(${a})`, gradient: () => [] },
  floor: { cheap: true, wgsl: ({ a }) => `floor(${a})`, gradient: () => [] },
  sqrt: { wgsl: ({ a }) => `sqrt(${a})`, gradient: (dy, _, y) => [affine(div(dy, y), 0.5)] },
  /** 1/√(a + k). */
  inverseDeviation: {
    wgsl: ({ a, k }) => `inverseSqrt(${a} + ${k})`,
    gradient: (dy, _, y) => [affine(mul(mul(dy, y), mul(y, y)), -0.5)],
    host: (a, _, k) => 1 / Math.sqrt(a + k),
  },
  exp: { wgsl: ({ a }) => `exp(${a})`, gradient: (dy, _, y) => [mul(dy, y)] },
  log: { wgsl: ({ a }) => `log(${a})`, gradient: (dy, [a]) => [div(dy, a!)] },
  sigmoid: { wgsl: ({ a }) => `sigmoid(${a})`, gradient: (dy, _, y) => [sigmoidGradient(dy, y)] },
  /** dy·b·(1 − b), where b is the sigmoid. */
  sigmoidGradient: {
    wgsl: ({ a, b }) => `${a} * ${b} * (1 - ${b})`,
    gradient: (d, [dy, b]) => [
      sigmoidGradient(d, b!),
      mul(mul(d, dy!), affine(b!, -2, 1)),
    ],
  },
  tanh: { wgsl: ({ a }) => `tanh_accurate(${a})`, gradient: (dy, _, y) => [tanhGradient(dy, y)] },
  /** dy·(1 − b²), where b is the hyperbolic tangent. */
  tanhGradient: {
    wgsl: ({ a, b }) => `${a} * (1 - ${b}) * (1 + ${b})`,
    gradient: (d, [dy, b]) => [tanhGradient(d, b!), affine(mul(mul(d, dy!), b!), -2)],
  },
  hardsigmoid: {
    wgsl: ({ a }) => `clamp(${a} + 3, vec4f(), vec4f(6)) / 6`,
    gradient: (dy, [a]) => [hardsigmoidGradient(dy, a!)],
  },
  /** dy/6 where |b| < 3. */
  hardsigmoidGradient: {
    wgsl: ({ a, b }) => `select(vec4f(), ${a} / 6, abs(${b}) < vec4f(3))`,
    gradient: (d, [, b]) => [hardsigmoidGradient(d, b!)],
  },
  hardswish: {
    wgsl: ({ a }) => `${a} * (clamp(${a} + 3, vec4f(), vec4f(6)) / 6)`,
    gradient: (dy, [a]) => [hardswishGradient(dy, a!)],
  },
  /** dy·(b/3 + ½) where −3 ≤ b ≤ 3, dy above; the slopes at the kinks are those from inside. */
  hardswishGradient: {
    wgsl: ({ a, b }) =>
      `select(select(${a} * (${b} / 3 + 0.5), ${a}, ${b} > vec4f(3)), vec4f(), ${b} < vec4f(-3))`,
    gradient: (d, [dy, b]) => [
      hardswishGradient(d, b!),
      affine(hardsigmoidGradient(mul(d, dy!), b!), 2),
    ],
  },
  silu: { wgsl: ({ a }) => `${a} * sigmoid(${a})`, gradient: (dy, [a]) => [siluGradient(dy, a!)] },
  /** dy·s·(1 + b·(1 − s)), where s is the sigmoid of b. */
  siluGradient: {
    wgsl: ({ a, b }) => `${a} * sigmoid(${b}) * (1 + ${b} * sigmoid(-${b}))`,
    gradient(d, [dy, b]) {
      const s = sigmoid(b!);
      const slope = sigmoidGradient(mul(d, dy!), s);
      return [
        siluGradient(d, b!),
        mul(slope, affine(mul(b!, affine(s, -2, 1)), 1, 2)),
      ];
    },
  },
  /** (2/√π)·∫₀ᵃ e^(−t²) dt. */
  erf: {
    wgsl: ({ a }) => `error_function(${a})`,
    gradient: (dy, [a]) => [
      mul(dy, affine(exp(affine(mul(a!, a!), -1)), 2 / Math.sqrt(Math.PI))),
    ],
  },
  gelu: {
    wgsl: ({ a }) => `${a} * normal_cdf(${a})`,
    gradient: (dy, [a]) => [geluGradient(dy, a!)],
  },
  /** dy·(Φ(b) + b·φ(b)), of which the derivative is φ(b)·(2 − b²). */
  geluGradient: {
    wgsl: ({ a, b }) => `${a} * gelu_slope(${b})`,
    gradient(d, [dy, b]) {
      const square = mul(b!, b!);
      const density = affine(exp(affine(square, -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return [
        geluGradient(d, b!),
        mul(mul(d, dy!), mul(density, affine(square, -1, 2))),
      ];
    },
  },
  geluTanh: {
    wgsl: ({ a }) => `${a} * gelu_gate(${a})`,
    gradient: (dy, [a]) => [geluTanhGradient(dy, a!)],
  },
  /** dy·(b·s)′, where s is the sigmoid of v = √(8/π)·(b + 0.044715·b³). */
  geluTanhGradient: {
    wgsl: ({ a, b }) => `${a} * gelu_tanh_slope(${b})`,
    gradient(d, [dy, b]) {
      // (b·s)″ = s·(1 − s)·(2·v′ + b·((1 − 2·s)·v′² + v″))
      const k = Math.sqrt(8 / Math.PI);
      const square = mul(b!, b!);
      const v = mul(b!, affine(square, k * 0.044715, k));
      // s·(1 − s) is even, and exact on the left, where 1 − s does not cancel.
      const left = sigmoid(affine(abs(v), -1));
      const v1 = affine(square, 3 * k * 0.044715, k);
      const v2 = affine(b!, 6 * k * 0.044715);
      const curvature = add(mul(affine(sigmoid(v), -2, 1), mul(v1, v1)), v2);
      return [
        geluTanhGradient(d, b!),
        mul(
          sigmoidGradient(mul(d, dy!), left),
          add(affine(v1, 2), mul(b!, curvature)),
        ),
      ];
    },
  },
  /** max(a, k); the gradient passes where a ≥ k. */
  clampMin: {
    cheap: true,
    wgsl: ({ a, k }) => `max(${a}, vec4f(${k}))`,
    gradient: (dy, [a], y) => [mul(dy, atLeast(a!, y.attributes.k))],
  },
  /** 1 where a ≥ k, else 0. */
  atLeast: {
    cheap: true,
    wgsl: ({ a, k }) => `select(vec4f(), vec4f(1), ${a} >= vec4f(${k}))`,
    gradient: () => [],
  },
  /** a clamped to [k, l]; the gradient passes where k ≤ a ≤ l. */
  clampTo: {
    cheap: true,
    wgsl: ({ a, k, l }) => `clamp(${a}, vec4f(${k}), vec4f(${l}))`,
    gradient: (dy, [a], { attributes: { k, l } }) => [mul(dy, within(a!, k, l))],
  },
  /** 1 where k ≤ a ≤ l, else 0. */
  within: {
    cheap: true,
    wgsl: ({ a, k, l }) =>
      `select(vec4f(), vec4f(1), (${a} >= vec4f(${k})) & (${a} <= vec4f(${l})))`,
    gradient: () => [],
  },
  /** 1 where a ≥ b, else 0. */
  notLess: {
    cheap: true,
    wgsl: ({ a, b }) => `select(vec4f(), vec4f(1), ${a} >= ${b})`,
    gradient: () => [],
  },
  maximum: {
    cheap: true,
    wgsl: ({ a, b }) => `max(${a}, ${b})`,
    gradient: (dy, [a, b]) => shareOut(dy, sub(a!, b!)),
  },
  minimum: {
    cheap: true,
    wgsl: ({ a, b }) => `min(${a}, ${b})`,
    gradient: (dy, [a, b]) => shareOut(dy, sub(b!, a!)),
  },
  pow: {
    wgsl: ({ a, b }) => `power(${a}, ${b})`,
    gradient: (dy, [a, b], y) => [
      mul(dy, mul(b!, pow(a!, affine(b!, 1, -1)))),
      mul(dy, xlogy(y, a!)),
    ],
  },
  /** a·ln b; 0 where a = 0, whatever b. */
  xlogy: {
    wgsl: ({ a, b }) => `select(${a} * log(max(${b}, vec4f(1e-37))), vec4f(), ${a} == vec4f())`,
    gradient: (dy, [a, b]) => [xlogy(dy, b!), mul(dy, div(a!, b!))],
  },
  softplus: { wgsl: ({ a }) => `softplus(${a})`, gradient: (dy, [a]) => [mul(dy, sigmoid(a!))] },
  logCoshHalf: {
    wgsl: ({ a }) => `log_cosh_half(${a})`,
    gradient: (dy, [a]) => [mul(dy, tanh(affine(a!, 0.5)))],
  },
  /** 1 where a is a number, 0 where it is NaN or infinite: by its bits, because WGSL knows neither. */
  finite: {
    cheap: true,
    wgsl: ({ a }) =>
      `select(vec4f(1), vec4f(), (bitcast<vec4u>(${a}) & vec4u(0x7f800000)) == vec4u(0x7f800000))`,
    gradient: () => [],
  },
  /** b where a ≥ ½, else c. */
  where: {
    cheap: true,
    wgsl: ({ a, b, c }) => `select(${c}, ${b}, ${a} >= vec4f(0.5))`,
    // Chosen again, not multiplied by 0 and 1: what is not chosen may be NaN.
    gradient: (dy, [a]) => [undefined, where(a!, dy, ZERO), where(a!, ZERO, dy)],
  },
  /** a + (b − a)·c. */
  mix: {
    cheap: true,
    wgsl: ({ a, b, c }) => `${a} + (${b} - ${a}) * ${c}`,
    gradient: (dy, [a, b, c]) => [
      mul(dy, affine(c!, -1, 1)),
      mul(dy, c!),
      mul(dy, sub(b!, a!)),
    ],
  },
} satisfies Record<string, ElementFunction>;

/** The name of an element function. */
export type ElementFunctionName = keyof typeof FUNCTIONS;

/** The same rows for the names in a graph, which are those of {@linkcode make}. */
const ROWS: Readonly<Record<string, ElementFunction>> = FUNCTIONS;

/** The names of all element functions, for tests. */
export const ELEMENT_FUNCTIONS = Object.keys(FUNCTIONS) as ElementFunctionName[];

const ZERO = constant([1, 1, 1, 1], () => new Float32Array(1));

/** dy for the first operand where it wins by a positive margin, else for the second; at 0 half each. */
function shareOut(dy: Tensor, margin: Tensor): Tensor[] {
  const who = sign(margin);
  return [mul(dy, affine(who, 0.5, 0.5)), mul(dy, affine(who, -0.5, 0.5))];
}

/**
 * The shape two or more operands have in common after broadcasting.
 *
 * @throws {RangeError} when sizes differ and none is 1.
 */
export function broadcast(f: string, inputs: readonly Tensor[]): Shape {
  const shape = [0, 1, 2, 3].map((axis) => Math.max(...inputs.map((i) => i.shape[axis]!)));
  for (const input of inputs) {
    if (input.shape.some((size, axis) => size !== 1 && size !== shape[axis])) {
      const shapes = inputs.map((i) => formatShape(i.shape)).join(" and ");
      throw new RangeError(`${f}: ${shapes} do not go together; sizes must be equal or 1`);
    }
  }
  return shape as unknown as Shape;
}

function make(f: ElementFunctionName, inputs: Tensor[], k = 0, l = 0): Tensor<"elementwise"> {
  if (Number.isNaN(k) || Number.isNaN(l)) {
    throw new RangeError(`${f}: expected numbers, got ${k} and ${l}`);
  }
  return node("elementwise", broadcast(f, inputs), inputs, { f, k, l });
}

/** A function of one operand. */
function unary(f: ElementFunctionName, a: Tensor, k = 0, l = 0): Tensor<"elementwise"> {
  return make(f, [a], k, l);
}

/** A function of two operands. */
function binary(f: ElementFunctionName, a: Tensor, b: Tensor): Tensor<"elementwise"> {
  return make(f, [a, b]);
}

// The functions that only gradients need.
function sign(a: Tensor): Tensor {
  return unary("sign", a);
}
function atLeast(a: Tensor, k: number): Tensor {
  return unary("atLeast", a, k);
}
function within(a: Tensor, low: number, high: number): Tensor {
  return unary("within", a, low, high);
}
function sigmoidGradient(dy: Tensor, b: Tensor): Tensor {
  return binary("sigmoidGradient", dy, b);
}
function tanhGradient(dy: Tensor, b: Tensor): Tensor {
  return binary("tanhGradient", dy, b);
}
function hardsigmoidGradient(dy: Tensor, b: Tensor): Tensor {
  return binary("hardsigmoidGradient", dy, b);
}
function hardswishGradient(dy: Tensor, b: Tensor): Tensor {
  return binary("hardswishGradient", dy, b);
}
function siluGradient(dy: Tensor, b: Tensor): Tensor {
  return binary("siluGradient", dy, b);
}
function geluGradient(dy: Tensor, b: Tensor): Tensor {
  return binary("geluGradient", dy, b);
}
function geluTanhGradient(dy: Tensor, b: Tensor): Tensor {
  return binary("geluTanhGradient", dy, b);
}

/** a + b */
export function add(a: Tensor, b: Tensor): Tensor {
  return binary("add", a, b);
}
/** a − b */
export function sub(a: Tensor, b: Tensor): Tensor {
  return binary("sub", a, b);
}
/** a · b */
export function mul(a: Tensor, b: Tensor): Tensor {
  return binary("mul", a, b);
}
/** a / b */
export function div(a: Tensor, b: Tensor): Tensor {
  return binary("div", a, b);
}
/** a · b + c */
export function multiplyAdd(a: Tensor, b: Tensor, c: Tensor): Tensor {
  return make("multiplyAdd", [a, b, c]);
}
/** k·a + l with numbers k and l. */
export function affine(a: Tensor, k: number, l = 0): Tensor {
  return unary("affine", a, k, l);
}
/** max(a, 0) */
export function relu(a: Tensor): Tensor {
  return unary("relu", a);
}
/** min(max(a, 0), 6) */
export function relu6(a: Tensor): Tensor {
  return unary("relu6", a);
}
/** |a|, with gradient 0 at 0 as in PyTorch. */
export function abs(a: Tensor): Tensor {
  return unary("abs", a);
}
/** The largest whole number not above a; no gradient. */
export function floor(a: Tensor): Tensor {
  return unary("floor", a);
}
/** √a */
export function sqrt(a: Tensor): Tensor {
  return unary("sqrt", a);
}
/** 1/√(a + k) with a number k: of a variance. */
export function inverseDeviation(a: Tensor, k: number): Tensor {
  return unary("inverseDeviation", a, k);
}
/** eᵃ, to float32's infinity from 88.73 on. */
export function exp(a: Tensor): Tensor {
  return unary("exp", a);
}
/** The natural logarithm of a > 0. */
export function log(a: Tensor): Tensor {
  return unary("log", a);
}
/** 1/(1 + e⁻ᵃ), for any a: the exponential in it is never above 1. */
export function sigmoid(a: Tensor): Tensor {
  return unary("sigmoid", a);
}
/** (eᵃ − e⁻ᵃ)/(eᵃ + e⁻ᵃ), for any a. */
export function tanh(a: Tensor): Tensor {
  return unary("tanh", a);
}
/** `torch.nn.Hardsigmoid`: relu6(a + 3)/6, with gradient 0 at ±3. */
export function hardsigmoid(a: Tensor): Tensor {
  return unary("hardsigmoid", a);
}
/** `torch.nn.Hardswish`: a·relu6(a + 3)/6, with the gradients −½ at −3 and 1½ at 3. */
export function hardswish(a: Tensor): Tensor {
  return unary("hardswish", a);
}
/** `torch.nn.SiLU`, also called swish: a/(1 + e⁻ᵃ), for any a. */
export function silu(a: Tensor): Tensor {
  return unary("silu", a);
}
/** `torch.erf`: the error function, (2/√π)·∫₀ᵃ e^(−t²) dt. */
export function erf(a: Tensor): Tensor {
  return unary("erf", a);
}
/**
 * `torch.nn.GELU`: a·Φ(a), where Φ is the normal distribution function, (1 + erf(a/√2))/2; or with
 * "tanh" its approximation a·(1 + tanh(√(2/π)·(a + 0.044715·a³)))/2 (Hendrycks & Gimpel 2016).
 */
export function gelu(a: Tensor, approximate: "none" | "tanh" = "none"): Tensor {
  return unary(approximate === "tanh" ? "geluTanh" : "gelu", a);
}
/** max(a, k) with a number k. */
export function clampMin(a: Tensor, k: number): Tensor {
  return unary("clampMin", a, k);
}
/**
 * a clamped to the numbers [low, high]; the gradient passes inside, the bounds included.
 *
 * @throws {RangeError} when low is above high.
 */
export function clampTo(a: Tensor, low: number, high: number): Tensor {
  if (low > high) throw new RangeError(`clampTo: expected low ≤ high, got ${low} and ${high}`);
  return unary("clampTo", a, low, high);
}
/** max(a, b); equal ones share the gradient, as in PyTorch. */
export function maximum(a: Tensor, b: Tensor): Tensor {
  return binary("maximum", a, b);
}
/** min(a, b); equal ones share the gradient, as in PyTorch. */
export function minimum(a: Tensor, b: Tensor): Tensor {
  return binary("minimum", a, b);
}
/** aᵇ for a > 0. Where a ≤ 0 it is 0, its gradient too; a⁰ = 1. */
export function pow(a: Tensor, b: Tensor): Tensor {
  return binary("pow", a, b);
}
/** a·ln b for b > 0, and 0 where a = 0. */
export function xlogy(a: Tensor, b: Tensor): Tensor {
  return binary("xlogy", a, b);
}
/** ln(1 + eᵃ), for any a. */
export function softplus(a: Tensor): Tensor {
  return unary("softplus", a);
}
/** 2·ln cosh(a/2), for any a: a²/4 near 0, |a| − 2·ln 2 far out. */
export function logCoshHalf(a: Tensor): Tensor {
  return unary("logCoshHalf", a);
}
/** 1 where a ≥ b, else 0. */
export function notLess(a: Tensor, b: Tensor): Tensor {
  return binary("notLess", a, b);
}
/**
 * 1 where a is a number, 0 where it is NaN or infinite; no gradient. It asks the bits of a, because
 * compilers may assume that there is no NaN.
 */
export function finite(a: Tensor): Tensor {
  return unary("finite", a);
}
/**
 * a where the condition is ½ or more, else b: an exact copy, whatever the other one is; so is the
 * gradient, of which the condition gets none.
 */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  return make("where", [condition, a, b]);
}
/** a + (b − a)·weight */
export function mix(a: Tensor, b: Tensor, weight: Tensor): Tensor {
  return make("mix", [a, b, weight]);
}
/**
 * a repeated along its axes of size 1.
 *
 * @throws {RangeError} when another size differs.
 */
export function expand(a: Tensor, shape: Shape): Tensor {
  if (sameShape(a.shape, shape)) return a;
  if (a.shape.some((size, axis) => size !== 1 && size !== shape[axis])) {
    throw new RangeError(
      `expand: ${formatShape(a.shape)} cannot be repeated to ${formatShape(shape)}; each of its ` +
        `sizes must be 1 or the same`,
    );
  }
  return node("elementwise", shape, [a], { f: "identity", k: 0, l: 0 });
}
/** The same value, without a gradient. */
export function detach(a: Tensor): Tensor {
  return unary("detach", a);
}
/** A node that copies a tensor, whatever it is. */
export function copy(a: Tensor): Tensor<"elementwise"> {
  return unary("identity", a);
}

const source = elementwiseSource + functionsSource;

/**
 * How many texels an invocation computes. Software adapters look up addresses and sizes once for
 * four then: 10 to 25 % less time, if a workgroup's rows are not much longer than the picture's. On
 * GPUs neighbouring invocations read neighbouring texels.
 */
function texelsInARow(gpu: Gpu, y: Tensor): number {
  return gpu.software && y.shape[3] >= 48 ? 4 : 1;
}

/** What expressions call the inputs of y. */
export function operandNames(y: Tensor): string[] {
  return y.inputs.map((_, i) => "abcdefg"[i]!);
}

/**
 * The texels of its operands that an invocation loads for so many texels of y, and which of them each is
 * a function of. An operand whose size is 1 along an axis is repeated along it.
 */
function operandTexels(y: Tensor, texels: number) {
  const operands = operandNames(y).map((name, i) => {
    const [picture, channel, row, column] = repeatedAxes(y.inputs[i]!, y.shape);
    const load = (x: string) => {
      const texel = (quad: string) =>
        `load_${name}(${picture ? "0" : "n"}, ${quad}, ${row ? "0" : "y"}, ${x})`;
      return channel ? `vec4f(${texel("0")}.x)` : texel("quad");
    };
    const count = column ? 1 : texels;
    return {
      loaded: Array.from({ length: count }, (_, j) => `${name}${j}`),
      loads: Array.from({ length: count }, (_, j) => load(column ? "0" : `x + ${j}`)),
    };
  });
  return {
    LOADED: operands.flatMap(({ loaded }) => loaded),
    LOADS: operands.flatMap(({ loads }) => loads),
    ARGUMENTS: Array.from(
      { length: texels },
      (_, j) => operands.map(({ loaded }) => loaded[j] ?? loaded[0]).join(", "),
    ),
  };
}

/**
 * The dispatch that computes y from a WGSL expression of its inputs, `a` to `g`, which are repeated
 * where their size is 1.
 *
 * @param functions WGSL of what it calls besides those of kernels/functions.wgsl
 */
export function elementwiseCall(
  gpu: Gpu,
  name: string,
  y: Tensor,
  expression: string,
  { scalars = {}, functions = "" }: {
    scalars?: Readonly<Record<string, number>>;
    functions?: string;
  } = {},
): Call {
  const names = operandNames(y);
  const texels = texelsInARow(gpu, y);
  return {
    source: { name, wgsl: source + functions },
    defines: {
      PARAMETERS: names.map((operand) => `${operand}: vec4f`).join(", "),
      EXPRESSION: expression,
      TEXELS: texels,
      ...operandTexels(y, texels),
    },
    reads: Object.fromEntries(y.inputs.map((input, i) => [names[i]!, input])),
    writes: { y },
    scalars,
    workgroups: perTexel(y, texels),
  };
}

/** The WGSL of an element function of so named operands and numbers. */
export function expressionOf(f: string, operands: readonly string[], k: string, l: string): string {
  const [a = "", b = "", c = ""] = operands;
  return ROWS[f]!.wgsl({ a, b, c, k, l });
}

/** Whether an element function takes no more than an instruction or two. */
export function isCheap(f: string): boolean {
  return ROWS[f]!.cheap ?? false;
}

/** The values of an element function of constants of one shape; undefined where it has no host. */
export function onHost(
  { f, k, l }: ElementwiseAttributes,
  [a, b = a]: readonly Tensor<"constant">[],
): (() => Float32Array) | undefined {
  const { host } = ROWS[f]!;
  return host && (() => {
    const [p, q] = [a!.attributes.load(), b!.attributes.load()];
    return p.map((value, i) => host(value, q[i]!, k, l));
  });
}

/** Table entry. */
export const elementwiseOperation: Operation<"elementwise"> = {
  lower(y, gpu) {
    const { f, k, l } = y.attributes;
    const expression = expressionOf(f, operandNames(y), "P.k", "P.l");
    return [elementwiseCall(gpu, f, y, expression, { scalars: { k, l } })];
  },
  gradient(y, dy) {
    const { gradient } = ROWS[y.attributes.f]!;
    return gradient(dy, y.inputs, y).map((g, i) => g && sumTo(g, y.inputs[i]!.shape));
  },
};
