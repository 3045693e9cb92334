/** TensorFlow.js on its WebGPU backend. */
import { filterToLast, transpose } from "./layout.ts";
import { runPeer, type Task } from "./peer.ts";
import {
  type Convolution,
  type ConvolutionWork,
  LAYERS,
  readNumbers,
  readWeights,
} from "./work.ts";

const VERSION = "4.22.0";

interface TensorHandle {
  data(): Promise<Float32Array>;
  dispose(): void;
}

/** What is used of the library; its types would have to be fetched to check this project. */
interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor1d(values: Float32Array): TensorHandle;
  tensor4d(values: Float32Array, shape: number[]): TensorHandle;
  conv2d(x: TensorHandle, w: TensorHandle, stride: number, padding: number): TensorHandle;
  maxPool(x: TensorHandle, kernel: number, stride: number, padding: number): TensorHandle;
  add(a: TensorHandle, b: TensorHandle): TensorHandle;
  mul(a: TensorHandle, b: TensorHandle): TensorHandle;
  relu(x: TensorHandle): TensorHandle;
  mean(x: TensorHandle, axes: number[]): TensorHandle;
  sum(x: TensorHandle): TensorHandle;
  slice(x: TensorHandle, from: number[], size: number[]): TensorHandle;
  valueAndGrad(
    f: (x: TensorHandle) => TensorHandle,
  ): (x: TensorHandle) => { value: TensorHandle; grad: TensorHandle };
}

await runPeer(async (folder) => {
  // Names made at run time: `deno check` of the project fetches no peers.
  const load = async (name: string) => await import(`npm:@tensorflow/${name}@${VERSION}`);
  const tf: TensorFlow = await load("tfjs");
  await load("tfjs-backend-webgpu");
  if (!await tf.setBackend("webgpu")) throw new Error("TensorFlow.js finds no WebGPU");
  await tf.ready();

  /** @param compute gives the result last, after what else was computed */
  const task = (compute: () => TensorHandle[], channels: number): Task => ({
    start: compute,
    async finish(started) {
      const all = started as TensorHandle[][];
      // Every operation was handed to the GPU in order: a number of the last waits for all.
      const one = tf.slice(all.at(-1)!.at(-1)!, [0, 0, 0, 0], [1, 1, 1, 1]);
      await one.data();
      for (const tensor of [one, ...all.flat()]) tensor.dispose();
    },
    async read() {
      const tensors = compute();
      const values = await tensors.at(-1)!.data();
      tensors.forEach((tensor) => tensor.dispose());
      return transpose(values, values.length / channels, channels);
    },
  });
  const picture = (name: string, channels: number, size: number) =>
    tf.tensor4d(transpose(readNumbers(folder, name), channels, size * size), [
      1,
      size,
      size,
      channels,
    ]);
  const weightsOf = (work: string, c: Convolution) => {
    const { weight, bias } = readWeights(folder, work, c);
    const { outputs, inputs, kernel } = c;
    const last = filterToLast(weight, outputs, inputs, kernel);
    return {
      weight: tf.tensor4d(last, [kernel, kernel, inputs, outputs]),
      bias: tf.tensor1d(bias),
    };
  };
  const convolution = (w: ConvolutionWork) => {
    const { weight } = weightsOf(w.name, w);
    const x = picture(`${w.name}.x`, w.inputs, w.size);
    return { x, conv: (x: TensorHandle) => tf.conv2d(x, weight, w.stride, w.padding) };
  };
  return {
    name: "tfjs",
    forward(w) {
      const { x, conv } = convolution(w);
      return task(() => [conv(x)], w.outputs);
    },
    gradient(w) {
      const { x, conv } = convolution(w);
      const dy = picture(`${w.name}.dy`, w.outputs, w.size);
      const both = tf.valueAndGrad((x) => tf.sum(tf.mul(conv(x), dy)));
      return task(() => {
        const { value, grad } = both(x);
        return [value, grad];
      }, w.inputs);
    },
    trunk({ name, size, convolutions }) {
      const weights = new Map(
        convolutions.map((c) => [c.name, { ...c, ...weightsOf(name, c) }] as const),
      );
      const conv = (x: TensorHandle, which: string) => {
        const { weight, bias, stride, padding } = weights.get(which)!;
        return tf.add(tf.conv2d(x, weight, stride, padding), bias);
      };
      const v = tf.tensor1d(readNumbers(folder, `${name}.v`));
      const x = picture(`${name}.x`, 3, size);
      const both = tf.valueAndGrad((x) => {
        let y = tf.maxPool(tf.relu(conv(x, "stem")), 3, 2, 1);
        for (const layer of LAYERS.keys()) {
          for (const block of [0, 1]) {
            const at = `${layer}.${block}`;
            const shortcut = weights.has(`${at}.shortcut`) ? conv(y, `${at}.shortcut`) : y;
            const second = conv(tf.relu(conv(y, `${at}.first`)), `${at}.second`);
            y = tf.relu(tf.add(second, shortcut));
          }
        }
        return tf.sum(tf.mul(tf.mean(y, [1, 2]), v));
      });
      return task(() => {
        const { value, grad } = both(x);
        return [value, grad];
      }, 3);
    },
  };
});
