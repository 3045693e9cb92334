/** Convolutions by Winograd's algorithm: its three kernels. */
import inputSource from "../../kernels/conv/winograd_input.wgsl" with { type: "text" };
import outputSource from "../../kernels/conv/winograd_output.wgsl" with { type: "text" };
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { Geometry, Variant } from "../graph/convolution.ts";
import { type Call, workspace } from "../graph/operation.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Convolution, epilogueOf, epilogueSource } from "./epilogue.ts";
import type { ConvolutionPart } from "./part.ts";
import { isStaged, product, stagedProducts } from "./products.ts";
import { winogradOutputs, winogradTiles } from "./variants.ts";
import { inputTransform, outputTransform, packWinogradWeights, REVERSED } from "./winograd.ts";

/** For as many tiles at a time as memory is spent on. */
export function winograd(
  y: Convolution,
  gpu: Gpu,
  { x, weight, view, start }: ConvolutionPart,
  geometry: Geometry,
  { algorithm, tile, bytes }: Variant & { algorithm: "winograd2" | "winograd4" },
): Call[] {
  const r = winogradOutputs(algorithm);
  const elements = (r + 2) ** 2;
  const across = Math.ceil(geometry.size[1] / r);
  const down = Math.ceil(geometry.size[0] / r);
  const all = winogradTiles(geometry, r);
  const quads = Math.ceil(Math.max(view.inputs, view.outputs) / 4);
  const fitting = Math.min(
    Math.floor(bytes / (elements * quads * 16 * tile.pixels)) * tile.pixels,
    Math.floor(gpu.device.limits.maxTextureDimension2D / tile.pixels) * tile.pixels,
  );
  const count = Math.min(
    Math.max(fitting, tile.pixels),
    Math.ceil(all / tile.pixels) * tile.pixels,
  );
  const v = workspace([1, view.inputs, elements, count]);
  const m = workspace([1, view.outputs, elements, count]);
  const w = packWinogradWeights(weight as Tensor<"constant">, r);
  const { reads, defines } = epilogueOf(y);
  const workgroup = gpu.software ? 16 : 64;
  const tiles = { R: r, SIZE: r + 2, WORKGROUP: workgroup };
  const { place } = REVERSED[r];
  const reversed = view.transposed ? place : undefined;
  const calls: Call[] = [];
  for (let first = 0; first < all; first += count) {
    const here = Math.min(count, all - first);
    const grid = { first, count: here, across, down };
    const workgroups = (channels: number) =>
      [Math.ceil(here / workgroup), Math.ceil(channels / 4), 1] as const;
    calls.push({
      source: { name: `winograd${r}Input`, wgsl: inputSource },
      defines: { ...tiles, ...inputTransform(r) },
      reads: { x },
      writes: { v },
      parameters: { ...grid, y_start: start[0], x_start: start[1] },
      workgroups: workgroups(view.inputs),
    });
    calls.push(
      isStaged(tile)
        ? stagedProducts(v, w, m, tile, reversed)
        : product(v, w, m, tile, { batched: true, reversed }),
    );
    calls.push({
      source: { name: `winograd${r}Output`, wgsl: epilogueSource + outputSource },
      defines: { ...tiles, ...outputTransform(r, view.transposed), ...defines },
      reads: { m, ...reads },
      writes: { y },
      parameters: grid,
      workgroups: workgroups(view.outputs),
    });
  }
  return calls;
}
