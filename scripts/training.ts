/** Networks whose weights are learned: variables instead of constants, and the optimiser's step. */
import type { Gpu } from "../kernels/runtime/device.ts";
import {
  add,
  affine,
  batchNormTraining,
  mul,
  type Random,
  type Shape,
  sub,
  type Tensor,
  Variable,
} from "../ops/mod.ts";
import { BatchNorm2d } from "../models/layers.ts";
import { joinPath, type Module, namedModules, type Scope } from "../models/module.ts";

/** A weight and its place in the weight file. */
export interface LearnedWeight {
  /** The shape in the weight file. */
  readonly shape: readonly number[];
  /** Its values, on the GPU. */
  readonly variable: Variable;
  /** Whether it follows gradients; the statistics of batch norms do not. */
  readonly trained: boolean;
}

/** `[C]` as [1,C,1,1] and `[O,I]` as [O,I,1,1], as in {@linkcode Scope.parameter}. */
function shapeInGraph(shape: readonly number[]): Shape {
  const [a = 1, b = 1, c = 1, d = 1] = shape;
  return shape.length === 1 ? [1, a, 1, 1] : [a, b, c, d];
}

/**
 * The weights of a network as variables, drawn as PyTorch draws them: uniformly within ±1/√(inputs
 * of an output), batch norms as the identity. Their owner disposes of the variables.
 */
export function learnedWeights(gpu: Gpu, root: Module, random: Random): Map<string, LearnedWeight> {
  const learned = new Map<string, LearnedWeight>();
  for (const [path, module] of namedModules(root)) {
    const shapes = module.parameters();
    const inputs = shapes.weight?.slice(1).reduce((product, size) => product * size, 1) ?? 1;
    for (const [name, shape] of Object.entries(shapes)) {
      const variable = new Variable(gpu, shapeInGraph(shape));
      const count = shape.reduce((product, size) => product * size, 1);
      const norm = module instanceof BatchNorm2d;
      const one = norm && (name === "weight" || name === "running_var");
      const bound = norm ? 0 : 1 / Math.sqrt(inputs);
      variable.write(Float32Array.from(
        { length: count },
        () => one ? 1 : bound === 0 ? 0 : random.uniform(-bound, bound),
      ));
      const trained = !name.startsWith("running_");
      learned.set(joinPath(path, name), { shape, variable, trained });
    }
  }
  return learned;
}

/** What a network computed while it is trained. */
export interface Trained {
  /** What each module gave, by its path. */
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** New values for the running statistics of its batch norms. */
  readonly statistics: readonly (readonly [Variable, Tensor])[];
}

/** Share of a batch's statistics that enters the running ones, PyTorch's default. */
const MOMENTUM = 0.1;

/**
 * Runs a network in training mode: batch norms use the statistics of the batch.
 *
 * @param x [N,3,H,W], normalised
 */
export function runInTraining(
  root: Module,
  x: Tensor,
  learned: ReadonlyMap<string, LearnedWeight>,
): Trained {
  const paths = new Map([...namedModules(root)].map(([path, module]) => [module, path]));
  const outputs = new Map<string, Tensor>();
  const statistics: [Variable, Tensor][] = [];
  const find = (module: Module, name: string) => {
    const found = learned.get(joinPath(paths.get(module)!, name));
    if (!found) throw new TypeError(`${module.type} has no weight ${name}`);
    return found.variable;
  };
  const follow = (variable: Variable, value: Tensor, scale = 1) => {
    const kept = affine(variable.tensor, 1 - MOMENTUM);
    statistics.push([variable, add(kept, affine(value, MOMENTUM * scale))]);
  };
  const scope: Scope = {
    run(input, ...modules) {
      let y = input;
      for (const module of modules) {
        if (module instanceof BatchNorm2d) {
          const count = y.shape[0] * y.shape[2] * y.shape[3];
          const normed = batchNormTraining(y, {
            weight: find(module, "weight").tensor,
            bias: find(module, "bias").tensor,
            epsilon: module.epsilon,
          });
          // The running variance is that of the population, estimated from the batch.
          follow(find(module, "running_mean"), normed.mean);
          follow(find(module, "running_var"), normed.variance, count / (count - 1));
          y = normed.y;
        } else {
          y = module.forward(y, scope);
        }
        outputs.set(paths.get(module)!, y);
      }
      return y;
    },
    parameter: (module, name) => find(module, name).tensor,
  };
  scope.run(x, root);
  return { outputs, statistics };
}

/** How weights follow their gradients. */
export interface SgdOptions {
  /** Learning rate, [1,1,1,1]. */
  readonly rate: Tensor;
  /** Share of the last step's velocity that is kept. */
  readonly momentum: number;
  /** What is added to a gradient for each unit of the weight. */
  readonly weightDecay: number;
}

/**
 * One step of stochastic gradient descent with Nesterov's momentum, as `torch.optim.SGD` does it:
 * g ← g + weightDecay·w; v ← momentum·v + g; w ← w − rate·(g + momentum·v).
 *
 * @returns new values for the weight and its velocity
 */
export function sgdStep(
  weight: Variable,
  velocity: Variable,
  gradient: Tensor,
  { rate, momentum, weightDecay }: SgdOptions,
): [Variable, Tensor][] {
  const g = add(gradient, affine(weight.tensor, weightDecay));
  const v = add(affine(velocity.tensor, momentum), g);
  const step = mul(add(g, affine(v, momentum)), rate);
  return [[weight, sub(weight.tensor, step)], [velocity, v]];
}
