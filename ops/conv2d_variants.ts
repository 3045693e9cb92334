/**
 * The ways a convolution can be computed, and which one to take. All give the same result but for
 * rounding; a test forces each of them in turn.
 */
import type { Gpu } from "../kernels/device.ts";
import type { Pair } from "./operation.ts";

/** What an invocation of a convolution's kernel computes, and how many of them are a workgroup. */
export interface Tile {
  /** Quads of output channels. */
  readonly quads: number;
  /** Pixels, neighbours in a row. */
  readonly pixels: number;
  /** Invocations of a workgroup. */
  readonly workgroup: number;
}

/**
 * How a convolution is computed:
 * - `direct`: by its definition; the columns of the filter unrolled or `rolled` into a loop
 * - `gemm`: as a matrix product; 1×1, stride 1
 * - `winograd2`, `winograd4`: see winograd.ts; 3×3, stride 1
 */
export type Variant =
  | { readonly algorithm: "direct"; readonly tile: Tile; readonly rolled: boolean }
  | { readonly algorithm: "gemm"; readonly tile: Tile }
  | {
    readonly algorithm: "winograd2" | "winograd4";
    readonly tile: Tile;
    /** Memory for transformed tiles; pictures that need more are computed piece by piece. */
    readonly bytes: number;
  };

/** The name of a way to compute a convolution. */
export type Algorithm = Variant["algorithm"];

/** All of them. */
export const ALGORITHMS: readonly Algorithm[] = ["direct", "gemm", "winograd2", "winograd4"];

/** What the choice depends on. An input gradient is a convolution too, or one for each phase. */
export interface Geometry {
  /** Pictures. */
  readonly pictures: number;
  /** Channels read. */
  readonly inputs: number;
  /** Channels written. */
  readonly outputs: number;
  /** Rows and columns written. */
  readonly size: Pair;
  /** Rows and columns of the filter. */
  readonly kernel: Pair;
  /** Pixels from one window to the next. */
  readonly stride: Pair;
  /** Pixels from one tap to the next. */
  readonly dilation: Pair;
  /** Groups of channels that do not see each other. */
  readonly groups: number;
  /** Whether the result has no gaps: it is not one phase of a strided gradient. */
  readonly whole: boolean;
  /** Whether the pictures read and written have the same size. */
  readonly sameSize: boolean;
  /** Whether the weights are known before the program runs. */
  readonly constantWeights: boolean;
}

/** Which variant a convolution gets; {@linkcode chooseVariant} unless tuning or a test says other. */
export type Choose = (gpu: Gpu, geometry: Geometry) => Variant;

/** Whether an algorithm can compute a convolution. */
export function applies(algorithm: Algorithm, g: Geometry): boolean {
  if (algorithm === "direct") return true;
  const dense = g.groups === 1 && g.whole && g.stride[0] === 1 && g.stride[1] === 1;
  if (algorithm === "gemm") {
    return dense && g.sameSize && g.kernel[0] === 1 && g.kernel[1] === 1;
  }
  return dense && g.constantWeights && g.kernel[0] === 3 && g.kernel[1] === 3 &&
    g.dilation[0] === 1 && g.dilation[1] === 1;
}

/** Outputs along each axis of a tile of Winograd's algorithm. */
export function winogradOutputs(algorithm: "winograd2" | "winograd4"): 2 | 4 {
  return algorithm === "winograd2" ? 2 : 4;
}

/** Tiles of Winograd's algorithm in all pictures. */
export function winogradTiles({ pictures, size }: Geometry, outputs: 2 | 4): number {
  return pictures * Math.ceil(size[0] / outputs) * Math.ceil(size[1] / outputs);
}

/** The number of pixels that leaves the least waste at the end of a row. */
function fitting(columns: number, choices: readonly number[]): number {
  // A tile costs about as much as its pixels and a few more, for the weights it loads.
  const cost = (pixels: number) => Math.ceil(columns / pixels) * (pixels + 4);
  return choices.reduce((best, pixels) => cost(pixels) < cost(best) ? pixels : best);
}

/** The tile of a matrix product with this many columns. Every width is another pipeline. */
function productTile(gpu: Gpu, outputs: number, columns: number): Tile {
  if (!gpu.software) return { quads: outputs <= 4 ? 1 : 2, pixels: 4, workgroup: 64 };
  const quads = outputs <= 4 ? 1 : outputs <= 8 ? 2 : 4;
  return { quads, pixels: fitting(columns, [14, 8]), workgroup: 16 };
}

function directTile(gpu: Gpu, g: Geometry): Tile {
  if (!gpu.software) return { quads: g.outputs <= 4 ? 1 : 2, pixels: 4, workgroup: 64 };
  const quads = g.outputs <= 4 ? 1 : g.outputs <= 8 ? 2 : 4;
  const pixels = fitting(g.size[1], g.stride[1] > 1 ? [16, 14, 8] : [14, 8]);
  return { quads, pixels, workgroup: 16 };
}

/** Bytes of the transformed tiles of x, and of y, that lie in memory at a time. */
const WINOGRAD_BYTES = 16 * 2 ** 20;

/** An algorithm with the tile that suits it; it must be one that {@linkcode applies}. */
export function variantOf(algorithm: Algorithm, gpu: Gpu, g: Geometry): Variant {
  switch (algorithm) {
    case "direct": {
      // With one quad of outputs a turn must do more than one column's work.
      const tile = directTile(gpu, g);
      return { algorithm, tile, rolled: gpu.software && tile.quads > 1 };
    }
    case "gemm":
      return { algorithm, tile: productTile(gpu, g.outputs, g.pictures * g.size[1]) };
    default: {
      const tiles = winogradTiles(g, winogradOutputs(algorithm));
      return { algorithm, tile: productTile(gpu, g.outputs, tiles), bytes: WINOGRAD_BYTES };
    }
  }
}

/**
 * About how long an algorithm takes, in multiply-adds. Measured on lavapipe: direct convolution
 * reaches 36 % of the peak and products 45 %, and an element of a transformed tile, which is stored
 * and loaded again, costs as much as 110 multiply-adds. A guess for GPUs.
 */
function work(algorithm: Algorithm, g: Geometry, pixels: number): number {
  const { inputs, outputs, pictures, size, kernel, groups } = g;
  const products = inputs * outputs / groups;
  if (algorithm === "direct") {
    return pictures * size[0] * size[1] * kernel[0] * kernel[1] * products / 0.36;
  }
  if (algorithm === "gemm") return pictures * size[0] * size[1] * products / 0.45;
  const r = winogradOutputs(algorithm);
  const tiles = Math.ceil(winogradTiles(g, r) / pixels) * pixels;
  return tiles * (r + 2) ** 2 * (110 * (inputs + outputs) + products / 0.45);
}

/**
 * Whether F(4×4)'s weights, four times those of the definition, would be the most of what a
 * convolution keeps in memory: 9.4 MB beside 0.4 MB for 256 channels of 14×14. F(2×2) needs 2.25 times
 * less and takes little longer there, where a picture is only a few tiles.
 */
function weightsDominate({ inputs, outputs, pictures, size }: Geometry): boolean {
  return 36 * inputs * outputs > 16 * (inputs + outputs) * pictures * size[0] * size[1];
}

/** The variant a convolution gets when nothing was measured. */
export function chooseVariant(gpu: Gpu, g: Geometry): Variant {
  let [best, least] = [variantOf("direct", gpu, g), work("direct", g, 1)];
  for (const algorithm of ALGORITHMS) {
    if (!applies(algorithm, g)) continue;
    if (gpu.precise && algorithm.startsWith("winograd")) continue;
    if (algorithm === "winograd4" && weightsDominate(g)) continue;
    const variant = variantOf(algorithm, gpu, g);
    const time = work(algorithm, g, variant.tile.pixels);
    if (time < least) [best, least] = [variant, time];
  }
  return best;
}

/** A choice of this variant wherever it applies, to test or measure it; the usual one elsewhere. */
export function forcing(variant: (gpu: Gpu, geometry: Geometry) => Variant): Choose {
  return (gpu, geometry) => {
    const forced = variant(gpu, geometry);
    return applies(forced.algorithm, geometry) ? forced : chooseVariant(gpu, geometry);
  };
}

const used = new WeakMap<Gpu, Choose>();

/** From now on programs compiled for this device choose their variants so. */
export function useVariants(gpu: Gpu, choose: Choose): void {
  used.set(gpu, choose);
}

/** How a device's programs choose their variants: as {@linkcode useVariants} said, or as usual. */
export function variantsOf(gpu: Gpu): Choose {
  return used.get(gpu) ?? chooseVariant;
}
