/**
 * The ways a convolution can be computed, and which one to take. All give the same result but for
 * rounding; a test forces each of them in turn.
 */
import type { Gpu } from "../../kernels/runtime/device.ts";
import type {
  Algorithm,
  ChooseVariant,
  Geometry,
  StagedTile,
  Tile,
  Variant,
} from "../graph/convolution.ts";

/** All of them. */
export const ALGORITHMS: readonly Algorithm[] = [
  "direct",
  "gemm",
  "implicitGemm",
  "winograd2",
  "winograd4",
];

/** Whether an algorithm can compute a convolution. */
export function applies(algorithm: Algorithm, g: Geometry): boolean {
  if (algorithm === "direct") return true;
  if (algorithm === "implicitGemm") return g.groups === 1;
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

/** The tiles of a GPU: of a kernel that loads for itself, and of those that stage. */
interface GpuTiles {
  readonly plain: Omit<Tile, "staged">;
  /** The larger one first. */
  readonly staged: readonly [large: StagedTile, small: StagedTile];
}

/** 128 positions × 128 channels a workgroup, 8 × 8 an invocation. */
const LARGE: StagedTile = {
  quads: 2,
  pixels: 8,
  workgroup: 256,
  staged: { blocks: 16, step: 2 },
};
/** 64 positions × 64 channels a workgroup, 4 × 8 an invocation. */
const MEDIUM: StagedTile = {
  quads: 2,
  pixels: 4,
  workgroup: 128,
  staged: { blocks: 8, step: 4 },
};
/** 32 positions × 32 channels a workgroup, 4 × 4 an invocation. */
const SMALL: StagedTile = { quads: 1, pixels: 4, workgroup: 64, staged: { blocks: 8, step: 4 } };

const STAGED: readonly StagedTile[] = [LARGE, MEDIUM, SMALL];

/** Without staging: 4 × 4, 4 × 8 and 8 × 8 an invocation. */
const PLAIN: readonly Tile[] = [
  { quads: 1, pixels: 4, workgroup: 64 },
  { quads: 2, pixels: 4, workgroup: 128 },
  { quads: 2, pixels: 8, workgroup: 64 },
];

/**
 * By vendor. Guesses from what is known of registers and of how many invocations run in step (32 on
 * NVIDIA and Apple, 64 or 32 on AMD, 8 to 32 on Intel); none of it was measured: tuning does that.
 */
const GPU_TILES: Readonly<Record<string, GpuTiles>> = {
  nvidia: { plain: { quads: 2, pixels: 4, workgroup: 64 }, staged: [LARGE, SMALL] },
  amd: { plain: { quads: 2, pixels: 4, workgroup: 64 }, staged: [LARGE, SMALL] },
  apple: { plain: { quads: 2, pixels: 4, workgroup: 64 }, staged: [MEDIUM, SMALL] },
  intel: { plain: { quads: 1, pixels: 4, workgroup: 64 }, staged: [MEDIUM, SMALL] },
  other: { plain: { quads: 1, pixels: 4, workgroup: 64 }, staged: [MEDIUM, SMALL] },
};

/** Vendors by their PCI number, which is all some systems tell of them. */
const VENDORS: Readonly<Record<number, string>> = {
  0x10de: "nvidia",
  0x1002: "amd",
  0x106b: "apple",
  0x8086: "intel",
};

function gpuTiles({ adapter: { info } }: Gpu): GpuTiles {
  const vendor = VENDORS[Number(info.vendor)] ?? info.vendor.toLowerCase();
  return GPU_TILES[vendor] ?? GPU_TILES.other!;
}

/** The quads of outputs a software adapter computes together. */
function quadsOf(outputs: number): number {
  return outputs <= 4 ? 1 : outputs <= 8 ? 2 : 4;
}

/**
 * Neighbours a software adapter computes together where nothing is gained by more. Every number is
 * another pipeline, and the more it is the longer it takes to compile: 14 twice as long as 8.
 */
const NEIGHBOURS = 8;

/** Results of no more products each spend their time on storing, those of Winograd on transforming. */
const FEW_PRODUCTS = 32;

/** The tile of a kernel that loads for itself. */
function plainTile(gpu: Gpu, outputs: number, pixels: number): Tile {
  if (gpu.software) return { quads: quadsOf(outputs), pixels, workgroup: 16 };
  return { ...gpuTiles(gpu).plain, ...(outputs <= 4 ? { quads: 1 } : {}) };
}

function gemmTile(gpu: Gpu, { inputs, outputs, pictures, size }: Geometry): Tile {
  const many = inputs > FEW_PRODUCTS;
  return plainTile(gpu, outputs, many ? fitting(pictures * size[1], [14, NEIGHBOURS]) : NEIGHBOURS);
}

function directTile(gpu: Gpu, { inputs, outputs, size, kernel, stride, whole }: Geometry): Tile {
  const strided = !whole || stride[1] > 1;
  // Strided convolutions and the phases of their gradients, but for a network's first: with four
  // quads they take a sixth less time, but their four kernels nearly twice as long to compile.
  if (gpu.software && strided && inputs > 4 && outputs > 4) {
    return { quads: 2, pixels: NEIGHBOURS, workgroup: 16 };
  }
  // A network's first convolution, and the gradient of a picture.
  const larger = (strided || outputs <= 4) && inputs * kernel[0] * kernel[1] > FEW_PRODUCTS;
  return plainTile(gpu, outputs, larger ? fitting(size[1], [14, NEIGHBOURS]) : NEIGHBOURS);
}

/** The tile of a kernel that stages: the large one where that makes enough workgroups. */
function stagedTile(gpu: Gpu, outputs: number, positions: number, matrices = 1): StagedTile {
  const [large, small] = gpuTiles(gpu).staged;
  const { quads, pixels, workgroup, staged } = large;
  const workgroups = Math.ceil(positions / (pixels * workgroup / staged.blocks)) *
    Math.ceil(outputs / (4 * quads * staged.blocks)) * matrices;
  return workgroups >= ENOUGH_WORKGROUPS && outputs > 32 ? large : small;
}

/** So many workgroups keep a GPU busy. */
const ENOUGH_WORKGROUPS = 64;

/**
 * Bytes of the transformed tiles of x, and of y, that lie in memory at a time. On a processor they
 * should stay in its cache: 16→64 channels of 3 × 127² take 55 ms with 16 MB, 36 with 4, 43 with ½.
 */
const WINOGRAD_BYTES = { software: 4 * 2 ** 20, gpu: 64 * 2 ** 20 };

/** An algorithm with the tile that suits it; it must be one that {@linkcode applies}. */
export function variantOf(algorithm: Algorithm, gpu: Gpu, g: Geometry): Variant {
  switch (algorithm) {
    case "direct": {
      // With one quad of outputs a turn must do more than one column's work.
      const tile = directTile(gpu, g);
      return { algorithm, tile, rolled: gpu.software && tile.quads > 1 };
    }
    case "gemm":
      return { algorithm, tile: gemmTile(gpu, g) };
    case "implicitGemm":
      return {
        algorithm,
        tile: stagedTile(gpu, g.outputs, g.pictures * g.size[0] * g.size[1]),
      };
    default: {
      const r = winogradOutputs(algorithm);
      const tiles = winogradTiles(g, r);
      const tile = gpu.software
        ? plainTile(gpu, g.outputs, NEIGHBOURS)
        : stagedTile(gpu, g.outputs, tiles, (r + 2) ** 2);
      return {
        algorithm,
        tile,
        bytes: gpu.software ? WINOGRAD_BYTES.software : WINOGRAD_BYTES.gpu,
      };
    }
  }
}

/** What an algorithm reaches of an adapter's peak, and what memory costs it. */
interface Speed {
  readonly direct: number;
  readonly gemm: number;
  /** 0: not to be used. */
  readonly implicitGemm: number;
  /** Of the products of Winograd's algorithm. */
  readonly products: number;
  /** What an element, stored and loaded again, costs in multiply-adds. */
  readonly element: number;
}

/** Measured on lavapipe, where storing is slow, and workgroup memory slower than any other. */
const SOFTWARE: Speed = { direct: 0.43, gemm: 0.55, implicitGemm: 0, products: 0.55, element: 100 };

/** A guess: staging pays, memory moves an element in the time of 40 multiply-adds. */
const GPU: Speed = { direct: 0.15, gemm: 0.2, implicitGemm: 0.5, products: 0.5, element: 40 };

/** About how long an algorithm takes, in multiply-adds. */
function work(gpu: Gpu, algorithm: Algorithm, g: Geometry, pixels: number): number {
  const { inputs, outputs, pictures, size, kernel, groups } = g;
  const speed = gpu.software ? SOFTWARE : GPU;
  const products = inputs * outputs / groups;
  const positions = pictures * size[0] * size[1];
  const stored = speed.element * positions * outputs;
  if (algorithm !== "winograd2" && algorithm !== "winograd4") {
    return positions * kernel[0] * kernel[1] * products / speed[algorithm] + stored;
  }
  const r = winogradOutputs(algorithm);
  const tiles = Math.ceil(winogradTiles(g, r) / pixels) * pixels;
  const transformed = speed.element * (inputs + outputs) + products / speed.products;
  return tiles * (r + 2) ** 2 * transformed + stored;
}

/**
 * Whether F(4×4)'s weights, four times those of the definition, would be most of what a convolution
 * keeps in memory: 38 MB beside 0.2 MB for 512 channels of 7×7. F(2×2) needs 2.25 times less, and is
 * faster there, where a picture is only a few tiles.
 */
function weightsDominate({ inputs, outputs, pictures, size }: Geometry): boolean {
  return 36 * inputs * outputs > 32 * (inputs + outputs) * pictures * size[0] * size[1];
}

/** The algorithms a device may use for a convolution, the one that should be fastest first. */
function ranked(gpu: Gpu, g: Geometry): Variant[] {
  const usable = ALGORITHMS.filter((algorithm) =>
    applies(algorithm, g) && !(gpu.precise && algorithm.startsWith("winograd")) &&
    !(gpu.software && algorithm === "implicitGemm") &&
    !(algorithm === "winograd4" && weightsDominate(g))
  );
  return usable.map((algorithm) => {
    const variant = variantOf(algorithm, gpu, g);
    return { variant, time: work(gpu, algorithm, g, variant.tile.pixels) };
  }).sort((a, b) => a.time - b.time).map(({ variant }) => variant);
}

/** The variant a convolution gets when nothing was measured. */
export function chooseVariant(gpu: Gpu, g: Geometry): Variant {
  return ranked(gpu, g)[0]!;
}

/** The variants worth measuring for a convolution, the one it gets unmeasured first. */
export function candidates(gpu: Gpu, g: Geometry): Variant[] {
  const list = ranked(gpu, g);
  const others = list.flatMap((variant) => otherTiles(gpu, variant));
  const seen = new Set<string>();
  return [...list, ...others].filter((variant) => {
    const key = JSON.stringify(variant);
    return !seen.has(key) && seen.add(key);
  });
}

/** The same algorithm with other tiles. */
function otherTiles(gpu: Gpu, variant: Variant): Variant[] {
  const { quads } = variant.tile;
  if (variant.algorithm === "implicitGemm") return STAGED.map((tile) => ({ ...variant, tile }));
  if (gpu.software) {
    const tiles = [8, 14, 16].map((pixels) => ({ quads, pixels, workgroup: 16 }));
    const tiled = tiles.map((tile): Variant => ({ ...variant, tile }));
    return variant.algorithm === "direct"
      ? [...tiled, { ...variant, rolled: !variant.rolled }]
      : tiled;
  }
  const winograd = variant.algorithm === "winograd2" || variant.algorithm === "winograd4";
  return (winograd ? STAGED : PLAIN).map((tile) => ({ ...variant, tile }));
}

/** A choice of this variant wherever it applies, to test or measure it; the usual one elsewhere. */
export function forcing(variant: (gpu: Gpu, geometry: Geometry) => Variant): ChooseVariant {
  return (gpu, geometry) => {
    const forced = variant(gpu, geometry);
    return applies(forced.algorithm, geometry) ? forced : chooseVariant(gpu, geometry);
  };
}

/** Is told of the convolutions of a program before their variants are chosen. */
export type Prepare = (geometries: readonly Geometry[]) => Promise<void>;

const used = new WeakMap<Gpu, { choose: ChooseVariant; prepare: Prepare | undefined }>();

/** From now on programs compiled for this device choose their variants so. */
export function useVariants(gpu: Gpu, choose: ChooseVariant, prepare?: Prepare): void {
  used.set(gpu, { choose, prepare });
}

/** How a device's programs choose their variants: as {@linkcode useVariants} said, or as usual. */
export function variantsOf(gpu: Gpu): ChooseVariant {
  return used.get(gpu)?.choose ?? chooseVariant;
}

/** What must be told before, if {@linkcode useVariants} said so. */
export function preparationOf(gpu: Gpu): Prepare | undefined {
  return used.get(gpu)?.prepare;
}
