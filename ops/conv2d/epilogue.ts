/** What follows the sum of a convolution, in its own kernel: epilogue.wgsl. */
import epilogueTemplate from "../../kernels/conv/epilogue.wgsl" with { type: "text" };
import maskSource from "../../kernels/element/mask_bit.wgsl" with { type: "text" };
import type { Tensor } from "../graph/tensor.ts";

/** What the kernels of convolutions end with. */
export const epilogueSource = maskSource + epilogueTemplate;

/** A node that is computed as one convolution, or as several. */
export type Convolution = Tensor<"conv2d"> | Tensor<"conv2dInputGradient">;

/** The tensors of a convolution's epilogue. */
export function epilogueInputs(
  y: Convolution,
): { bias?: Tensor; residual?: Tensor; gate?: Tensor } {
  const { bias, residual, gate } = y.attributes;
  const rest = y.inputs.slice(2);
  return {
    ...(bias ? { bias: rest.shift()! } : {}),
    ...(residual ? { residual: rest.shift()! } : {}),
    ...(gate ? { gate: rest.shift()! } : {}),
  };
}

/** Reads of a node's epilogue, and the template constants that go with them. */
export function epilogueOf(y: Convolution) {
  const { bias, activation, gate, residual } = y.attributes;
  return {
    reads: epilogueInputs(y) as Record<string, Tensor>,
    defines: { BIAS: bias, RESIDUAL: residual, ACTIVATION: activation, GATE: gate },
  };
}

/** Nothing follows. */
export const NO_EPILOGUE = {
  BIAS: false,
  RESIDUAL: false,
  ACTIVATION: "none",
  GATE: false,
} as const;
