import assert from "node:assert/strict";
import { resizeArea } from "../../vis/photos/area_resize.ts";
import { golden, maxDifference, readSafetensors, sharedPath, testWithShared } from "../goldens.ts";

const FILE = "goldens/kernels.safetensors";
const TOLERANCE = 1e-4 * 255;

testWithShared("resizeArea equals OpenCV's INTER_AREA", [FILE], async (t) => {
  const goldens = readSafetensors(sharedPath(FILE));
  const source = golden(goldens, "area/src"); // [375, 500]
  const crop = (height: number, width: number) =>
    Float32Array.from(
      { length: height * width },
      (_, i) => source[Math.floor(i / width) * 500 + (i % width)]!,
    );
  const cases: [name: string, height: number, width: number][] = [
    ["to224x224", 375, 500],
    ["to96x128", 375, 500],
    ["3to1_of_375x498", 375, 498],
    ["to512x512_enlarge", 375, 500],
    ["mixed_60x200_to_128x128", 60, 200],
  ];
  for (const [name, height, width] of cases) {
    await t.step(name, () => {
      const [toHeight, toWidth] = goldens.get(`area/${name}`)!.shape;
      const ours = resizeArea(crop(height, width), { width, height }, {
        width: toWidth!,
        height: toHeight!,
      });
      const worst = maxDifference(ours, golden(goldens, `area/${name}`));
      assert.ok(worst < TOLERANCE, `off by ${worst} grey levels`);
    });
  }
});

Deno.test("resizeArea keeps planes apart and a constant constant", () => {
  for (const [width, height] of [[7, 5], [3, 40], [100, 1], [224, 224]] as const) {
    const source = new Float32Array(3 * width * height).map((_, i) =>
      [10, 0, 255][Math.floor(i / (width * height))]!
    );
    const ours = resizeArea(source, { width, height }, { width: 16, height: 16 });
    assert.equal(ours.length, 3 * 256);
    for (const [plane, value] of [10, 0, 255].entries()) {
      for (const pixel of ours.subarray(plane * 256, plane * 256 + 256)) {
        assert.ok(Math.abs(pixel - value) < 1e-3);
      }
    }
  }
});

Deno.test("resizeArea to the same size changes nothing", () => {
  const source = Float32Array.from({ length: 6 * 4 }, (_, i) => i * i);
  const size = { width: 6, height: 4 };
  assert.deepEqual(resizeArea(source, size, size), source);
});

Deno.test("resizeArea refuses sizes that make no sense", () => {
  const good = { width: 2, height: 2 };
  assert.throws(() => resizeArea(new Float32Array(4), good, { width: 0, height: 2 }), RangeError);
  assert.throws(() => resizeArea(new Float32Array(4), good, { width: 1.5, height: 2 }), RangeError);
  assert.throws(() => resizeArea(new Float32Array(5), good, good), /5 values/);
});
