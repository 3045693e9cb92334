/**
 * Statistics of photos: the mean and deviation of each channel, in several layers, are to be those that
 * the layers have for photos (Gatys et al. 2015 and Huang & Belongie 2017 call these a texture's style).
 */
import type { Gpu } from "../../kernels/runtime/device.ts";
import {
  add,
  affine,
  clampMin,
  compile,
  concat,
  globalAveragePool,
  meanOfSquares,
  mul,
  sqrt,
  sub,
  sumOfSquares,
  type Tensor,
  Variable,
} from "../../ops/mod.ts";
import type { Viewer } from "../network.ts";
import { type Objective, objectiveOf } from "./objective.ts";

/** What one layer is to answer to each picture. */
export interface LayerStatistics {
  /** Its path. */
  readonly module: string;
  /** Mean and then deviation of each of its C channels, [K,2C]. */
  readonly values: Float32Array;
}

/** Mean and deviation of each channel of maps, [K,C,H,W] → [K,2C,1,1]. */
function statisticsOf(maps: Tensor): Tensor {
  const pool = globalAveragePool(maps);
  const variance = sub(meanOfSquares(maps, [2, 3]), mul(pool, pool));
  // Rounding may leave a little less than nothing of a flat map.
  return concat([pool, sqrt(affine(clampMin(variance, 0), 1, 1e-8))]);
}

/**
 * The mean over layers of Σ (s − t)² / Σ t², where s are a layer's means and deviations and t those
 * wanted. Brought to the size of the other terms' gradient at the first step, so
 * `scale(statistics(...), 0.5)` means half as strong as these.
 *
 * @param layers as {@linkcode measureStatistics} gives them
 */
export function statistics(layers: readonly LayerStatistics[]): Objective {
  const tap = (module: string) => ({ module, of: "output" }) as const;
  return objectiveOf({
    kind: "statistics",
    names: [],
    needs: layers.map(({ module }) => tap(module)),
    metrics: ["statistics"],
    balanced: true,
    build(seen, context) {
      const distances = layers.map(({ module, values }) => {
        const found = statisticsOf(seen.get(tap(module)));
        const count = found.shape[1];
        const size = new Float32Array(values.length / count);
        values.forEach((value, i) => size[Math.floor(i / count)]! += value ** 2);
        const share = context.rows(size.map((s) => 1 / Math.max(s, 1e-20)), [1, 1, 1]);
        const wanted = context.rows(values, [count, 1, 1]);
        return mul(sumOfSquares(sub(found, wanted), [1]), share);
      });
      const distance = affine(distances.reduce((a, b) => add(a, b)), 1 / layers.length);
      return { loss: distance, metrics: { statistics: distance } };
    },
  });
}

/**
 * What some layers answer to photos: the weighted mean of each photo's means and deviations.
 *
 * @param sets the photos of each picture and their weights, which sum to 1
 * @param photo photo i, [3,side,side] in 0..255
 * @param onProgress is told how many photos the network was shown
 */
export async function measureStatistics(
  gpu: Gpu,
  network: Viewer,
  modules: readonly string[],
  sets: readonly { readonly indices: readonly number[]; readonly weights: readonly number[] }[],
  photo: (image: number) => Promise<Float32Array>,
  side: number,
  onProgress: (done: number, total: number) => void | Promise<void> = () => {},
): Promise<LayerStatistics[]> {
  const total = sets.reduce((sum, { indices }) => sum + indices.length, 0);
  let done = 0;
  await onProgress(done, total);
  using x = new Variable(gpu, [1, 3, side, side]);
  const seen = network.see(x.tensor);
  const outputs = modules.map((module) => statisticsOf(seen.get({ module, of: "output" })));
  using program = await compile(gpu, { outputs });
  const layers = modules.map((module, m) => {
    return { module, values: new Float32Array(sets.length * outputs[m]!.shape[1]) };
  });
  for (const [k, { indices, weights }] of sets.entries()) {
    for (const [i, image] of indices.entries()) {
      x.write((await photo(image)).map((level) => level / 255 - 0.5));
      program.run();
      for (const [m, output] of outputs.entries()) {
        const at = k * output.shape[1];
        (await program.read(output)).forEach((value, c) => {
          layers[m]!.values[at + c]! += weights[i]! * value;
        });
      }
      await onProgress(++done, total);
    }
  }
  return layers;
}
