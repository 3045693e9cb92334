/** The part of a network the method looks at: from pictures to the target and the penalty layer. */
import { UserError } from "../base/errors.ts";
import type { Model } from "../models/registry.ts";
import { defaultPenalty, findModule, resolveModule } from "../models/names.ts";
import {
  checkWeights,
  type KnownWeights,
  type Trace,
  traceModel,
  type WeightSource,
} from "../models/trace.ts";
import { constant, globalAveragePool, multiplyAdd, type Shape, type Tensor } from "../ops/mod.ts";

/** What the loop needs to see of a network. */
export interface Observed {
  /** Global average pool of the target layer's output, [K,C,1,1]. */
  readonly pooled: Tensor;
  /** Input of the penalty layer, [K,...]. */
  readonly penalty: Tensor;
}

/** A network with the layers to look at chosen. */
export interface Trunk {
  /** The network. */
  readonly model: Model;
  /** Full name of the layer to visualise. */
  readonly target: string;
  /** Full name of the layer whose input is penalised. */
  readonly penalty: string;
  /** Channels of the target layer. */
  readonly channels: number;
  /**
   * Adds the network to a graph.
   *
   * @param pictures [K,3,H,W], pixel/255 − ½
   */
  observe(pictures: Tensor): Observed;
}

/** (x + ½ − mean)/std. */
function normalise(x: Tensor, { mean, std }: Model["normalisation"]): Tensor {
  const shape: Shape = [1, 3, 1, 1];
  const scale = constant(shape, () => Float32Array.from(std, (s) => 1 / s));
  const shift = constant(shape, () => Float32Array.from(mean, (m, c) => (0.5 - m) / std[c]!));
  return multiplyAdd(x, scale, shift);
}

/**
 * Finds the layers in a network and checks that it can run up to them at this size and that its
 * weights have all they need. Nothing is computed and no weight is read yet.
 *
 * @param names The target layer; the penalty layer is the last convolution before it by default.
 * @param size Side of the pictures in pixels.
 * @param known Weights that traces of the model share; the trunk's own by default.
 * @throws {UserError} when a layer does not exist, the network cannot run up to it at this size, or
 * the weights lack something.
 */
export function openTrunk(
  model: Model,
  weights: WeightSource,
  names: { layer: string; penalty?: string | undefined },
  size: number,
  known: KnownWeights = new Map(),
): Trunk {
  const trial = traceModel(model, [1, 3, size, size], weights, known);
  const target = resolveModule(trial, names.layer);
  const penalty = names.penalty === undefined
    ? defaultPenalty(trial, target)
    : resolveModule(trial, names.penalty);
  const observed = tensorsOf(trial, target, penalty);
  checkWeights(trial, [observed.output, observed.penalty]);
  return {
    model,
    target,
    penalty,
    channels: observed.output.shape[1],
    observe(pictures) {
      const trace = traceModel(model, normalise(pictures, model.normalisation), weights, known);
      const { output, penalty: p } = tensorsOf(trace, target, penalty);
      return { pooled: globalAveragePool(output), penalty: p };
    },
  };
}

/** Several layers of one network, which can look at pictures in one pass. */
export interface Trunks {
  /** One trunk per layer, in the order asked for. */
  readonly trunks: readonly Trunk[];
  /** Where the weights come from. */
  readonly weights: WeightSource;
  /**
   * Global average pools, [K,C,1,1], of some of the layers, sharing the network up to each.
   *
   * @param pictures [K,3,H,W], pixel/255 − ½
   */
  pool(pictures: Tensor, trunks: readonly Trunk[]): Tensor[];
}

/**
 * Opens several layers of a network, as {@linkcode openTrunk} does each.
 *
 * @throws {UserError} as `openTrunk` does, and when two names mean the same layer.
 */
export function openTrunks(
  model: Model,
  weights: WeightSource,
  layers: readonly { layer: string; penalty?: string | undefined }[],
  size: number,
): Trunks {
  const known: KnownWeights = new Map();
  const trunks = layers.map((names) => openTrunk(model, weights, names, size, known));
  trunks.forEach(({ target }, i) => {
    const twin = trunks.findIndex((other) => other.target === target);
    if (twin === i) return;
    throw new UserError(
      `${layers[twin]!.layer} and ${layers[i]!.layer} are both ${target}; name it once`,
    );
  });
  return {
    trunks,
    weights,
    pool(pictures, some) {
      const trace = traceModel(model, normalise(pictures, model.normalisation), weights, known);
      return some.map(({ target }) => globalAveragePool(findModule(trace, target).output));
    },
  };
}

function tensorsOf(trace: Trace, target: string, penalty: string) {
  const output = findModule(trace, target).output;
  const input = findModule(trace, penalty).input;
  if (output.shape[1] < 2) {
    throw new UserError(`${target} has only ${output.shape[1]} channel; choose another layer`);
  }
  return { output, penalty: input };
}
