/** Weights for a network that has none at hand: to measure its cost, not to look at. */
import { Random } from "../ops/mod.ts";
import { stateDict } from "./module.ts";
import type { NamedNetwork } from "./trace.ts";
import type { WeightSource } from "./formats/weights.ts";

/**
 * Random weights, the same for the same network. Convolutions are drawn as He et al. 2015 do, evenly
 * within ±√(6 / inputs of a filter), so that activations neither vanish nor explode; batch norms do
 * next to nothing.
 */
export function randomWeights(network: NamedNetwork): WeightSource {
  const shapes = stateDict(network.root);
  const shapeOf = (key: string) => {
    const shape = shapes.get(key);
    if (!shape) throw new RangeError(`${network.name} has no weight "${key}"`);
    return shape;
  };
  return {
    name: `random weights of ${network.name}`,
    has: (key) => shapes.has(key),
    shape: shapeOf,
    read(key) {
      const shape = shapeOf(key);
      const [low, high] = rangeOf(key, shape);
      const random = new Random([...key].reduce((hash, c) => hash * 31 + c.charCodeAt(0) | 0, 7));
      const size = shape.reduce((product, length) => product * length, 1);
      return Float32Array.from({ length: size }, () => random.uniform(low, high));
    },
  };
}

function rangeOf(key: string, shape: readonly number[]): readonly [low: number, high: number] {
  if (shape.length > 1) {
    const bound = Math.sqrt(6 / shape.slice(1).reduce((product, length) => product * length, 1));
    return [-bound, bound];
  }
  const scale = key.endsWith(".weight") || key.endsWith(".running_var");
  return scale ? [0.75, 1.25] : [-0.1, 0.1];
}
