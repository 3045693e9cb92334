/**
 * The rewrites of a graph before it is computed, forward and backward alike: they come after
 * differentiation.
 */
import { ancestors } from "../autograd/gradient.ts";
import type { Tensor } from "../graph/tensor.ts";
import { addResidual, gateGradient, rectify } from "./rules/epilogue.ts";
import { foldConstants } from "./rules/fold_constants.ts";
import { fuseElements } from "./rules/fuse_elements.ts";
import { gatePooled } from "./rules/gate_pooled.ts";
import { joinRectifiers } from "./rules/join_rectifiers.ts";
import { rewrite, Rewriting, usesOf } from "./rules/rewrite.ts";
import type { NodeRule, Rule } from "./rules/rule.ts";
import {
  scaleInputsOfGradient,
  scaleOutputs,
  scaleOutputsOfGradient,
} from "./rules/scale_weights.ts";

/**
 * All of them, in the order in which they apply. Rules of single nodes that stand together share a
 * pass over the graph, inputs first; of several that fit a node the first one has it.
 */
export const RULES = [
  {
    name: "joinRectifiers",
    reason:
      "one gate for the gradient of a concatenation, instead of one for each slice of it, can " +
      "become the epilogue of what computes that gradient",
    graph: joinRectifiers,
  },
  {
    name: "gatePooled",
    reason:
      "a gate before a pool spreads its gradient reads the mask of the pooled picture, which " +
      "is smaller, and can become the epilogue of what computes that gradient",
    graph: gatePooled,
  },
  {
    name: "foldConstants",
    reason:
      "functions of one number per channel, such as the scale of a batch normalisation, need " +
      "no dispatch when the numbers are known; and as constants they can become part of weights",
    node: foldConstants,
  },
  {
    name: "scaleOutputs",
    reason: "a batch normalisation that is part of a convolution's weights and bias costs nothing",
    node: scaleOutputs,
  },
  {
    name: "scaleOutputsOfGradient",
    reason: "its gradient is part of weights too, of the same that the forward pass reads",
    node: scaleOutputsOfGradient,
  },
  {
    name: "scaleInputsOfGradient",
    reason:
      "the gradient for scaled channels, such as those of a normalised picture, saves a pass " +
      "over the picture",
    node: scaleInputsOfGradient,
  },
  {
    name: "addResidual",
    reason: "a convolution that adds the shortcut saves storing and loading its own result",
    node: addResidual,
  },
  {
    name: "rectify",
    reason: "a convolution that rectifies saves as much",
    node: rectify,
  },
  {
    name: "gateGradient",
    reason:
      "a convolution's gradient that applies the gradient of the rectifier before saves as much",
    node: gateGradient,
  },
  {
    name: "fuseElements",
    reason:
      "what passes between element functions in one kernel never goes through memory; last, " +
      "because as a convolution's epilogue a function saves more",
    graph: fuseElements,
  },
] as const satisfies readonly Rule[];

/**
 * Rewrites the graph below some tensors by some rules, in their order.
 *
 * @returns for each of the tensors, the one that now has its value
 */
export function rewriteGraph(asked: readonly Tensor[], rules: readonly Rule[] = RULES): Tensor[] {
  let roots = [...asked];
  let together: NodeRule[] = [];
  const pass = () => {
    if (together.length > 0) roots = rewriteNodes(roots, together);
    together = [];
  };
  for (const rule of rules) {
    if ("node" in rule) together.push(rule.node);
    else {
      pass();
      roots = rule.graph(roots);
    }
  }
  pass();
  return roots;
}

/** One pass of rules of single nodes. */
function rewriteNodes(roots: readonly Tensor[], rules: readonly NodeRule[]): Tensor[] {
  const nodes = ancestors(roots);
  const now = new Map<Tensor, Tensor>();
  const graph = new Rewriting(now, usesOf(nodes, roots));
  rewrite(nodes, now, (n) => {
    for (const rule of rules) {
      const replacement = rule(n, graph);
      if (replacement) return replacement;
    }
  });
  return roots.map((root) => now.get(root)!);
}
