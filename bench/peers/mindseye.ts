/** This project. */
import { openGpu } from "../../kernels/runtime/device.ts";
import { maxPool2d } from "../../ops/pool/max_pool2d.ts";
import { compile } from "../../ops/compiler/compile.ts";
import { conv2d } from "../../ops/conv2d/conv2d.ts";
import { add, mul, relu } from "../../ops/element/elementwise.ts";
import { gradients } from "../../ops/autograd/gradient.ts";
import { globalAveragePool } from "../../ops/element/sum.ts";
import { constant, type Shape, type Tensor } from "../../ops/graph/tensor.ts";
import { Variable } from "../../ops/graph/variable.ts";
import { runPeer, type Task } from "./peer.ts";
import {
  type Convolution,
  type ConvolutionWork,
  LAYERS,
  readNumbers,
  readWeights,
} from "./work.ts";

await runPeer(async (folder) => {
  const gpu = await openGpu();
  /** The last output is what is read. */
  const task = async (outputs: Tensor[]): Promise<Task> => {
    const program = await compile(gpu, { outputs });
    return {
      start: () => program.run(),
      finish: () => gpu.device.queue.onSubmittedWorkDone(),
      read: () => {
        program.run();
        return program.read(outputs.at(-1)!);
      },
    };
  };
  const variable = (name: string, shape: Shape) => {
    const made = new Variable(gpu, shape);
    made.write(readNumbers(folder, name));
    return made.tensor;
  };
  const weightsOf = (work: string, c: Convolution) => ({
    weight: constant(
      [c.outputs, c.inputs, c.kernel, c.kernel],
      () => readWeights(folder, work, c).weight,
      { fresh: true },
    ),
    bias: constant([1, c.outputs, 1, 1], () => readWeights(folder, work, c).bias),
  });
  const convolution = (w: ConvolutionWork) => {
    const x = variable(`${w.name}.x`, [1, w.inputs, w.size, w.size]);
    const { weight } = weightsOf(w.name, w);
    return { x, y: conv2d(x, weight, undefined, { padding: w.padding }) };
  };
  return {
    name: "mindseye",
    forward: (w) => task([convolution(w).y]),
    gradient(w) {
      const { x, y } = convolution(w);
      const [dx] = gradients(mul(y, variable(`${w.name}.dy`, y.shape)), [x]);
      return task([y, dx!]);
    },
    trunk({ name, size, convolutions }) {
      const named = new Map(convolutions.map((c) => [c.name, c]));
      const conv = (x: Tensor, which: string) => {
        const c = named.get(which)!;
        const { weight, bias } = weightsOf(name, c);
        return conv2d(x, weight, bias, { stride: c.stride, padding: c.padding });
      };
      const x = variable(`${name}.x`, [1, 3, size, size]);
      let y: Tensor = maxPool2d(relu(conv(x, "stem")), { kernel: 3, stride: 2, padding: 1 });
      for (const layer of LAYERS.keys()) {
        for (const block of [0, 1]) {
          const at = `${layer}.${block}`;
          const shortcut = named.has(`${at}.shortcut`) ? conv(y, `${at}.shortcut`) : y;
          y = relu(add(conv(relu(conv(y, `${at}.first`)), `${at}.second`), shortcut));
        }
      }
      const v = constant([1, LAYERS.at(-1)!, 1, 1], () => readNumbers(folder, `${name}.v`));
      const [dx] = gradients(mul(globalAveragePool(y), v), [x]);
      return task([dx!]);
    },
  };
});
