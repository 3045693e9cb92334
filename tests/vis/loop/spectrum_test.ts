/** What the method does to frequencies, against the discrete Fourier transform by its definition. */
import assert from "node:assert/strict";
import { hartley2d, Random } from "../../../ops/mod.ts";
import { divideByFrequency, meanMagnitudes, withMagnitudes } from "../../../vis/loop/spectrum.ts";
import {
  assertClose,
  evaluate,
  gpuForTests,
  randomValues,
  tensorOf,
  values,
} from "../../compare.ts";
import type { Values } from "../../reference.ts";

const gpu = await gpuForTests();

type Complex = readonly [re: number, im: number];

/** Σ x·exp(∓2πi(ux/w + vy/h)) of one channel, row by row of v. */
function fourier(x: ArrayLike<number> | readonly Complex[], [h, w]: [number, number], sign = -1) {
  const at = (i: number): Complex => {
    const value = x[i]!;
    return typeof value === "number" ? [value, 0] : value;
  };
  return Array.from({ length: h * w }, (_, k): Complex => {
    const [v, u] = [Math.floor(k / w), k % w];
    let [re, im] = [0, 0];
    for (let i = 0; i < h * w; i++) {
      const angle = sign * 2 * Math.PI * (u * (i % w) / w + v * Math.floor(i / w) / h);
      const [a, b] = at(i);
      re += a * Math.cos(angle) - b * Math.sin(angle);
      im += a * Math.sin(angle) + b * Math.cos(angle);
    }
    return [re, im];
  });
}

const channel = ({ shape: [, , h, w], data }: Values, i: number) =>
  data.subarray(i * h * w, (i + 1) * h * w);

Deno.test("the Hartley transform is its definition, and its own inverse", async () => {
  const x = randomValues(new Random(1), [2, 3, 7, 12]);
  const once = hartley2d(tensorOf(x));
  const [y, back] = await evaluate(gpu, [once, hartley2d(once)]);
  assertClose(back!, x, "twice");
  const cas = (a: number) => Math.cos(2 * Math.PI * a) + Math.sin(2 * Math.PI * a);
  const expected = Array.from({ length: 6 }, (_, i) => {
    const plane = channel(x, i);
    return Array.from({ length: 84 }, (_, k) => {
      const [v, u] = [Math.floor(k / 12), k % 12];
      return plane.reduce(
        (sum, value, j) => sum + value * cas(u * (j % 12) / 12) * cas(v * Math.floor(j / 12) / 7),
        0,
      ) / Math.sqrt(84);
    });
  }).flat();
  assertClose(y!, values(x.shape, expected), "definition");
});

for (const [h, w] of [[8, 8], [9, 6], [1, 5]] as [number, number][]) {
  Deno.test(`frequencies of ${h}x${w} are divided as in the Fourier transform`, async () => {
    const x = randomValues(new Random(2), [1, 2, h, w]);
    const [y] = await evaluate(gpu, [divideByFrequency(tensorOf(x), 1.5)]);
    const expected = [0, 1].flatMap((i) => {
      const scaled = fourier(channel(x, i), [h, w]).map(([re, im], k): Complex => {
        const [v, u] = [Math.floor(k / w), k % w];
        const f = Math.max(1, Math.hypot(Math.min(u, w - u), Math.min(v, h - v))) ** -1.5;
        return [re * f, im * f];
      });
      return fourier(scaled, [h, w], 1).map(([re]) => re / (h * w));
    });
    assertClose(y!, values(x.shape, expected), "filtered");
  });
}

Deno.test("a picture takes the magnitudes of images and keeps its phases", async () => {
  const size = 8;
  const random = new Random(3);
  const images = [0, 1].map(() => Float32Array.from({ length: 192 }, () => 255 * random.uniform()));
  const weights = [0.75, 0.25];
  const wanted = await meanMagnitudes(gpu, images, weights, size);
  const x = randomValues(random, [1, 3, size, size]);
  const magnitudes = values(x.shape, wanted);
  const [y] = await evaluate(gpu, [withMagnitudes(tensorOf(x), tensorOf(magnitudes))]);

  /** √ of the mean power at (u, v) and (u, −v), which is that of the four mirror images. */
  const magnitudesOf = (spectrum: readonly Complex[]) =>
    spectrum.map((_, k) => {
      const [v, u] = [Math.floor(k / size), k % size];
      const twin = (size - v) % size * size + u;
      const power = ([re, im]: Complex) => (re * re + im * im) / size ** 2;
      return Math.sqrt((power(spectrum[k]!) + power(spectrum[twin]!)) / 2);
    });
  for (let i = 0; i < 3; i++) {
    const of = (image: Float32Array) =>
      magnitudesOf(
        fourier(image.subarray(i * 64, i * 64 + 64).map((v) => v / 255 - 0.5), [size, size]),
      );
    const [a, b] = images.map(of);
    const expected = a!.map((value, k) => weights[0]! * value + weights[1]! * b![k]!);
    const before = fourier(channel(x, i), [size, size]);
    const after = fourier(channel(y!, i), [size, size]);
    magnitudesOf(after).forEach((value, k) => {
      assert.ok(Math.abs(value - expected[k]!) < 1e-4, `magnitude ${k}: ${value}, ${expected[k]}`);
      const [p, q] = [before[k]!, after[k]!].map(([re, im]) => Math.atan2(im, re));
      const turn = Math.abs(Math.sin((p! - q!) / 2));
      const size = Math.hypot(...after[k]!);
      assert.ok(turn * size < 1e-3, `phase ${k}: ${p}, ${q}`);
    });
  }
});
