/** What descends along the loss beside the pictures, such as the adaptive distance's α and c. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import { add, affine, mul, type Shape, sub, type Tensor, Variable } from "../../ops/mod.ts";
import type { Parameters } from "../parameters.ts";
import type { Optimizer } from "./optimizer.ts";

/** What a loop has learned, by the names that its objective gave. */
export type Learned = Readonly<Record<string, Float32Array>>;

/** A variable and its new value. */
export type Assignment = readonly [Variable, Tensor];

/** The tensors that an objective learns, shared by all pictures. */
export class Learning implements Disposable {
  readonly #gpu: Gpu;
  readonly #p: Parameters;
  readonly #optimizer: Optimizer;
  readonly #lr: Tensor;
  readonly #owned = new DisposableStack();
  readonly #latents = new Map<string, { variable: Variable; gain: number }>();
  /** Slopes of groups that take turns. */
  readonly #slopes: Variable[] = [];
  /** The optimizer's. */
  readonly #momenta: Variable[] = [];

  /** Nothing is learned yet. */
  constructor(gpu: Gpu, parameters: Parameters, optimizer: Optimizer, lr: Tensor) {
    this.#gpu = gpu;
    this.#p = parameters;
    this.#optimizer = optimizer;
    this.#lr = lr;
  }

  /** A tensor to learn, the same one whenever its name is asked for. */
  tensor(name: string, shape: Shape, gain: number): Tensor {
    let known = this.#latents.get(name);
    if (!known) {
      known = { variable: this.#owned.use(new Variable(this.#gpu, shape)), gain };
      this.#latents.set(name, known);
    }
    return known.variable.tensor;
  }

  /** All of them, in the order in which they were asked for. */
  get tensors(): Tensor[] {
    return [...this.#latents.values()].map(({ variable }) => variable.tensor);
  }

  /** Whether what is learned is kept: restarted after every step, nothing is ever learned. */
  get #keeps(): boolean {
    return this.#latents.size > 0 && !this.#p.optimizerRestart;
  }

  /**
   * What is learned from the slopes of the loss that groups of pictures give. One group learns in its
   * step; of several each hands in its slopes, and then their sum is learned from.
   *
   * @param slopes of each group, in the order of {@linkcode tensors}
   */
  assignments(
    slopes: readonly (readonly Tensor[])[],
  ): { ofGroups: Assignment[][]; together: Assignment[] } {
    if (!this.#keeps) return { ofGroups: slopes.map(() => []), together: [] };
    const [first] = slopes as [readonly Tensor[]];
    if (slopes.length === 1) return { ofGroups: [this.#learn(first)], together: [] };
    const ofGroups = slopes.map((each) =>
      each.map((slope): Assignment => {
        const kept = this.#owned.use(new Variable(this.#gpu, slope.shape));
        this.#slopes.push(kept);
        return [kept, slope];
      })
    );
    const total = first.map((_, i) =>
      ofGroups.map((each): Tensor => each[i]![0].tensor).reduce((a, b) => add(a, b))
    );
    return { ofGroups, together: this.#learn(total) };
  }

  #learn(slopes: readonly Tensor[]): Assignment[] {
    return [...this.#latents.values()].flatMap(({ variable, gain }, i) => {
      const { update, assign } = this.#optimizer.step(affine(slopes[i]!, gain));
      this.#momenta.push(...assign.map(([momentum]) => momentum));
      const step = mul(affine(update, this.#optimizer.gain * this.#p.adaptiveLr), this.#lr);
      return [[variable, sub(variable.tensor, step)] as const, ...assign];
    });
  }

  /** All that it takes from one iteration to the next. */
  get saved(): ReadonlyMap<string, Variable> {
    return new Map([
      ...[...this.#latents].map(([name, { variable }]) => [`learned ${name}`, variable] as const),
      ...this.#momenta.map((momentum, i) => [`learning momentum ${i}`, momentum] as const),
    ]);
  }

  /** Sets what is known already. */
  write(learned: Learned): void {
    for (const [name, values] of Object.entries(learned)) {
      this.#latents.get(name)?.variable.write(values);
    }
  }

  /** What was learned; nothing where nothing is. */
  async read(): Promise<Learned | undefined> {
    if (!this.#keeps) return;
    const read: Record<string, Float32Array> = {};
    for (const [name, { variable }] of this.#latents) read[name] = await variable.read();
    return read;
  }

  /** Bytes of its variables. */
  get bytes(): number {
    return [...this.#latents.values()].map(({ variable }) => variable).concat(this.#slopes)
      .reduce((bytes, variable) => bytes + variable.bytes, 0);
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
