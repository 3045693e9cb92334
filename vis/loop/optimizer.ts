/** From gradients to steps: momentum, Nesterov's momentum, Adam; the state stays on the GPU. */
import { add, affine, div, mul, sqrt, type Tensor, Variable } from "../../ops/mod.ts";
import type { Gpu } from "../../kernels/runtime/device.ts";
import type { Parameters } from "../parameters.ts";

/** What the optimizer makes of one gradient. */
export interface Update {
  /** To be subtracted after multiplying it with {@linkcode Optimizer.gain} and the learning rate. */
  readonly update: Tensor;
  /** New values of the optimizer's state. */
  readonly assign: readonly (readonly [Variable, Tensor])[];
}

/** Keeps Adam away from dividing by 0. */
const TINY = 1e-8;

/** One optimizer for everything that is learned in a loop. */
export class Optimizer implements Disposable {
  readonly #gpu: Gpu;
  readonly #p: Parameters;
  readonly #owned = new DisposableStack();
  readonly #state: Variable[] = [];
  /** 1/(1 − β₁ᵗ) and 1/(1 − β₂ᵗ): undo Adam's start from zero. */
  readonly #bias: readonly [Variable, Variable];
  #steps = 0;

  /** An optimizer that has not done any step. */
  constructor(gpu: Gpu, parameters: Parameters) {
    this.#gpu = gpu;
    this.#p = parameters;
    const scalar = () => this.#owned.use(new Variable(gpu, [1, 1, 1, 1]));
    this.#bias = [scalar(), scalar()];
  }

  /** What every update is to be multiplied by. */
  get gain(): number {
    const { optimizer, momentum, momentumDamping } = this.#p;
    return momentumDamping && optimizer !== "adam" ? 1 - momentum : 1;
  }

  /** A running value that starts from zero; nothing where it is forgotten after every step. */
  #running(gradient: Tensor): Variable | undefined {
    if (this.#p.optimizerRestart) return;
    const variable = this.#owned.use(new Variable(this.#gpu, gradient.shape));
    this.#state.push(variable);
    return variable;
  }

  /** Makes the graph of one step for one gradient. */
  step(gradient: Tensor): Update {
    const { optimizer, momentum, beta2 } = this.#p;
    const first = this.#running(gradient);
    const before = (variable: Variable | undefined, decay: number, now: Tensor) =>
      variable ? add(affine(variable.tensor, decay), now) : now;
    const keep = (variable: Variable | undefined, value: Tensor) =>
      variable ? [[variable, value] as const] : [];

    if (optimizer === "adam") {
      const second = this.#running(gradient);
      const mean = before(first, momentum, affine(gradient, 1 - momentum));
      const square = before(second, beta2, affine(mul(gradient, gradient), 1 - beta2));
      const [b1, b2] = this.#bias;
      const deviation = affine(sqrt(mul(square, b2.tensor)), 1, TINY);
      return {
        update: div(mul(mean, b1.tensor), deviation),
        assign: [...keep(first, mean), ...keep(second, square)],
      };
    }
    const velocity = before(first, momentum, gradient);
    return {
      update: optimizer === "sgd" ? velocity : add(gradient, affine(velocity, momentum)),
      assign: keep(first, velocity),
    };
  }

  /** Goes on as if so many steps were done, whose state its variables hold. */
  skip(steps: number): void {
    this.#steps = steps;
  }

  /** To be called before each step. */
  advance(): void {
    this.#steps = this.#p.optimizerRestart ? 1 : this.#steps + 1;
    if (this.#p.optimizer !== "adam") return;
    const { momentum, beta2 } = this.#p;
    this.#bias[0].write([1 / (1 - momentum ** this.#steps)]);
    this.#bias[1].write([1 / (1 - beta2 ** this.#steps)]);
  }

  /** Forgets all steps. */
  reset(): void {
    this.#steps = 0;
    for (const variable of this.#state) {
      variable.write(new Float32Array(variable.shape.reduce((a, b) => a * b)));
    }
  }

  /** Bytes of its state. */
  get bytes(): number {
    return [...this.#state, ...this.#bias].reduce((bytes, variable) => bytes + variable.bytes, 0);
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
