/** Networks as trees of named modules, after `torch.nn.Module`. */
import type { Shape, Tensor } from "../ops/mod.ts";

/**
 * A part of a network. Its children are the fields that hold modules, in the order they are
 * declared, under the fields' names: as in PyTorch.
 *
 * @example
 * ```ts ignore
 * class Block extends Module {
 *   readonly type = "Block";
 *   readonly conv = new Conv2d(3, 16, 3, { padding: 1 });
 *   readonly relu = new ReLU();
 *   forward(x: Tensor, scope: Scope): Tensor {
 *     return add(scope.run(x, this.conv, this.relu), x);
 *   }
 * }
 * ```
 */
export abstract class Module {
  /** The name of the class in PyTorch, such as `Conv2d`. */
  abstract readonly type: string;

  /** Adds the module's operations to the graph. Calls children through {@linkcode Scope.run}. */
  abstract forward(x: Tensor, scope: Scope): Tensor;

  /** The children with their names, in order. */
  children(): [name: string, child: Module][] {
    return Object.entries(this).filter((field): field is [string, Module] =>
      field[1] instanceof Module
    );
  }

  /** Other names that parts of the network go by, and the paths they mean; of the root only. */
  aliases(): ReadonlyMap<string, string> {
    return new Map();
  }

  /** The module's own weights: names and shapes as in PyTorch's `state_dict`. */
  parameters(): Readonly<Record<string, readonly number[]>> {
    return {};
  }
}

/** What a module sees of the network around it while it adds its operations to the graph. */
export interface Scope {
  /** Runs modules of the tree one after another, each on the result of the one before. */
  run(x: Tensor, ...modules: Module[]): Tensor;

  /**
   * One of a module's own {@linkcode Module.parameters}, read from the weights when needed.
   *
   * @param shape The shape it takes in the graph. Default: `[C]` becomes `[1,C,1,1]`, `[O,I]`
   * becomes `[O,I,1,1]`.
   */
  parameter(module: Module, name: string, shape?: Shape): Tensor;
}

/** Every module by its path, parents first, the root under `""`: PyTorch's `named_modules()`. */
export function namedModules(root: Module): Map<string, Module> {
  const found = new Map<string, Module>();
  const seen = new Set<Module>();
  const visit = (module: Module, path: string): void => {
    if (seen.has(module)) return;
    seen.add(module);
    found.set(path, module);
    for (const [name, child] of module.children()) visit(child, joinPath(path, name));
  };
  visit(root, "");
  return found;
}

/** The shape of every weight by its key: PyTorch's `state_dict()`, less `num_batches_tracked`. */
export function stateDict(root: Module): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const [path, module] of namedModules(root)) {
    for (const [name, shape] of Object.entries(module.parameters())) {
      shapes.set(joinPath(path, name), shape);
    }
  }
  return shapes;
}

/** `layer1` and `conv` make `layer1.conv`; the root's own path is empty. */
export function joinPath(parent: string, name: string): string {
  return parent === "" ? name : `${parent}.${name}`;
}
