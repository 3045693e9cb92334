/** The graph of an ONNX file, checked and in order, with a name for every node. */
import { UserError } from "../../base/errors.ts";
import type { OnnxFile } from "../formats/onnx/onnx_file.ts";
import type { NodeProto, ValueInfo } from "../formats/onnx/proto.ts";

/** A node, its name never empty and never that of another. */
export interface NamedNode extends NodeProto {
  /** How many nodes are before it. */
  readonly index: number;
}

/** A graph that can be run from its first node to its last. */
export interface Graph {
  /** The nodes, each after those it needs. */
  readonly nodes: readonly NamedNode[];
  /** Where pictures come in. */
  readonly picture: ValueInfo;
  /** What comes out. */
  readonly outputs: readonly string[];
}

/**
 * The graph of a file.
 *
 * @throws {UserError} If it takes no pictures, uses what nobody makes, or is a circle.
 */
export function graphOf(file: OnnxFile): Graph {
  const { nodes, inputs, outputs } = file.graph;
  const given = inputs.filter(({ name }) => !file.has(name));
  const picture = given.find(({ dims }) => dims?.length === 4) ?? given.find(({ dims }) => !dims);
  if (!picture) {
    const found = given.map(({ name, dims }) => `"${name}" [${dims ?? ""}]`).join(", ");
    throw new UserError(
      `${file.name}: none of its inputs is a picture; expected one of four sizes [N,C,H,W], got ${
        found || "none"
      }`,
    );
  }
  return {
    nodes: inOrder(file, named(nodes), new Set(inputs.map(({ name }) => name))),
    picture,
    outputs: outputs.map(({ name }) => name),
  };
}

/** Nodes with names of their own: what they give, or what they do and which of these they are. */
function named(nodes: readonly NodeProto[]): NamedNode[] {
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  return nodes.map((node, index) => {
    const count = counts.get(node.type) ?? 0;
    counts.set(node.type, count + 1);
    const wanted = node.name || node.outputs.find((output) => output) || `${node.type}_${count}`;
    let name = wanted;
    for (let i = 2; taken.has(name); i++) name = `${wanted}:${i}`;
    taken.add(name);
    return { ...node, name, index };
  });
}

/** ONNX asks for this order; some tools forget. */
function inOrder(
  file: OnnxFile,
  nodes: readonly NamedNode[],
  inputs: ReadonlySet<string>,
): NamedNode[] {
  const makers = new Map<string, NamedNode>();
  for (const node of nodes) {
    for (const output of node.outputs) {
      if (!output) continue;
      if (makers.has(output)) {
        throw new UserError(`${file.name}: "${output}" is made by two nodes`);
      }
      makers.set(output, node);
    }
  }
  const done = new Set<NamedNode>(), begun = new Set<NamedNode>();
  const order: NamedNode[] = [];
  for (const root of nodes) {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (done.has(node)) {
        stack.pop();
        continue;
      }
      const missing: NamedNode[] = [];
      for (const input of node.inputs) {
        if (!input || inputs.has(input) || file.has(input)) continue;
        const maker = makers.get(input);
        if (!maker) {
          throw new UserError(
            `${file.name}: ${node.type} "${node.name}" needs "${input}", which nothing in the ` +
              "graph gives",
          );
        }
        if (!done.has(maker)) missing.push(maker);
      }
      if (missing.length === 0) {
        done.add(node);
        order.push(node);
        stack.pop();
      } else if (begun.has(node)) {
        throw new UserError(`${file.name}: ${node.type} "${node.name}" needs what it gives itself`);
      } else {
        begun.add(node);
        stack.push(...missing.reverse());
      }
    }
  }
  return order;
}

/** Prefixes that more than one node has, as far as `/` parts names: the parts of the network. */
export function prefixesOf(name: string): string[] {
  const prefixes: string[] = [];
  for (let at = name.indexOf("/", 1); at > 0; at = name.indexOf("/", at + 1)) {
    prefixes.push(name.slice(0, at));
  }
  return prefixes;
}

/**
 * PyTorch's path of a module from the scope that its exporter wrote, in which each part of a
 * Sequential repeats its parent's name: `/layer1/layer1.0/conv1` is `layer1.0.conv1`.
 */
export function modulePath(prefix: string): string {
  const path: string[] = [];
  for (const part of prefix.split("/").filter((each) => each)) {
    if (path.length > 0 && part.startsWith(`${path.at(-1)}.`)) path[path.length - 1] = part;
    else path.push(part);
  }
  return path.join(".");
}
