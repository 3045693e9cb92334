/** The part of a network in which facets are looked for: from pictures to one layer. */
import { UserError } from "../base/errors.ts";
import type { Model } from "../models/registry.ts";
import type { WeightSource } from "../models/formats/weights.ts";
import type { Tensor } from "../ops/mod.ts";
import { Network } from "./network.ts";

/** What is seen of a picture at the layers of a trunk. */
export interface Observed {
  /** Global average pool of the target layer's output, [K,C,1,1]. */
  readonly pooled: Tensor;
  /** Input of the penalty layer, [K,...]. */
  readonly penalty: Tensor;
}

/** A network with the layers to look at chosen. */
export interface Trunk {
  /** The network and its weights. */
  readonly network: Network;
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

/** What of a network a layer's facets are about. */
export interface LayerNames {
  /** The target layer. */
  readonly layer: string;
  /** The penalty layer; by default the last convolution before the target. */
  readonly penalty?: string | undefined;
}

/**
 * Finds the layers in a network and checks that it can run up to them at this size and that its
 * weights have all they need. Nothing is computed and no weight is read yet.
 *
 * @param size Side of the pictures in pixels.
 * @throws {UserError} when a layer does not exist, the network cannot run up to it at this size, or
 * the weights lack something.
 */
export function trunkOf(network: Network, names: LayerNames, size: number): Trunk {
  const target = network.resolve(names.layer);
  const penalty = names.penalty === undefined
    ? network.penaltyFor(target, size)
    : network.resolve(names.penalty);
  const [output] = network.check(
    [{ module: target, of: "output" }, { module: penalty, of: "input" }],
    size,
  );
  const channels = output![1];
  if (channels < 2) {
    throw new UserError(`${target} has only ${channels} channel; choose another layer`);
  }
  return {
    network,
    model: network.model,
    target,
    penalty,
    channels,
    observe(pictures) {
      const seen = network.see(pictures);
      return {
        pooled: seen.get({ module: target, of: "pool" }),
        penalty: seen.get({ module: penalty, of: "input" }),
      };
    },
  };
}

/** {@linkcode trunkOf} a network and weights that nothing else is made of. */
export function openTrunk(
  model: Model,
  weights: WeightSource,
  names: LayerNames,
  size: number,
): Trunk {
  return trunkOf(new Network(model, weights), names, size);
}

/** Several layers of one network, which can look at pictures in one pass. */
export interface Trunks {
  /** The network and its weights. */
  readonly network: Network;
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
  layers: readonly LayerNames[],
  size: number,
): Trunks {
  const network = new Network(model, weights);
  const trunks = layers.map((names) => trunkOf(network, names, size));
  trunks.forEach(({ target }, i) => {
    const twin = trunks.findIndex((other) => other.target === target);
    if (twin === i) return;
    throw new UserError(
      `${layers[twin]!.layer} and ${layers[i]!.layer} are both ${target}; name it once`,
    );
  });
  return {
    network,
    trunks,
    weights,
    pool(pictures, some) {
      const seen = network.see(pictures);
      return some.map(({ target }) => seen.get({ module: target, of: "pool" }));
    },
  };
}
