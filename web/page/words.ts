/** What the page says, in words that need no knowledge of the method. */
import type { LineJudgement } from "../state/lines.ts";
import type { Metrics, PictureView, RunView, Status } from "../state/run_view.ts";

/** What a metric is called and what it means. */
export interface MetricWords {
  readonly name: string;
  readonly help: string;
}

const METRICS: Readonly<Record<string, MetricWords>> = {
  loss: {
    name: "Loss",
    help: "What the run makes small: all terms together, as they are weighted.",
  },
  own: {
    name: "Own activation",
    help:
      "How strongly the picture drives the facet's own channels: 1 is as strongly as its photos.",
  },
  other_distance: {
    name: "Others' distance",
    help: "How far the channels that are not the facet's own are from those of its photos.",
  },
  distance: {
    name: "Distance",
    help: "How far the picture's activations are from those of its photos, over all channels.",
  },
  cosine: {
    name: "Direction",
    help:
      "Whether the picture moves the layer the way the photos do: 1 is the same way, 0 any other.",
  },
  dot: {
    name: "Activation (raw)",
    help: "Activation of the own channels, times that of the photos.",
  },
  distance_term: { name: "Distance term", help: "The distance as the loss counts it, unweighted." },
  l1: { name: "Penalty (L1)", help: "The sum of the activations that the penalty keeps small." },
  own_mean: { name: "Own activation (raw)", help: "Mean activation of the facet's own channels." },
  statistics: {
    name: "Statistics",
    help: "How far mean and deviation of each channel are from those of the photos, in all layers.",
  },
  activation: { name: "Activation", help: "What the unit answers to the picture." },
  logit: {
    name: "Score",
    help: "The network's score for the class, before it becomes a probability.",
  },
  probability: { name: "Probability", help: "How sure the network is that it sees the class." },
  similarity: { name: "Likeness", help: "How much the pictures of one unit are alike." },
  unlike: {
    name: "Difference",
    help: "How far the picture is from the photo that it should be like.",
  },
  tv: { name: "Roughness", help: "How much neighbouring pixels differ." },
};

/** What a metric is called and what it means. */
export function wordsOf(metric: string): MetricWords {
  return METRICS[metric] ?? { name: metric.replaceAll("_", " "), help: "" };
}

/** A number as short as it may be. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e5)) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

/** A share as per cent. */
export function percent(share: number): string {
  return `${Math.round(100 * share)}\u00a0%`;
}

/** A number of things. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

/** A time in words. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What a picture shows: a line each, what it is, from where to where, and what that means. */
export interface Fact {
  readonly name: string;
  readonly help: string;
  readonly from: string;
  readonly to: string | undefined;
  readonly meaning: string;
}

/** What is told of a picture, the most telling first. */
const TOLD = [
  "own",
  "other_distance",
  "activation",
  "probability",
  "logit",
  "similarity",
  "unlike",
];

/** The latest metrics of a picture. */
export function latest(run: RunView, picture: number): Metrics | undefined {
  return run.pictures[picture]!.after ?? [...(run.history.get(picture)?.values() ?? [])].at(-1);
}

/** The facts of a picture. */
export function factsOf(run: RunView, picture: number): Fact[] {
  const { before } = run.pictures[picture]!;
  const now = latest(run, picture);
  const told = TOLD.filter((name) => run.metrics.includes(name));
  return (told.length > 0 ? told : run.metrics.slice(0, 1)).flatMap((name) => {
    const [from, to] = [before?.[name], now?.[name]];
    if (from === undefined && to === undefined) return [];
    const share = name === "own" || name === "probability";
    const show = (value: number) => share ? percent(value) : short(value);
    const nearer = name === "other_distance" && from && to !== undefined ? 1 - to / from : 0;
    const meaning = name === "own"
      ? "of what its photos give"
      : nearer > 0.005
      ? `${percent(nearer)} nearer to its photos`
      : nearer < -0.005
      ? `${percent(-nearer)} farther from its photos`
      : "";
    return [{
      ...wordsOf(name),
      from: from === undefined ? "?" : show(from),
      to: to === undefined ? undefined : show(to),
      meaning,
    }];
  });
}

/** Whether there are facets, in a sentence. */
export function verdictOf({ structure, verdict }: LineJudgement, facets: number): string {
  if (structure === "clear") return `The photos fall into ${count(facets, "clear facet")}.`;
  if (structure === "weak") {
    return "There is some structure, but the facets flow into each other.";
  }
  if (structure === "none") {
    return verdict.includes("alike")
      ? "The layer answers all photos alike: there are no facets."
      : "No facets here: these are pieces of one cloud of photos.";
  }
  return `${verdict[0]!.toUpperCase()}${verdict.slice(1)}.`;
}

/** How much the facets depend on chance, in a sentence. */
export function stabilityOf({ stability, resampling }: LineJudgement): string {
  const word = (value: number) =>
    value > 0.95
      ? "the same"
      : value > 0.75
      ? "nearly the same"
      : value > 0.4
      ? "only partly the same"
      : "hardly the same";
  const again =
    `Sorted five times from other starts, the photos fall into ${word(stability)} facets ` +
    `(${stability.toFixed(2)} of 1)`;
  if (resampling === undefined) return `${again}.`;
  const but = word(resampling) === word(stability)
    ? "and so they do"
    : `but into ${word(resampling)} ones`;
  return `${again}, ${but} when a fifth of them is left out each time (${resampling.toFixed(2)}).`;
}

/** What the numbers of a verdict mean. */
export const SILHOUETTE =
  "The silhouette says how much nearer a photo lies to its own facet than to the next one: 1 is far " +
  "apart, 0 is in between. “One cloud” is what the same steps find in random points that have no " +
  "facets, so only a silhouette well above it means that the facets are real.";

const STAGES: Readonly<Record<string, string>> = {
  activations: "Showing the photos to the network",
  components: "Looking for what the photos differ in",
  embedding: "Laying the photos out on the map",
  grouping: "Sorting the photos into facets",
  judging: "Judging the facets against chance",
  targets: "Choosing the photos that speak for each facet",
  statistics: "Taking the statistics of the photos",
  compiling: "Preparing the programs for the GPU",
};

const STATUS: Readonly<Record<Status, string>> = {
  waiting: "Waiting for the run to begin",
  preparing: "Preparing",
  growing: "Growing the pictures",
  ended: "Stopped before its end; it can be gone on with",
  finished: "Finished",
};

/** What a run is doing. */
export function statusOf({ status, stage }: RunView): string {
  return status === "preparing" && stage && STAGES[stage.name] || STATUS[status];
}

/** What a run shows: "squeezenet1_1, layer features.12, preset default". */
export function subjectOf({ head: { model, layer, preset } }: RunView): string {
  const layers = [layer ?? []].flat().join(", ");
  return [model, layers && `layer ${layers}`, preset && `preset ${preset}`].filter(Boolean)
    .join(" · ");
}

/** What a picture is called, with the number of its photos where it is a facet. */
export function photosOf(run: RunView, picture: number): string | undefined {
  const size = run.facets?.sizes[picture];
  return size === undefined ? undefined : count(size, "photo");
}

/** The picture as it is known best. */
export function bestOf(picture: PictureView): string | undefined {
  return picture.final?.image ?? picture.frames.at(-1)?.image;
}
