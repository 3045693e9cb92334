/** Total-variation denoising. */
import source from "../../kernels/image/tv_denoise.wgsl" with { type: "text" };
import type { Gpu } from "../../kernels/runtime/device.ts";
import { largestBuffer, TEXEL } from "../../kernels/runtime/sheet.ts";
import { expectShape, expectWhole } from "../graph/check.ts";
import type { Call, Operation } from "../graph/operation.ts";
import { pad } from "../shape/slice.ts";
import { sum } from "../element/sum.ts";
import { formatShape, node, type Shape, type Tensor } from "../graph/tensor.ts";

/**
 * Turns after which some software adapters end a kernel's loops, all together, without a word. The
 * turn in which a loop finds its end counts too.
 */
const MOST_TURNS = 65535;

/** Turns of one dispatch: fewer, because the loops around them count. */
const TURNS = 60000;

/** Consecutive parts of a walk, each a dispatch of its own; a step of it may take several turns. */
export function stretches(
  turns: number,
  each = 1,
): { readonly begin: number; readonly end: number; readonly turns: number }[] {
  const most = Math.max(1, Math.floor(TURNS / each));
  return Array.from({ length: Math.max(1, Math.ceil(turns / most)) }, (_, i) => {
    return { begin: i * most, end: Math.min(turns, (i + 1) * most), turns };
  });
}

/**
 * Invocations that walk a picture together, a row each. On a software adapter barriers cost more in
 * larger workgroups, but in small ones a large picture takes too many turns.
 */
function workgroupSize(software: boolean, rows: number, columns: number): number {
  // At most, with those of the gradient, which walks anti-diagonals.
  const turns = (size: number) => Math.ceil(rows / size) * (columns + size) + 2 * (rows + columns);
  return software ? [8, 16, 32, 64].find((size) => turns(size) <= MOST_TURNS) ?? 256 : 256;
}

/**
 * scikit-image's `denoise_tv_bregman(x, weight, max_num_iter=sweeps, eps, isotropic=True)` for
 * each picture, in the same order of updates.
 *
 * Differentiable for the picture and the weight, through the sweeps that were done: where they stop
 * is taken as given. eps has no gradient.
 *
 * @param x [N,C,H,W] with at most 4 channels, in 0..1
 * @param settings [1,2,1,1]: weight (small is smooth) and eps (stop when a sweep changes less, RMS;
 * below 0 never)
 * @throws {RangeError} for more than 4 channels, settings of another shape, or sweeps that are no
 * whole number from 0.
 */
export function tvDenoise(x: Tensor, settings: Tensor, sweeps: number): Tensor<"tvDenoise"> {
  if (x.shape[1] > 4) {
    throw new RangeError(`tvDenoise: expected at most 4 channels, got ${formatShape(x.shape)}`);
  }
  expectShape("tvDenoise: settings", settings, [1, 2, 1, 1]);
  expectWhole("tvDenoise: sweeps", sweeps, 0);
  return node("tvDenoise", x.shape, [x, settings], { sweeps });
}

/** Texels of one plane of a picture's state. */
function planeTexels([, , h, w]: Shape): number {
  return (h + 2) * (w + 2);
}

/** Texels of a picture's state. */
function stateTexels(shape: Shape, parts: number): number {
  return (parts + 2) * planeTexels(shape) + 4;
}

/** Workgroups for a picture. */
type Parts = 1 | 2;

/**
 * The sweeps' dispatches, for a node of the picture's shape; for some pictures or all. With one part
 * dispatch k does sweep k, with two one more dispatch than there are sweeps is needed.
 */
export function sweepCalls(
  y: Tensor,
  { x, settings, sweeps }: { x: Tensor; settings: Tensor; sweeps: number },
  gpu: Gpu,
  parts: Parts,
  { first, count, apart = false }: { first: number; count: number; apart?: boolean } = {
    first: 0,
    count: x.shape[0],
  },
) {
  const [, channels, h, w] = x.shape;
  const workgroup = workgroupSize(gpu.software, h, w);
  const defines = { WORKGROUP: workgroup };
  const plane = planeTexels(x.shape);
  const scratch: Readonly<Record<string, number>> = apart
    ? { state: count * (plane + 4), state_x: count * plane, state_y: count * plane }
    : { state: count * stateTexels(x.shape, parts) };
  // By the ends of their functions' names; the gradient's kernel has its own.
  const memories = ["", "_x", "_y"].map((end) => ({ end, name: apart ? `state${end}` : "state" }));
  // Two parts of a size after a few sweeps; most pictures need no more than twenty.
  const split = Math.min(h, Math.ceil(h / 2) + Math.min(10, sweeps >> 1));
  const walks = [
    stretches(Math.ceil((h + 2) * (w + 2) / workgroup)),
    stretches(Math.ceil(h / workgroup) * (w + workgroup - 1)),
    stretches(Math.ceil(h * w / workgroup)),
  ];
  const phase = (PHASE: 0 | 1 | 2, dispatch: number): Call[] =>
    walks[PHASE]!.map((stretch, _, { length }) => ({
      source: { name: "tvDenoise", wgsl: source },
      defines: {
        PHASE,
        PARTS: parts,
        VEC: channels === 4 ? 4 : 3,
        STRETCHED: PHASE === 1 && length > 1,
        APART: apart,
        MEMORIES: memories,
        ...defines,
      },
      reads: { x, settings },
      writes: { y },
      scratch,
      parameters: { first, dispatch, sweeps, split, ...stretch },
      workgroups: [PHASE === 1 ? count * parts : count, 1, 1],
    }));
  return {
    setUp: phase(0, 0),
    sweep: (dispatch: number) => phase(1, dispatch),
    result: phase(2, sweeps + parts - 2),
    defines,
    scratch,
  };
}

/** Bytes of state on a software adapter: three pictures of 512 pixels, 20 of 224. */
const SOFTWARE_BYTES = 64 * 2 ** 20;

/**
 * Pictures denoised at a time. A workgroup each keeps a GPU busy only if there are many; a few are
 * enough for processors, and their state needs less memory.
 */
function picturesTogether(gpu: Gpu, shape: Shape): number {
  const most = gpu.software ? Math.min(SOFTWARE_BYTES, largestBuffer(gpu)) : largestBuffer(gpu);
  return Math.max(1, Math.floor(most / (TEXEL * stateTexels(shape, 2))));
}

/** Table entry. */
export const tvDenoiseOperation: Operation<"tvDenoise"> = {
  lower(y, gpu) {
    const [x, settings] = y.inputs as [Tensor, Tensor];
    const pictures = x.shape[0];
    const together = Math.min(pictures, picturesTogether(gpu, x.shape));
    const { sweeps } = y.attributes;
    // The state of a large picture may be more than one piece of memory holds.
    const apart = TEXEL * stateTexels(x.shape, 2) > largestBuffer(gpu);
    const parts = apart ? 1 : 2;
    const calls: Call[] = [];
    for (let first = 0; first < pictures; first += together) {
      const count = Math.min(together, pictures - first);
      const { setUp, sweep, result } = sweepCalls(y, { x, settings, sweeps }, gpu, parts, {
        first,
        count,
        apart,
      });
      const all = Array.from({ length: sweeps + parts - 1 }, (_, k) => sweep(k));
      calls.push(...setUp, ...all.flat(), ...result);
    }
    return calls;
  },
  gradient(y, dy, needs) {
    const { sweeps } = y.attributes;
    const of = (what: "picture" | "weight") =>
      node("tvDenoiseGradient", y.shape, [...y.inputs, dy], { sweeps, of: what });
    return [
      needs[0] ? of("picture") : undefined,
      needs[1]
        ? pad(sum(of("weight"), [0, 1, 2, 3]), { low: [0, 0, 0], high: [1, 0, 0] })
        : undefined,
    ];
  },
};
