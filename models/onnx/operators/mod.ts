/** All operators of ONNX that a picture can go through. */
import { ACTIVATIONS } from "./activations.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { CONVOLUTIONS } from "./convolutions.ts";
import { NORMALISATIONS } from "./normalisations.ts";
import { POOLS } from "./pools.ts";
import { REDUCTIONS } from "./reductions.ts";
import { RESIZES } from "./resize.ts";
import { SHAPES } from "./shapes.ts";
import type { Operators } from "./table.ts";

/** By name. */
export const OPERATORS: Operators = {
  ...ACTIVATIONS,
  ...ARITHMETIC,
  ...CONVOLUTIONS,
  ...NORMALISATIONS,
  ...POOLS,
  ...REDUCTIONS,
  ...RESIZES,
  ...SHAPES,
};
