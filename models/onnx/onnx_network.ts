/** A network in an ONNX file, as modules: its nodes, and the parts that their names tell of. */
import { UserError } from "../../base/errors.ts";
import type { Tensor } from "../../ops/mod.ts";
import type { OnnxFile } from "../formats/onnx/onnx_file.ts";
import { isWhole } from "../formats/onnx/tensor.ts";
import { Module, type Scope } from "../module.ts";
import { Call, type Surroundings, type Value } from "./call.ts";
import { type Graph, graphOf, modulePath, type NamedNode, prefixesOf } from "./graph.ts";
import { HostArray } from "./host_array.ts";
import { HOST_OPERATORS } from "./operators/host.ts";
import { OPERATORS } from "./operators/mod.ts";
import { View } from "./view.ts";

/** What a run knows of the values of the graph by their names. */
interface Run {
  readonly values: Map<string, Value>;
  /** Why a value is not there. */
  readonly missing: Map<string, string>;
  readonly around: Surroundings;
}

/** A node. */
class OnnxNode extends Module {
  readonly #node: NamedNode;
  readonly #network: OnnxNetwork;

  constructor(node: NamedNode, network: OnnxNetwork) {
    super();
    this.#node = node;
    this.#network = network;
  }

  /** The operator. */
  get type(): string {
    return this.#node.type;
  }

  forward(_x: Tensor, scope: Scope): Tensor {
    const { values } = this.#network.runOf(scope);
    this.#network.compute(this.#node, scope);
    return shown(values.get(this.#node.outputs.find((output) => output)!)!);
  }
}

/** Something that was computed already: a further output of a node, or a part of the network. */
class OnnxPart extends Module {
  /** The operator, or that it is a part. */
  readonly type: string;
  /** The value it gives. */
  readonly gives: string;
  readonly #network: OnnxNetwork;

  constructor(type: string, gives: string, network: OnnxNetwork) {
    super();
    this.type = type;
    this.gives = gives;
    this.#network = network;
  }

  forward(_x: Tensor, scope: Scope): Tensor {
    return shown(this.#network.valueNamed(this.gives, scope));
  }
}

function shown(value: Value): Tensor {
  if (value instanceof View) return value.shown;
  throw new UserError("it does not depend on the picture");
}

/** A part of the network: all nodes with the same beginning of their names. */
interface Part {
  readonly nodes: NamedNode[];
}

/** Nodes whose result is not what a network says but which of its answers is the largest. */
const CHOICES = ["ArgMax", "ArgMin", "TopK", "Cast", "Identity", "Dropout", "Squeeze", "Unsqueeze"];

/** Numbers of a computed constant, at most, if the file itself has fewer. */
const MOST_COMPUTED = 2 ** 24;

/** Nodes that know their result from sizes, even of pictures. */
const SIZES = ["Shape", "Size"];

/** The network of an ONNX file, [N,C,H,W] (or [N,H,W,C], where the file says so) to its outputs. */
export class OnnxNetwork extends Module {
  readonly type = "ONNX graph";
  readonly #file: OnnxFile;
  readonly #graph: Graph;
  /** Weights, and what follows from them alone, so that it is the same in every run. */
  readonly #known = new Map<string, HostArray>();
  readonly #nodes = new Map<NamedNode, OnnxNode>();
  readonly #parts: readonly [name: string, part: Part, module: OnnxPart][];
  readonly #further: readonly [name: string, node: NamedNode, module: OnnxPart][];
  readonly #children: [name: string, child: Module][] = [];
  readonly #aliases = new Map<string, string>();
  readonly #runs = new WeakMap<Scope, Run>();

  /** @throws {UserError} If the graph is broken. */
  constructor(file: OnnxFile) {
    super();
    this.#file = file;
    this.#graph = graphOf(file);
    for (const tensor of file.graph.initializers) {
      const array = new HostArray(
        tensor.dims,
        isWhole(tensor.type),
        () => file.numbers(tensor),
      );
      this.#known.set(tensor.name, array);
    }
    const { parts, further } = this.#name();
    this.#parts = parts;
    this.#further = further;
  }

  /** The graph. */
  get graph(): Graph {
    return this.#graph;
  }

  /** Numbers that depend on no picture; of what follows from weights only after a run. */
  known(name: string): HostArray | undefined {
    return this.#known.get(name);
  }

  /** Nodes, further outputs of nodes, and parts, each part before its nodes. */
  override children(): [name: string, child: Module][] {
    return this.#children;
  }

  /** What nodes give, by its own name; and PyTorch's paths of modules. */
  override aliases(): ReadonlyMap<string, string> {
    return this.#aliases;
  }

  /** Whether the file says that its pictures have their channels last. */
  get channelsLast(): boolean {
    const dims = this.#graph.picture.dims;
    const colours = (size: number | string | undefined) => size === 1 || size === 3;
    return dims !== undefined && colours(dims[3]) && !colours(dims[1]);
  }

  /** Adds it to the graph. What cannot be computed is left out; the rest is there. */
  forward(x: Tensor, scope: Scope): Tensor {
    const { picture, nodes, outputs } = this.#graph;
    const declared = picture.dims?.[0];
    const run: Run = {
      values: new Map<string, Value>(this.#known),
      missing: new Map(),
      around: {
        file: this.#file,
        opset: this.#file.model.opsets.get("") ?? 1,
        batch: {
          declared: typeof declared === "number" && declared > 0 ? declared : undefined,
          actual: x.shape[0],
        },
      },
    };
    const given = View.of(x, x.shape);
    run.values.set(picture.name, this.channelsLast ? given.transposed([0, 2, 3, 1]) : given);
    for (const { name } of this.#file.graph.inputs) {
      if (run.values.has(name)) continue;
      run.missing.set(name, `the network has a second input, "${name}", which is no picture`);
    }
    this.#runs.set(scope, run);
    for (const node of nodes) this.#step(node, x, run, scope);
    for (const [, node, module] of this.#further) {
      if (run.values.get(module.gives) instanceof View) {
        scope.run(this.#inputOf(node, run) ?? x, module);
      }
    }
    for (const [, { nodes: [first] }, module] of this.#parts) {
      if (run.values.get(module.gives) instanceof View) {
        scope.run(this.#inputOf(first!, run) ?? x, module);
      }
    }
    return shown(this.valueNamed(this.#answer(outputs, run), scope));
  }

  /** What is known of a run. */
  runOf(scope: Scope): Run {
    return this.#runs.get(scope)!;
  }

  /**
   * A value of a run by its name.
   *
   * @throws {UserError} Saying why it is not there.
   */
  valueNamed(name: string, scope: Scope): Value {
    const { values, missing } = this.runOf(scope);
    const value = values.get(name);
    if (value) return value;
    throw new UserError(missing.get(name) ?? `nothing in the graph gives "${name}"`);
  }

  /**
   * Computes a node, whose outputs are then among the values.
   *
   * @throws {UserError} Naming the operator and the node.
   */
  compute(node: NamedNode, scope: Scope): void {
    const { values, around } = this.runOf(scope);
    const inputs = node.inputs.map((input) => input ? this.valueNamed(input, scope) : undefined);
    const results = this.#results(node, inputs, around);
    node.outputs.forEach((output, i) => {
      const value = results[i];
      if (output && value) values.set(output, value);
      else if (output) {
        this.runOf(scope).missing.set(output, `${describe(node)} gives no output ${i} here`);
      }
    });
  }

  #results(
    node: NamedNode,
    inputs: readonly (Value | undefined)[],
    around: Surroundings,
  ): readonly (Value | undefined)[] {
    const call = new Call(node, inputs, around);
    const own = node.domain === "";
    const known = inputs.every((input) => input === undefined || input instanceof HostArray);
    const host = own && known && Object.hasOwn(HOST_OPERATORS, node.type)
      ? HOST_OPERATORS[node.type]
      : undefined;
    const operator = host ??
      (own && Object.hasOwn(OPERATORS, node.type) ? OPERATORS[node.type] : undefined);
    if (!operator) {
      const name = own ? node.type : `${node.domain}.${node.type}`;
      throw new UserError(`${name} (node "${node.name}") is an operator that is not supported`);
    }
    try {
      const result = operator(call);
      const found = (Array.isArray(result) ? result : [result]) as readonly Value[];
      const large = found.find((value) =>
        value instanceof HostArray && !(value.size <= Math.max(MOST_COMPUTED, this.#file.count))
      );
      if (large) throw new UserError(`a constant of [${large.dims}] numbers is too large`);
      return found;
    } catch (error) {
      if (!(error instanceof UserError || error instanceof RangeError)) throw error;
      throw new UserError(`${describe(node)}: ${error.message}`);
    }
  }

  /** One node of a run. Where it fails, what it would give is missing, and the run goes on. */
  #step(node: NamedNode, x: Tensor, run: Run, scope: Scope): void {
    if (node.outputs.every((output) => this.#known.has(output))) return;
    const { values } = run;
    try {
      // Sizes are known beforehand, even those of pictures.
      const onHost = SIZES.includes(node.type) || (Object.hasOwn(HOST_OPERATORS, node.type) &&
        node.inputs.every((input) => !input || values.get(input) instanceof HostArray));
      if (!onHost) return void scope.run(this.#inputOf(node, run) ?? x, this.#nodes.get(node)!);
      const fixed = node.inputs.every((input) => !input || this.#known.has(input));
      this.compute(node, scope);
      for (const output of fixed ? node.outputs : []) {
        const value = values.get(output);
        if (value instanceof HostArray) this.#known.set(output, value);
      }
    } catch (error) {
      if (!(error instanceof UserError || error instanceof RangeError)) throw error;
      for (const output of node.outputs) run.missing.set(output, error.message);
    }
  }

  /** The first input that depends on the picture. */
  #inputOf(node: NamedNode, { values }: Run): Tensor | undefined {
    const view = node.inputs.map((input) => values.get(input))
      .find((value): value is View => value instanceof View);
    return view?.shown;
  }

  /** The output to look at: what a network says, not which of its answers is the largest. */
  #answer(outputs: readonly string[], run: Run): string {
    const makers = new Map(
      this.#graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
    );
    const found = outputs.find((output) => run.values.get(output) instanceof View) ?? outputs[0]!;
    let name = found;
    while (!(run.values.get(name) instanceof View)) {
      const maker = makers.get(name);
      if (!maker || !CHOICES.includes(maker.type)) return found;
      name = maker.inputs[0]!;
    }
    return name;
  }

  /** Gives names to all that can be asked for. */
  #name() {
    const { nodes } = this.#graph;
    const taken = new Set(nodes.map(({ name }) => name));
    const parts = new Map<string, Part>();
    for (const node of nodes) {
      for (const prefix of prefixesOf(node.name)) {
        if (!parts.has(prefix)) parts.set(prefix, { nodes: [] });
        parts.get(prefix)!.nodes.push(node);
      }
    }
    const users = new Map<string, NamedNode[]>();
    for (const node of nodes) {
      for (const input of node.inputs) {
        if (!users.has(input)) users.set(input, []);
        users.get(input)!.push(node);
      }
    }
    const namedParts: [string, Part, OnnxPart][] = [];
    const further: [string, NamedNode, OnnxPart][] = [];
    const known = new Set<string>();
    const beforehand = new Set(this.#known.keys());
    for (const node of nodes) {
      for (const prefix of prefixesOf(node.name)) {
        if (known.has(prefix)) continue;
        known.add(prefix);
        const part = parts.get(prefix)!;
        // What a part gives is what others use of it, the last of it.
        const inside = new Set(part.nodes);
        const last = part.nodes.findLast(({ outputs }) =>
          outputs.some((output) =>
            (users.get(output) ?? []).some((user) => !inside.has(user))
          ) ||
          outputs.some((output) => this.#graph.outputs.includes(output))
        ) ?? part.nodes.at(-1)!;
        const path = modulePath(prefix);
        if (part.nodes.length === 1 || taken.has(prefix)) {
          this.#alias(prefix, last.name);
          this.#alias(path, last.name);
          continue;
        }
        const module = new OnnxPart("Part", last.outputs.find((output) => output) ?? "", this);
        taken.add(prefix);
        this.#children.push([prefix, module]);
        this.#alias(path, prefix);
        namedParts.push([prefix, part, module]);
      }
      const module = new OnnxNode(node, this);
      this.#nodes.set(node, module);
      // What is made of weights or sizes alone is no layer.
      const made = SIZES.includes(node.type) || (Object.hasOwn(HOST_OPERATORS, node.type) &&
        node.inputs.every((input) => !input || beforehand.has(input)));
      if (made) {
        for (const output of node.outputs) beforehand.add(output);
        continue;
      }
      this.#children.push([node.name, module]);
      const [first, ...others] = node.outputs.filter((output) => output);
      if (first) this.#alias(first, node.name);
      for (const output of others) {
        if (taken.has(output)) continue;
        taken.add(output);
        const more = new OnnxPart(node.type, output, this);
        this.#children.push([output, more]);
        further.push([output, node, more]);
      }
    }
    return { parts: namedParts, further };
  }

  #alias(name: string, path: string): void {
    if (name !== path && !this.#aliases.has(name)) this.#aliases.set(name, path);
  }
}

function describe(node: NamedNode): string {
  return `${node.type} (node "${node.name}")`;
}
