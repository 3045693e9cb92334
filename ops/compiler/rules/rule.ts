/** What a rewrite rule is. */
import type { Tensor } from "../../graph/tensor.ts";
import type { Rewriting } from "./rewrite.ts";

/** What takes a node's place; nothing where the rule does not apply. Its inputs were rewritten before. */
export type NodeRule = (n: Tensor, graph: Rewriting) => Tensor | undefined;

/** For each result of a graph, the tensor that now has its value. */
export type GraphRule = (roots: readonly Tensor[]) => Tensor[];

/** A rewrite of a graph. What somebody asked for keeps its value. */
export type Rule =
  & {
    readonly name: string;
    /** Why it is worth doing. */
    readonly reason: string;
  }
  & ({ readonly node: NodeRule } | { readonly graph: GraphRule });
