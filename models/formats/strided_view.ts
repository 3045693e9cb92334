/** Tensors that are views of a storage: any strides, checked before anything is allocated. */

/** A view: numbers of elements, not bytes. */
export interface StridedView {
  /** The first element of the storage that belongs to the view. */
  readonly offset: number;
  /** The sizes, `[]` for a single number. */
  readonly shape: readonly number[];
  /** Steps from one element to the next along each axis. */
  readonly strides: readonly number[];
}

/**
 * How many elements a storage must have for this view; 0 for an empty one.
 *
 * @returns A problem in words if the view is no valid one.
 */
export function reach({ offset, shape, strides }: StridedView): number | string {
  const whole = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!whole(offset)) return `its offset is ${offset}`;
  if (!shape.every(whole)) return `its shape is [${shape}]`;
  if (strides.length !== shape.length || !strides.every(whole)) {
    return `its shape is [${shape}], its strides are [${strides}]`;
  }
  if (shape.includes(0)) return 0;
  const last = shape.reduce((at, size, axis) => at + (size - 1) * strides[axis]!, offset);
  return Number.isSafeInteger(last) ? last + 1 : `its shape is [${shape}]`;
}

/** The values of a view in C order; the storage must be as long as {@linkcode reach} says. */
export function gather(storage: Float32Array, view: StridedView): Float32Array<ArrayBuffer> {
  const { shape, strides } = view;
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const index = shape.map(() => 0);
  let at = view.offset;
  for (let i = 0; i < values.length; i++) {
    values[i] = storage[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return values;
}
