/** Which pictures look alike. */
import assert from "node:assert/strict";
import { LIKENESS, likenessOf } from "../../atlas/likeness.ts";
import { neighbours } from "../../atlas/neighbours.ts";
import { Random } from "../../base/random.ts";

const SIZE = { width: 96, height: 96 };

/** Stripes of a colour on grey, turned and shifted. */
function stripes(turn: number, shift: number, colour: readonly number[], wide = 6): Float32Array {
  const { width, height } = SIZE;
  return Float32Array.from({ length: 3 * width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const along = (x * Math.cos(turn) + y * Math.sin(turn) + shift) / wide;
    return Math.sin(along * 2 * Math.PI) > 0 ? colour[Math.floor(i / (width * height))]! : 128;
  });
}

const all = (numbers: Int8Array, dimensions: number, more: {
  runOf?: ArrayLike<number>;
  layerOf?: ArrayLike<number>;
  exact?: number;
} = {}) => {
  const own = Array.from({ length: numbers.length / dimensions }, (_, i) => i);
  const found = [...neighbours(numbers, { dimensions, runOf: own, layerOf: own, ...more })];
  return found.toSorted((a, b) => a.picture - b.picture).map((each) => each.found);
};

Deno.test("pictures look like those with the same edges and colours, wherever these are", () => {
  const [grey, red, blue] = [[200, 200, 200], [220, 60, 60], [60, 60, 220]];
  const pictures = [
    stripes(0, 0, grey!),
    stripes(0, 3, grey!), // 1: like 0, but elsewhere
    stripes(Math.PI / 2, 0, grey!), // 2: lies down
    stripes(Math.PI / 2, 2, grey!), // 3: like 2
    stripes(0, 0, red!),
    stripes(0, 2, red!), // 5: like 4
    stripes(0, 0, blue!, 20),
    stripes(0, 9, blue!, 20), // 7: like 6
  ];
  const numbers = new Int8Array(pictures.length * LIKENESS);
  pictures.forEach((picture, i) => numbers.set(likenessOf(picture, SIZE), i * LIKENESS));
  const nearest = all(numbers, LIKENESS).map(([first]) => first?.picture);
  assert.deepEqual(nearest, [1, 0, 3, 2, 5, 4, 7, 6]);
});

/** Points around some middles. */
function clouds(n: number, dimensions: number, middles: number): Int8Array {
  const random = new Random(3);
  const centres = Array.from(
    { length: middles },
    () => Array.from({ length: dimensions }, () => 40 * random.normal()),
  );
  const numbers = new Int8Array(n * dimensions);
  for (let i = 0; i < n; i++) {
    const centre = random.pick(centres);
    centre.forEach((value, d) => {
      numbers[i * dimensions + d] = Math.max(-127, Math.min(127, value + 20 * random.normal()));
    });
  }
  return numbers;
}

Deno.test("of many pictures the neighbours are nearly always those that are found among all", () => {
  const [n, dimensions] = [1500, 12];
  const numbers = clouds(n, dimensions, 40);
  const exact = all(numbers, dimensions);
  const many = all(numbers, dimensions, { exact: 100 });
  assert.deepEqual(many, all(numbers, dimensions, { exact: 100 }));
  const same = exact.filter((found, i) => found[0]?.picture === many[i]![0]?.picture).length;
  assert.ok(same > 0.95 * n, `${same} of ${n}`);
  assert.ok(exact.every((found) => found.length === 6));
});

Deno.test("a picture is no neighbour of its own run's, and a layer does not take all places", () => {
  const [n, dimensions] = [120, 12];
  const numbers = clouds(n, dimensions, 3);
  const runOf = Array.from({ length: n }, (_, i) => Math.floor(i / 4));
  const layerOf = Array.from({ length: n }, (_, i) => Math.floor(i / 24));
  for (const [picture, found] of all(numbers, dimensions, { runOf, layerOf }).entries()) {
    assert.equal(found.length, 6);
    const counts = new Map<number, number>();
    for (const other of found) {
      assert.notEqual(runOf[other.picture], runOf[picture]);
      const layer = layerOf[other.picture]!;
      counts.set(layer, (counts.get(layer) ?? 0) + 1);
    }
    assert.ok(counts.size >= 3, `${picture}: of ${counts.size} layers`);
  }
  assert.deepEqual(all(new Int8Array(0), dimensions), []);
});

Deno.test("one picture, and pictures that are all the same, have no neighbours to tell of", () => {
  const same = new Int8Array(5 * LIKENESS).fill(7);
  assert.deepEqual(all(same, LIKENESS), [[], [], [], [], []]);
  assert.deepEqual(all(same.subarray(0, LIKENESS), LIKENESS), [[]]);
});
