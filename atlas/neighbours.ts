/**
 * The pictures that look most like each of many, by their numbers along the axes in which they differ
 * most. Of few all are compared; of many only those that lie in the same parts of the space (an
 * inverted file over k-means).
 *
 * Source: Sivic and Zisserman, "Video Google: a text retrieval approach to object matching in videos",
 * ICCV 2003.
 */
import { Random } from "../base/random.ts";
import { kmeans } from "../vis/facets/kmeans.ts";
import { Moments } from "../vis/facets/moments.ts";
import { finish } from "../vis/facets/steps.ts";

/** A picture that looks like another. */
export interface Neighbour {
  /** Place among all. */
  readonly picture: number;
  /** How much: the cosine of what sets both apart from the mean of all, 0..1. */
  readonly like: number;
}

/** What to look for. */
export interface NeighbourOptions {
  /** Numbers of a picture. */
  readonly dimensions: number;
  /** Pictures with the same number are no neighbours: they are shown beside each other anyway. */
  readonly runOf: ArrayLike<number>;
  /** Of pictures with the same number the nearest come first, then those of others. */
  readonly layerOf: ArrayLike<number>;
  /** All are compared up to this many; 2,000 by default. */
  readonly exact?: number;
}

/** Neighbours that are told of. */
const MOST = 6;
/** Of these in the same layer, where there are others. */
const MOST_OF_A_LAYER = 2;
/** The nearest of which they are chosen. */
const CHOICE = 24;
/** What is less like another does not look like it. */
const LEAST_LIKE = 0.5;
/** Axes by which pictures are compared: 95 % of what sets the pictures of two networks apart. */
const AXES = 24;
/** Most pictures by which the axes are found. */
const MEASURED = 10_000;
/** Parts that are searched for each picture. */
const PARTS_SEARCHED = 4;
/** Pictures of each part that k-means is shown, and its rounds. */
const [SHOWN, ROUNDS] = [12, 6];

/**
 * Finds the neighbours of each picture, nearest first. The same pictures have the same neighbours.
 *
 * @param numbers [n, dimensions]
 * @returns one at a time, so that not all are held; in no order
 */
export function* neighbours(
  numbers: Int8Array,
  options: NeighbourOptions,
): Generator<{ picture: number; found: Neighbour[] }> {
  const { dimensions, exact = 2000 } = options;
  const n = numbers.length / dimensions;
  if (n < 2) {
    if (n === 1) yield { picture: 0, found: [] };
    return;
  }
  const space = spaceOf(numbers, dimensions);
  const { points, order, starts, near } = sorted(space, n, n > exact ? partsOf(n) : 1);
  const runs = Int32Array.from(order, (picture) => options.runOf[picture]!);
  const nearest = new Nearest();
  for (let part = 0; part + 1 < starts.length; part++) {
    for (let own = starts[part]!; own < starts[part + 1]!; own++) {
      nearest.clear();
      const from = own * space.axes;
      for (let k = 0; k < near.length / n; k++) {
        const searched = near[own * (near.length / n) + k]!;
        for (let other = starts[searched]!; other < starts[searched + 1]!; other++) {
          if (runs[other] === runs[own]) continue;
          let like = 0;
          const at = other * space.axes;
          for (let d = 0; d < space.axes; d++) like += points[from + d]! * points[at + d]!;
          if (like > nearest.least) nearest.add(order[other]!, like);
        }
      }
      yield { picture: order[own]!, found: choose(nearest.list, options.layerOf) };
    }
  }
}

const partsOf = (n: number) => Math.round(1.5 * Math.sqrt(n));

/** The most like so far, most like first. */
class Nearest {
  readonly list: Neighbour[] = [];
  least = LEAST_LIKE;

  clear(): void {
    this.list.length = 0;
    this.least = LEAST_LIKE;
  }

  add(picture: number, like: number): void {
    let at = this.list.length;
    while (at > 0 && this.list[at - 1]!.like < like) at--;
    this.list.splice(at, 0, { picture, like });
    if (this.list.length > CHOICE) this.list.pop();
    if (this.list.length === CHOICE) this.least = this.list[CHOICE - 1]!.like;
  }
}

/** Those to tell of: what a layer has of the kind is soon said, so others come in as well. */
function choose(list: readonly Neighbour[], layerOf: ArrayLike<number>): Neighbour[] {
  const counts = new Map<number, number>();
  const isRest = ({ picture }: Neighbour) => {
    const count = (counts.get(layerOf[picture]!) ?? 0) + 1;
    counts.set(layerOf[picture]!, count);
    return count > MOST_OF_A_LAYER;
  };
  const rest = list.filter(isRest);
  const first = list.filter((each) => !rest.includes(each)).slice(0, MOST);
  return [...first, ...rest.slice(0, MOST - first.length)]
    .toSorted((a, b) => b.like - a.like || a.picture - b.picture);
}

/** Where pictures lie. */
interface Space {
  /** Numbers of a point. */
  readonly axes: number;
  /** Puts a picture there, as a point of length 1 from the middle of all. */
  readonly put: (picture: number, points: Float32Array, at: number) => void;
}

function spaceOf(numbers: Int8Array, dimensions: number): Space {
  const n = numbers.length / dimensions;
  const measured = Math.min(n, MEASURED);
  const moments = new Moments(dimensions);
  const some = new Float32Array(measured * dimensions);
  const random = new Random(0);
  for (let i = 0; i < measured; i++) {
    const from = (measured < n ? random.integer(n) : i) * dimensions;
    some.set(numbers.subarray(from, from + dimensions), i * dimensions);
  }
  moments.add(some);
  const { mean, axes } = finish(moments.axes(AXES));
  const offsets = axes.map((axis) => axis.reduce((sum, value, d) => sum + value * mean[d]!, 0));
  const put = (picture: number, points: Float32Array, at: number) => {
    let sum = 0;
    for (let k = 0; k < axes.length; k++) {
      const axis = axes[k]!;
      let value = -offsets[k]!;
      for (let d = 0; d < dimensions; d++) value += axis[d]! * numbers[picture * dimensions + d]!;
      points[at + k] = value;
      sum += value * value;
    }
    const length = Math.sqrt(sum) || 1;
    for (let k = 0; k < axes.length; k++) points[at + k]! /= length;
  };
  return { axes: axes.length, put };
}

/** Pictures in parts of the space: points that lie part by part. */
interface Sorted {
  readonly points: Float32Array;
  /** Which picture each point is. */
  readonly order: Int32Array;
  /** Where each part begins, and the last ends. */
  readonly starts: Int32Array;
  /** For each point the parts it is nearest to, its own first. */
  readonly near: Int32Array;
}

function sorted({ axes, put }: Space, n: number, parts: number): Sorted {
  const searched = Math.min(PARTS_SEARCHED, parts);
  const own = new Int32Array(n * searched);
  if (parts > 1) {
    const centres = centresOf(n, { axes, put }, parts);
    const point = new Float32Array(axes);
    const likes = new Float64Array(searched);
    for (let picture = 0; picture < n; picture++) {
      put(picture, point, 0);
      likes.fill(-Infinity);
      for (let part = 0; part < parts; part++) {
        let like = 0;
        const at = part * axes;
        for (let d = 0; d < axes; d++) like += point[d]! * centres[at + d]!;
        let k = searched;
        while (k > 0 && likes[k - 1]! < like) k--;
        if (k === searched) continue;
        likes.copyWithin(k + 1, k, searched - 1);
        likes[k] = like;
        const from = picture * searched;
        own.copyWithin(from + k + 1, from + k, from + searched - 1);
        own[from + k] = part;
      }
    }
  }
  const starts = new Int32Array(parts + 1);
  for (let picture = 0; picture < n; picture++) starts[own[picture * searched]! + 1]!++;
  for (let part = 0; part < parts; part++) starts[part + 1]! += starts[part]!;
  const [points, order, near, next] = [
    new Float32Array(n * axes),
    new Int32Array(n),
    new Int32Array(n * searched),
    starts.slice(),
  ];
  for (let picture = 0; picture < n; picture++) {
    const at = next[own[picture * searched]!]!++;
    order[at] = picture;
    put(picture, points, at * axes);
    near.set(own.subarray(picture * searched, (picture + 1) * searched), at * searched);
  }
  return { points, order, starts, near };
}

/** The middles of the parts, by some pictures. */
function centresOf(
  n: number,
  { axes, put }: Space,
  parts: number,
): Float32Array {
  const shown = Math.min(n, SHOWN * parts);
  const points = new Float32Array(shown * axes);
  const random = new Random(0);
  for (let i = 0; i < shown; i++) put(random.integer(n), points, i * axes);
  const { centres } = kmeans(points, {
    ...{ n: shown, dimensions: axes, clusters: parts, seed: 0, restarts: 1, iterations: ROUNDS },
  });
  // Each as long as all others, or the middle of a wide part would be near to nothing.
  const result = Float32Array.from(centres);
  for (let part = 0; part < parts; part++) {
    const own = result.subarray(part * axes, (part + 1) * axes);
    const length = Math.hypot(...own) || 1;
    own.forEach((value, d) => own[d] = value / length);
  }
  return result;
}
