/** Orders of axes: everything here lies in C, H, W; some libraries want channels last. */

/** [A,B] to [B,A]. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column]!;
    }
  }
  return turned;
}

/** [O,I,k,k] to [k,k,I,O]: all axes in the opposite order, then the filter's two back. */
export function filterToLast(values: Float32Array, o: number, i: number, k: number): Float32Array {
  const filters = transpose(values, o, i * k * k); // [I,k·k,O]
  const turned = new Float32Array(values.length);
  for (let input = 0; input < i; input++) {
    for (let tap = 0; tap < k * k; tap++) {
      const from = (input * k * k + tap) * o;
      turned.set(filters.subarray(from, from + o), (tap * i + input) * o);
    }
  }
  return turned;
}
