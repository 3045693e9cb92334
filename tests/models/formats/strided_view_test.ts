/** Views of storages: any strides, and reaches known before anything is read. */
import assert from "node:assert/strict";
import { gather, reach } from "../../../models/formats/strided_view.ts";

Deno.test("a view is gathered in C order", () => {
  const storage = Float32Array.from({ length: 8 }, (_, i) => i);
  const values = (
    offset: number,
    shape: number[],
    strides: number[],
  ) => [...gather(storage, { offset, shape, strides })];
  assert.deepEqual(values(0, [2, 3], [3, 1]), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(values(1, [3, 2], [1, 3]), [1, 4, 2, 5, 3, 6]);
  assert.deepEqual(values(2, [3], [0]), [2, 2, 2]);
  assert.deepEqual(values(7, [], []), [7]);
  assert.deepEqual(values(0, [0, 4], [4, 1]), []);
});

Deno.test("the reach of a view is known before it is read", () => {
  assert.equal(reach({ offset: 1, shape: [3, 2], strides: [1, 3] }), 7);
  assert.equal(reach({ offset: 9, shape: [0], strides: [1] }), 0);
  assert.equal(reach({ offset: 0, shape: [], strides: [] }), 1);
  for (
    const view of [
      { offset: -1, shape: [1], strides: [1] },
      { offset: 0, shape: [-1], strides: [1] },
      { offset: 0, shape: [2], strides: [-1] },
      { offset: 0, shape: [2], strides: [] },
      { offset: 0, shape: [2 ** 40, 2 ** 40], strides: [2 ** 40, 1] },
    ]
  ) assert.equal(typeof reach(view), "string");
});
