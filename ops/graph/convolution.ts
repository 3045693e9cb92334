/** A convolution as its kernels see it, and the ways it can be computed. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { Pair } from "./attributes.ts";

/** What an invocation of a convolution's kernel computes, and how many of them are a workgroup. */
export interface Tile {
  /** Quads of output channels. */
  readonly quads: number;
  /** Pixels, neighbours in a row. */
  readonly pixels: number;
  /** Invocations of a workgroup. */
  readonly workgroup: number;
  /** How a workgroup stages operands in memory of its own; not at all if left out. */
  readonly staged?: Staging;
}

/** See implicit_gemm.wgsl. */
export interface Staging {
  /** Blocks of outputs a workgroup computes; divides its invocations. */
  readonly blocks: number;
  /** Quads of inputs staged in one turn. */
  readonly step: number;
}

/** A tile of a kernel that must stage. */
export type StagedTile = Tile & { readonly staged: Staging };

/**
 * How a convolution is computed:
 * - `direct`: by its definition; the columns of the filter unrolled or `rolled` into a loop
 * - `gemm`: as a matrix product; 1×1, stride 1
 * - `implicitGemm`: as a matrix product whose operands are staged in workgroup memory; for GPUs
 * - `winograd2`, `winograd4`: see winograd.ts; 3×3, stride 1; the products staged or not
 */
export type Variant =
  | { readonly algorithm: "direct"; readonly tile: Tile; readonly rolled: boolean }
  | { readonly algorithm: "gemm"; readonly tile: Tile }
  | { readonly algorithm: "implicitGemm"; readonly tile: StagedTile }
  | {
    readonly algorithm: "winograd2" | "winograd4";
    readonly tile: Tile;
    /** Memory for transformed tiles; pictures that need more are computed piece by piece. */
    readonly bytes: number;
  };

/** The name of a way to compute a convolution. */
export type Algorithm = Variant["algorithm"];

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
export type ChooseVariant = (gpu: Gpu, geometry: Geometry) => Variant;
