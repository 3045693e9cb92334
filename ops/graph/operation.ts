/** What an operation must say about itself: how it runs, and its gradient. */
import { type KernelSource, WORKGROUP } from "../../kernels/runtime/kernel.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { Defines } from "../../kernels/runtime/template.ts";
import type { ChooseVariant } from "./convolution.ts";
import type { OperationName } from "./attributes.ts";
import type { Shape, Tensor } from "./tensor.ts";
import type { Pair } from "./attributes.ts";

/** Host-made texels a kernel reads, such as packed weights. Made when a program is compiled. */
export interface HostSheet {
  readonly width: number;
  readonly height: number;
  /**
   * Four lanes per texel; from the values of the weight, if it is made `of` one, and then in an array
   * of their own. All `height` rows, or `rows` of them where it can be made in strips.
   */
  readonly texels: (weight: Float32Array, from: number, rows: number) => Float32Array<ArrayBuffer>;
  /** It can be made in strips of so many rows, or a multiple of them. */
  readonly strip?: number;
  /** The weight it is made of, and what tells this order of it from others. */
  readonly of?: { readonly weight: Tensor<"constant">; readonly order: string };
}

/**
 * Memory that only the calls of one node share: one of them writes it, later ones read it. To kernels
 * it is a tensor like any other; it is planned as one, but no node of the graph.
 */
export interface Workspace {
  readonly shape: Shape;
  readonly workspace: true;
}

/** New workspace for the calls of a node. */
export function workspace(shape: Shape): Workspace {
  return { shape, workspace: true };
}

/** What a kernel can read. */
export type Operand = Tensor | Workspace | HostSheet;

/** Whether an operand is texels made on the host. */
export function isHostSheet(operand: Operand): operand is HostSheet {
  return "texels" in operand;
}

/** Whether an operand is memory of one node's calls. */
export function isWorkspace(operand: Operand): operand is Workspace {
  return "workspace" in operand;
}

/** One dispatch of a kernel. */
export interface Call {
  readonly source: KernelSource;
  readonly defines?: Defines;
  readonly reads: Readonly<Record<string, Operand>>;
  readonly writes: Readonly<Record<string, Tensor | Workspace>>;
  /** Texels of in-place state, by name, shared by the calls of one node. */
  readonly scratch?: Readonly<Record<string, number>>;
  /** Integers. */
  readonly parameters?: Readonly<Record<string, number>>;
  /** Floats. */
  readonly scalars?: Readonly<Record<string, number>>;
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/**
 * The gradient of an operation in terms of other operations: given dL/dy, dL/d(input) for each
 * input that `needs` it (others may be left undefined).
 */
export type GradientRule<K extends OperationName> = (
  y: Tensor<K>,
  dy: Tensor,
  needs: readonly boolean[],
) => readonly (Tensor | undefined)[];

/** An operation's entry in the table. */
export interface Operation<K extends OperationName> {
  /** The dispatches that compute the node; `choose` says how convolutions are computed. */
  lower(y: Tensor<K>, gpu: Gpu, choose: ChooseVariant): Call[];
  /**
   * When the node is a window on its first input, the texel row where it starts: then nothing is
   * computed and `lower` is not called.
   */
  view?(y: Tensor<K>): number | undefined;
  /**
   * Whether the node is computed as soon as its only input is there, because it is what the backward
   * pass keeps instead of that.
   */
  readonly early?: boolean;
  /** The rule, or why there is none. */
  readonly gradient: GradientRule<K> | string;
}

/** Workgroups for the kernels that compute one texel of the result an invocation, or some in a row. */
export function perTexel(
  { shape: [n, c, h, w] }: Tensor | Workspace,
  texels = 1,
): [number, number, number] {
  const { columns, rows } = WORKGROUP;
  return [Math.ceil(w / (columns * texels)), Math.ceil(h / rows), n * Math.ceil(c / 4)];
}

/** Along which axes an operand is repeated to fill a shape. */
export function repeatedAxes(operand: Tensor | Workspace, shape: Shape): boolean[] {
  return operand.shape.map((size, axis) => size === 1 && shape[axis]! > 1);
}

/** `3` means `[3, 3]`. */
export function pair(value: number | Pair): Pair {
  return typeof value === "number" ? [value, value] : value;
}
