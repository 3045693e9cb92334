/** Every way to compute a convolution. */
import type { Variant } from "../../ops/graph/convolution.ts";

const GPU_TILE = { quads: 2, pixels: 4, workgroup: 64 };
const ODD_TILE = { quads: 1, pixels: 5, workgroup: 16 };
const BIG_TILE = { quads: 4, pixels: 8, workgroup: 16 };
const STAGED_TILE = { quads: 1, pixels: 4, workgroup: 64, staged: { blocks: 8, step: 4 } };
const ODD_STAGED_TILE = { quads: 2, pixels: 3, workgroup: 20, staged: { blocks: 4, step: 3 } };
const bytes = 2 ** 24;

/** All that are dense, or in groups, for x: depthwise ones and weights have kernels of their own. */
const GENERAL = /^(?!.*(depthwise|weights)).*onvolution/;

/** What is forced, and the names of the cases it is forced on. */
export const VARIANTS: [string, Variant, RegExp][] = [
  ["direct, unrolled", { algorithm: "direct", tile: GPU_TILE, rolled: false }, GENERAL],
  ["direct, rolled", { algorithm: "direct", tile: ODD_TILE, rolled: true }, GENERAL],
  ["gemm", { algorithm: "gemm", tile: GPU_TILE }, /^1x1(?!.*weights)/],
  ["gemm, odd tile", { algorithm: "gemm", tile: ODD_TILE }, /^1x1(?!.*weights)/],
  ["implicitGemm", { algorithm: "implicitGemm", tile: STAGED_TILE }, GENERAL],
  ["implicitGemm, odd tile", { algorithm: "implicitGemm", tile: ODD_STAGED_TILE }, GENERAL],
  ["winograd2", { algorithm: "winograd2", tile: BIG_TILE, bytes }, /^3x3 convolution( with|$)/],
  ["winograd4", { algorithm: "winograd4", tile: BIG_TILE, bytes }, /^3x3 convolution( with|$)/],
  ["winograd4, odd tile", { algorithm: "winograd4", tile: ODD_TILE, bytes }, /^3x3 convolution$/],
  ["winograd2, staged", { algorithm: "winograd2", tile: STAGED_TILE, bytes }, /^3x3 convolution$/],
  [
    "winograd4, staged, odd tile",
    { algorithm: "winograd4", tile: ODD_STAGED_TILE, bytes },
    /^3x3 convolution$/,
  ],
  // Memory for one tile of the product: the picture falls into pieces.
  ["winograd2, pieces", { algorithm: "winograd2", tile: GPU_TILE, bytes: 1 }, /^3x3 convolution$/],
  ["winograd4, pieces", { algorithm: "winograd4", tile: GPU_TILE, bytes: 1 }, /^3x3 convolution$/],
];
