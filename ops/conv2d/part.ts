/** The convolutions that a node is computed as. */
import type { Pair } from "../graph/attributes.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { WeightView } from "./view.ts";

/** A convolution that writes some or all pixels of a node. */
export interface ConvolutionPart {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly view: WeightView;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** First input pixel of the first output. */
  readonly start: Pair;
  /** Outputs: rows and columns, their spacing and the first one. */
  readonly outputs: Pair;
  readonly step: Pair;
  readonly phase: Pair;
}

/** Where a part's windows and results lie, as kernel parameters. */
export function placeOf({ outputs, view, stride, dilation, start, step, phase }: ConvolutionPart) {
  return {
    rows: outputs[0],
    columns: outputs[1],
    kernel_rows: view.rows.count,
    kernel_columns: view.columns.count,
    stride_y: stride[0],
    stride_x: stride[1],
    dilation_y: dilation[0],
    dilation_x: dilation[1],
    y_start: start[0],
    x_start: start[1],
    step_y: step[0],
    step_x: step[1],
    y_phase: phase[0],
    x_phase: phase[1],
  };
}
