/**
 * Weights of any network without a file: each number is a formula of its tensor's name and its place,
 * the same in Python (architecture_goldens.py).
 */
import type { WeightSource } from "../../models/formats/weights.ts";
import { type Module, stateDict } from "../../models/module.ts";

/** FNV-1a of a name. */
function seedOf(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Number i of the stream of a name, from −1 to 1. */
function uniform(seed: number, i: number): number {
  let hash = (Math.imul(i + 1, 0x9e3779b9) + seed) >>> 0;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x21f0aaad);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x735a2d97);
  hash ^= hash >>> 15;
  return (hash >>> 8) / 8388608 - 1;
}

/** Numbers of a name's stream. */
export function stream(key: string, length: number): Float32Array<ArrayBuffer> {
  const seed = seedOf(key);
  return Float32Array.from({ length }, (_, i) => uniform(seed, i));
}

/** The weights of a network; `gain` is that of its convolutions and linear layers. */
export function formulaWeights(root: Module, gain: number): WeightSource {
  const shapes = stateDict(root);
  const shape = (key: string) => shapes.get(key)!;
  return {
    name: "formula",
    fresh: true,
    has: (key) => shapes.has(key),
    shape,
    read(key) {
      const sizes = shape(key);
      const u = stream(key, sizes.reduce((a, b) => a * b, 1));
      const [module, name] = [
        key.slice(0, key.lastIndexOf(".")),
        key.slice(key.lastIndexOf(".") + 1),
      ];
      if (name === "running_mean") return u.map((v) => 0.1 * v);
      if (name === "running_var") return u.map((v) => 1 + 0.5 * Math.abs(v));
      if (name === "layer_scale") return u.map((v) => 1 + 0.1 * v);
      if (name === "bias") {
        const part = shape(`${module}.weight`).length === 1 ? 0.1 : 0.05;
        return u.map((v) => part * v);
      }
      if (sizes.length === 1) return u.map((v) => 1 + 0.1 * v);
      const inputs = sizes.slice(1).reduce((a, b) => a * b);
      const scale = gain * Math.sqrt(3 / inputs);
      return u.map((v) => v * scale);
    },
  };
}
