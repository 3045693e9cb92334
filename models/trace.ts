/** Runs a network once on symbolic tensors and remembers what each module got and gave. */
import { ancestors, constant, type Shape, type Tensor } from "../ops/mod.ts";
import { UserError } from "../base/errors.ts";
import type { WeightSource } from "./formats/weights.ts";
import { joinPath, type Module, namedModules, type Scope } from "./module.ts";

/** A network and what to call it in messages. */
export interface NamedNetwork {
  /** Such as `resnet18`. */
  readonly name: string;
  /** The tree of modules. */
  readonly root: Module;
}

/** What a trace knows of one module. */
export interface TracedModule {
  /** The class in PyTorch, such as `Conv2d`. */
  readonly type: string;
  /** Whether it has no children. */
  readonly leaf: boolean;
  /** What it got in its last call; `undefined` if it never returned. */
  readonly input: Tensor | undefined;
  /** What it gave in its last call; `undefined` if it never returned. */
  readonly output: Tensor | undefined;
  /** Why it did not return, if it was run. */
  readonly stopped: string | undefined;
}

/** A weight of the network. */
export interface Weight {
  /** Its name in the weight file, such as `layer1.0.conv1.weight`. */
  readonly key: string;
  /** Its shape in the weight file. */
  readonly shape: readonly number[];
}

/** Weights as tensors, by their keys; a {@linkcode traceModel} fills it. */
export type KnownWeights = Map<string, { readonly tensor: Tensor; readonly weight: Weight }>;

/** A network run once on symbolic tensors. */
export interface Trace {
  /** The network's name. */
  readonly model: string;
  /** The picture tensor it ran on, [N,3,H,W]. */
  readonly input: Tensor;
  /** The result of the whole network; `undefined` if it could not run to the end. */
  readonly output: Tensor | undefined;
  /** Every module of the network by its path, parents first; the root is `""`. */
  readonly modules: ReadonlyMap<string, TracedModule>;
  /** Other names of modules, such as those of what they give, and the paths they mean. */
  readonly aliases: ReadonlyMap<string, string>;
  /**
   * The weights behind a tensor, besides those behind its inputs: for a constant that stands for a
   * weight, and for what a module gave that used weights.
   */
  readonly weightsBehind: ReadonlyMap<Tensor, readonly Weight[]>;
  /** Where the weights are read from, if any were given. */
  readonly weights: WeightSource | undefined;
  /** Why the network could not run to the end, such as a picture too small for its last layers. */
  readonly stopped: string | undefined;
}

/**
 * Runs a network once on a symbolic picture. Nothing is computed and no weight is read: weights are
 * read when a program that needs them is compiled.
 *
 * When the network cannot run to the end, for instance because the picture is too small for its last
 * pooling, the trace ends there: modules that did return are usable, `stopped` says why.
 *
 * @param x The picture, normalised as the network expects it, [N,3,H,W]; or only its shape, when
 * nothing but names and shapes is wanted.
 * @param known What earlier traces of the same model with the same weights have made of them, and
 * where this one adds what it makes: programs share the weights of such traces.
 */
export function traceModel(
  model: NamedNetwork,
  x: Tensor | Shape,
  weights?: WeightSource,
  known: KnownWeights = new Map(),
): Trace {
  const input = "op" in x ? x : constant(x, () => {
    throw new Error(`the input of ${model.name} was traced for its shape only`);
  });
  const tracer = new Tracer(model, weights, known);
  let output: Tensor | undefined;
  let stopped: string | undefined;
  try {
    output = tracer.run(input, model.root);
  } catch (error) {
    if (!(error instanceof UserError || error instanceof RangeError)) throw error;
    stopped = `${model.name} stops at ${tracer.where()} with an input of ${
      input.shape.slice(2).join("x")
    } pixels: ${error.message}`;
  }
  return {
    model: model.name,
    input,
    output,
    modules: tracer.modules(),
    aliases: model.root.aliases(),
    weightsBehind: tracer.weightsBehind,
    weights,
    stopped,
  };
}

/**
 * Checks, without reading any values, that the weights have every tensor that `targets` depend on,
 * and in the right shape.
 *
 * @throws {UserError} Naming the file, the tensor, the expected and the found shape.
 */
export function checkWeights(trace: Trace, targets: readonly Tensor[]): void {
  const needed = [
    ...new Set(ancestors(targets).flatMap((tensor) => trace.weightsBehind.get(tensor) ?? [])),
  ];
  const { weights, model } = trace;
  if (!weights) {
    if (needed.length > 0) throw noWeights(model);
    return;
  }
  const missing = needed.filter(({ key }) => !weights.has(key));
  if (missing.length > 1) {
    const { key, shape } = missing[0]!;
    throw new UserError(
      `${weights.name}: ${missing.length} of the ${needed.length} tensors that ${model} needs here ` +
        `are missing, the first is "${key}" [${shape}]; use the weights of ${model}, or a layer ` +
        "that comes before",
    );
  }
  for (const weight of needed) checkWeight(weights, model, weight);
}

/** The scope that a trace gives to the modules it runs. */
class Tracer implements Scope {
  readonly weightsBehind = new Map<Tensor, Weight[]>();
  readonly #model: NamedNetwork;
  readonly #weights: WeightSource | undefined;
  readonly #modules: Map<string, Module>;
  readonly #paths: Map<Module, string>;
  readonly #calls = new Map<Module, { input: Tensor; output: Tensor }>();
  readonly #constants: KnownWeights;
  /** The modules being run, outermost first, with the weights each asked for. */
  readonly #running: { module: Module; used: Weight[] }[] = [];
  readonly #stopped = new Map<Module, string>();
  #innermost: Module | undefined;

  constructor(model: NamedNetwork, weights: WeightSource | undefined, known: KnownWeights) {
    this.#constants = known;
    this.#model = model;
    this.#weights = weights;
    this.#modules = namedModules(model.root);
    this.#paths = new Map([...this.#modules].map(([path, module]) => [module, path]));
  }

  run(x: Tensor, ...modules: Module[]): Tensor {
    for (const module of modules) {
      const used: Weight[] = [];
      this.#running.push({ module, used });
      const output = this.#forward(module, x);
      if (used.length > 0) this.weightsBehind.set(output, used);
      this.#calls.set(module, { input: x, output });
      x = output;
    }
    return x;
  }

  /** What a module gives, or why it gives nothing. */
  #forward(module: Module, x: Tensor): Tensor {
    try {
      return module.forward(x, this);
    } catch (error) {
      if (error instanceof Error && !this.#stopped.size) this.#innermost = module;
      this.#stopped.set(module, error instanceof Error ? error.message : String(error));
      throw error;
    } finally {
      this.#running.pop();
    }
  }

  parameter(module: Module, name: string, shape?: Shape): Tensor {
    const key = joinPath(this.#path(module), name);
    let known = this.#constants.get(key);
    if (!known) {
      const stored = module.parameters()[name];
      if (!stored) throw new Error(`${module.type} declares no parameter "${name}"`);
      const weight: Weight = { key, shape: stored };
      const tensor = constant(shape ?? graphShape(stored), () => this.#read(weight), {
        fresh: this.#weights?.fresh ?? false,
      });
      known = { tensor, weight };
      this.#constants.set(key, known);
    }
    this.weightsBehind.set(known.tensor, [known.weight]);
    this.#running.at(-1)?.used.push(known.weight);
    return known.tensor;
  }

  /** The innermost module that did not return. */
  where(): string {
    const module = this.#innermost!;
    return `${this.#path(module) || "the top"} (${module.type})`;
  }

  modules(): Map<string, TracedModule> {
    return new Map(
      [...this.#modules].map(([path, module]) => [path, {
        type: module.type,
        leaf: module.children().length === 0,
        input: this.#calls.get(module)?.input,
        output: this.#calls.get(module)?.output,
        stopped: this.#stopped.get(module),
      }]),
    );
  }

  #path(module: Module): string {
    const path = this.#paths.get(module);
    if (path === undefined) {
      throw new Error(`a ${module.type} was run that is no child of anything`);
    }
    return path;
  }

  #read(weight: Weight): Float32Array {
    if (!this.#weights) throw noWeights(this.#model.name);
    checkWeight(this.#weights, this.#model.name, weight);
    const values = this.#weights.read(weight.key);
    if (!this.#weights.allowNonfinite) checkFinite(values, this.#weights.name, weight);
    return values;
  }
}

/** @throws {UserError} when a weight holds what is no finite number. */
function checkFinite(values: Float32Array, file: string, { key, shape }: Weight): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new NonfiniteWeightError(
      `${file}: tensor "${key}" [${shape}] holds ${
        values[i]
      } (number ${i}), so all that comes after ` +
        "it would be nonsense; take other weights",
    );
  }
}

/** Weights hold what is no finite number. */
export class NonfiniteWeightError extends UserError {}

/** How a stored shape looks in a graph where everything has four sizes. */
function graphShape(stored: readonly number[]): Shape {
  if (stored.length === 1) return [1, stored[0]!, 1, 1];
  const [o, i, h = 1, w = 1] = stored;
  return [o!, i!, h, w];
}

function checkWeight(weights: WeightSource, model: string, { key, shape }: Weight): void {
  if (!weights.has(key)) {
    throw new UserError(
      `${weights.name}: no tensor "${key}", which ${model} expects as [${shape}]`,
    );
  }
  const found = weights.shape(key);
  if (found.length !== shape.length || found.some((size, axis) => size !== shape[axis])) {
    throw new UserError(
      `${weights.name}: tensor "${key}" is [${found}], ${model} expects [${shape}]`,
    );
  }
}

function noWeights(model: string): UserError {
  return new UserError(`${model} needs weights: trace it with some`);
}
