/** jax-js on its WebGPU backend, compiled with `jit`. */
import { runPeer, type Task } from "./peer.ts";
import {
  type Convolution,
  type ConvolutionWork,
  LAYERS,
  readNumbers,
  readWeights,
} from "./work.ts";

const VERSION = "0.1.25";

/** An array; every operation uses up its operands unless it is given their `ref`. */
interface ArrayHandle {
  readonly ref: ArrayHandle;
  add(other: ArrayHandle): ArrayHandle;
  mul(other: ArrayHandle): ArrayHandle;
  sum(): ArrayHandle;
  slice(...index: number[]): ArrayHandle;
  data(): Promise<Float32Array>;
  dispose(): void;
}

/** Arguments of a traced function: arrays, by name. */
type Arrays = Record<string, ArrayHandle>;
type Padding = [number, number][];

/** What is used of the library; its types would have to be fetched to check this project. */
interface Jax {
  init(device: string): Promise<string[]>;
  defaultDevice(device: string): void;
  jit<F>(f: F): F;
  valueAndGrad(
    f: (x: ArrayHandle, others: Arrays) => ArrayHandle,
  ): (x: ArrayHandle, others: Arrays) => [ArrayHandle, ArrayHandle];
  numpy: {
    array(values: Float32Array, options: { shape: number[] }): ArrayHandle;
    pad(x: ArrayHandle, padding: Padding): ArrayHandle;
    max(x: ArrayHandle): ArrayHandle;
    mean(x: ArrayHandle, axes: number[]): ArrayHandle;
  };
  nn: { relu(x: ArrayHandle): ArrayHandle };
  lax: {
    convGeneralDilated(
      x: ArrayHandle,
      w: ArrayHandle,
      strides: number[],
      padding: Padding,
    ): ArrayHandle;
    reduceWindow(
      x: ArrayHandle,
      reduce: (x: ArrayHandle) => ArrayHandle,
      window: number[],
      strides: number[],
    ): ArrayHandle;
  };
}

await runPeer(async (folder) => {
  // A name made at run time: `deno check` of the project fetches no peers.
  const jax: Jax = await import(`npm:@jax-js/jax@${VERSION}`);
  const { numpy, nn, lax } = jax;
  if (!(await jax.init("webgpu")).includes("webgpu")) throw new Error("jax-js finds no WebGPU");
  jax.defaultDevice("webgpu");

  const kept = (arrays: Arrays): Arrays =>
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.ref]));
  /** @param compute gives the result last, after what else was computed */
  const task = (compute: () => ArrayHandle[]): Task => ({
    start: compute,
    async finish(started) {
      // What is never read is never computed, so a number of every result is read.
      await Promise.all((started as ArrayHandle[][]).map((arrays) => {
        const result = arrays.at(-1)!;
        arrays.slice(0, -1).forEach((array) => array.dispose());
        return result.slice(0, 0, 0, 0).data();
      }));
    },
    async read() {
      const arrays = compute();
      arrays.slice(0, -1).forEach((array) => array.dispose());
      return await arrays.at(-1)!.data();
    },
  });
  const array = (values: Float32Array, ...shape: number[]) => numpy.array(values, { shape });
  const picture = (name: string, channels: number, size: number) =>
    array(readNumbers(folder, name), 1, channels, size, size);
  const weightOf = (weight: Float32Array, { outputs, inputs, kernel }: Convolution) =>
    array(weight, outputs, inputs, kernel, kernel);
  const convolve = (x: ArrayHandle, w: ArrayHandle, { stride, padding }: Convolution) =>
    lax.convGeneralDilated(x, w, [stride, stride], [[padding, padding], [padding, padding]]);
  const convolution = (w: ConvolutionWork) => ({
    x: picture(`${w.name}.x`, w.inputs, w.size),
    weight: weightOf(readWeights(folder, w.name, w).weight, w),
  });
  return {
    name: "jaxjs",
    forward(w) {
      const { x, weight } = convolution(w);
      const forward = jax.jit((x: ArrayHandle, weight: ArrayHandle) => convolve(x, weight, w));
      return task(() => [forward(x.ref, weight.ref)]);
    },
    gradient(w) {
      const { x, weight } = convolution(w);
      const arrays = { weight, dy: picture(`${w.name}.dy`, w.outputs, w.size) };
      const both = jax.jit(
        jax.valueAndGrad((x, others) => convolve(x, others.weight!, w).mul(others.dy!).sum()),
      );
      return task(() => both(x.ref, kept(arrays)));
    },
    trunk({ name, size, convolutions }) {
      const named = new Map(convolutions.map((c) => [c.name, c]));
      const arrays: Arrays = {
        v: array(readNumbers(folder, `${name}.v`), LAYERS.at(-1)!),
      };
      for (const c of convolutions) {
        const { weight, bias } = readWeights(folder, name, c);
        arrays[`${c.name} weight`] = weightOf(weight, c);
        arrays[`${c.name} bias`] = array(bias, 1, c.outputs, 1, 1);
      }
      const both = jax.jit(jax.valueAndGrad((x, others) => {
        const conv = (x: ArrayHandle, which: string) =>
          convolve(x, others[`${which} weight`]!, named.get(which)!).add(others[`${which} bias`]!);
        const stem = nn.relu(conv(x, "stem"));
        // Zeros around the maximum are as good as nothing: everything is at least zero here.
        const padded = numpy.pad(stem, [[0, 0], [0, 0], [1, 1], [1, 1]]);
        let y = lax.reduceWindow(padded, (window) => numpy.max(window), [3, 3], [2, 2]);
        for (const layer of LAYERS.keys()) {
          for (const block of [0, 1]) {
            const at = `${layer}.${block}`;
            const shortcut = named.has(`${at}.shortcut`) ? conv(y.ref, `${at}.shortcut`) : y.ref;
            const second = conv(nn.relu(conv(y, `${at}.first`)), `${at}.second`);
            y = nn.relu(second.add(shortcut));
          }
        }
        return numpy.mean(y, [2, 3]).mul(others.v!).sum();
      }));
      const x = picture(`${name}.x`, 3, size);
      return task(() => both(x.ref, kept(arrays)));
    },
  };
});
