/**
 * How arrays of any rank live in tensors, which have four axes.
 *
 * A view says of which factors each axis of the tensor consists, and which factors make up each axis
 * of the array. Reshaping and transposing an array changes only the view: nothing moves before an
 * operation needs the elements in another order. So a channel shuffle (reshape, transpose, reshape)
 * is one rearrangement, and what is done to pictures with their channels last stays where it is.
 */
import { rearrange, type Shape, type Tensor } from "../../ops/mod.ts";
import { UserError } from "../../base/errors.ts";
import { sizeOfDims } from "../formats/onnx/tensor.ts";

/** For each of the four axes of a tensor, the axes of an array that lie in it, slowest first. */
export type Layout = readonly (readonly number[])[];

/** Where an array of some rank is put if nothing asks for another place. */
export function usualLayout(rank: number): Layout {
  if (rank === 0) return [[], [], [], []];
  if (rank === 1) return [[], [0], [], []];
  const rest = Array.from({ length: Math.max(0, rank - 3) }, (_, i) => 3 + i);
  return [[0], [1], rank > 2 ? [2] : [], rest];
}

/** An array in a tensor. */
export class View {
  /** The factors of each axis of the tensor, slowest first; none is 1. */
  readonly #axes: readonly (readonly number[])[];
  /** The factors of each axis of the array, counted through those of the tensor from 0. */
  readonly #dims: readonly (readonly number[])[];
  readonly #factors: readonly number[];
  readonly #placed = new Map<string, Tensor>();

  private constructor(
    /** What holds the elements. */
    readonly tensor: Tensor,
    axes: readonly (readonly number[])[],
    dims: readonly (readonly number[])[],
  ) {
    this.#axes = axes;
    this.#dims = dims;
    this.#factors = axes.flat();
  }

  /**
   * An array in a tensor.
   *
   * @param dims Its sizes.
   * @param layout Where its axes are; the usual place by default.
   * @throws {RangeError} when the tensor has other sizes there.
   */
  static of(tensor: Tensor, dims: readonly number[], layout = usualLayout(dims.length)): View {
    const factors: number[][] = dims.map(() => []);
    let count = 0;
    const axes = layout.map((members, axis) => {
      const product = members.reduce((size, dim) => size * dims[dim]!, 1);
      if (product !== tensor.shape[axis]) {
        throw new RangeError(
          `[${dims}] does not fit [${tensor.shape}] as ${JSON.stringify(layout)}`,
        );
      }
      return members.filter((dim) => dims[dim] !== 1).map((dim) => {
        factors[dim] = [count++];
        return dims[dim]!;
      });
    });
    return new View(tensor, axes, factors);
  }

  /** The sizes of the array. */
  get dims(): number[] {
    return this.#dims.map((factors) => factors.reduce((size, i) => size * this.#factors[i]!, 1));
  }

  /** How many axes the array has. */
  get rank(): number {
    return this.#dims.length;
  }

  /** The axes in another order. */
  transposed(order: readonly number[]): View {
    return new View(this.tensor, this.#axes, order.map((axis) => this.#dims[axis]!));
  }

  /** The same elements, in C order, in other sizes. */
  reshaped(dims: readonly number[]): View {
    const refined = this.#regrouped(dims);
    if (refined) return refined;
    // Sizes that share no factors, such as [2,3] as [3,2]: through a single axis.
    const total = sizeOfDims(dims);
    const flat = this.#regrouped([total])!.at([[], [0], [], []]);
    return View.of(flat, [total]).#regrouped(dims)!;
  }

  /**
   * The tensor with the elements where a layout puts them.
   *
   * @throws {UserError} when the tensor would have more elements along an axis than there can be.
   */
  at(layout: Layout): Tensor {
    const order = layout.map((dims) => dims.flatMap((dim) => this.#dims[dim]!));
    let next = 0;
    const inPlace = order.every((factors, axis) =>
      factors.length === this.#axes[axis]!.length && factors.every((factor) => factor === next++)
    );
    if (inPlace) return this.tensor;
    const key = JSON.stringify(order);
    let tensor = this.#placed.get(key);
    if (!tensor) {
      tensor = rearrange(this.tensor, { factors: this.#axes, order });
      this.#placed.set(key, tensor);
    }
    return tensor;
  }

  /** {@linkcode View.at} the usual place. */
  get usual(): Tensor {
    if (this.rank > 4) throw new UserError(`an array of ${this.rank} axes is used as a picture`);
    return this.at(usualLayout(this.rank));
  }

  /**
   * Which axes of the array lie in each axis of the tensor, if none is split over several or
   * out of order within one. Axes of one element are nowhere.
   */
  get layout(): Layout | undefined {
    let first = 0;
    const layout: number[][] = [];
    for (const factors of this.#axes) {
      const members: number[] = [];
      for (let at = first; at < first + factors.length;) {
        const dim = this.#dims.findIndex((own) => own[0] === at);
        const own = this.#dims[dim];
        if (!own || own.some((factor, i) => factor !== at + i)) return undefined;
        at += own.length;
        if (at > first + factors.length) return undefined;
        members.push(dim);
      }
      layout.push(members);
      first += factors.length;
    }
    return layout;
  }

  /**
   * A tensor to look at: as it is, if its elements are in order, or it is a picture whose channels are
   * last in the array only.
   */
  get shown(): Tensor {
    const order = this.#dims.flat();
    if (order.every((factor, i) => factor === i) || this.rank > 4) return this.tensor;
    const picture = this.rank === 4 && this.layout?.every((members) => members.length <= 1);
    return picture && (this.#dims[0]![0] ?? 0) === 0 ? this.tensor : this.usual;
  }

  /** The factors grouped to other sizes, split where that needs it; undefined where it cannot be. */
  #regrouped(dims: readonly number[]): View | undefined {
    const pieces: number[][] = this.#factors.map(() => []);
    const grouped: (readonly [factor: number, piece: number])[][] = [];
    const order = this.#dims.flat();
    let next = 0, left = 1;
    for (const size of dims) {
      const group: (readonly [number, number])[] = [];
      for (let need = size; need > 1;) {
        if (left === 1) left = this.#factors[order[next++]!] ?? 0;
        if (left === 0) return undefined;
        const factor = order[next - 1]!;
        const take = need % left === 0 ? left : left % need === 0 ? need : 0;
        if (take === 0) return undefined;
        group.push([factor, pieces[factor]!.push(take) - 1]);
        need /= take;
        left /= take;
      }
      grouped.push(group);
    }
    if (left !== 1 || next !== order.length) return undefined;
    const starts: number[] = [];
    let count = 0;
    for (const split of pieces) {
      starts.push(count);
      count += split.length;
    }
    let factor = 0;
    const axes = this.#axes.map((own) => own.flatMap(() => pieces[factor++]!));
    const regrouped = grouped.map((group) => group.map(([of, piece]) => starts[of]! + piece));
    return new View(this.tensor, axes, regrouped);
  }
}

/** The shape of a tensor that holds an array in a layout. */
export function shapeIn(layout: Layout, dims: readonly number[]): Shape {
  return layout.map((members) =>
    members.reduce((size, dim) => size * dims[dim]!, 1)
  ) as unknown as Shape;
}
