/**
 * Trains the built-in model on the drawings of draw.ts, with this project's own engine, and writes
 * its weights:
 *
 *     deno task train [FILE]      (default: motifs.safetensors beside this script)
 *
 * Seeded: the same adapter and driver give the same weights. Three things beside plain
 * classification make the features worth looking at: pictures moved against the model (so that its
 * gradients look like what it sees), shuffled pictures as a class of their own (so that shape
 * counts, not only colour), and a decoder, thrown away afterwards, that must redraw the picture from
 * the features (so that they keep its details).
 */
import { join } from "node:path";
import { type Gpu, openGpu } from "../kernels/runtime/device.ts";
import {
  add,
  affine,
  clampTo,
  compile,
  conv2d,
  crossEntropy,
  detach,
  div,
  gradients,
  meanOfSquares,
  Random,
  type Shape,
  sqrt,
  sub,
  sumOfSquares,
  type Tensor,
  Variable,
} from "../ops/mod.ts";
import { MotifsNet } from "../models/architectures/motifs_net.ts";
import { createModel } from "../models/registry.ts";
import { encodeSafetensors, parseSafetensors } from "../models/formats/safetensors.ts";
import { traceModel } from "../models/trace.ts";
import type { WeightSource } from "../models/formats/weights.ts";
import { type LearnedWeight, learnedWeights, runInTraining, sgdStep } from "./training.ts";
import { drawMotif, MOTIFS } from "../models/motifs/draw.ts";
import { halvedToPlaces, jumbled, planesOf, varied } from "../models/motifs/varied.ts";

const SEED = 0;
const STEPS = 1500;
const BATCH = 64;
/** Drawings per motif; their side, and the side after a random turn and zoom. */
const [EACH, DRAWN, SIDE] = [300, 112, 96];
/** Other drawings per motif, at the demo's size. */
const [HELD_OUT, HELD_OUT_SIDE] = [50, 128];
const [PEAK_RATE, MOMENTUM, WEIGHT_DECAY] = [0.1, 0.9, 5e-4];
/** How far a picture is moved against the model: Euclidean distance, pixels in 0..1. */
const EPSILON = 3;
/** Weight of the decoder's squared error. */
const REDRAW = 8;
/** How many of a batch are shuffled. */
const JUMBLED = 12;
/** Each place of the features redraws this many pixels across and down, at half size. */
const PLACE = 8;
const FEATURES = "features.20";

/** One motif after another. */
function drawings(each: number, side: number, seed: number): Uint8Array[] {
  const random = new Random(seed);
  return MOTIFS.flatMap((motif) =>
    Array.from({ length: each }, () => Uint8Array.from(drawMotif(motif, side, random)))
  );
}

/** What a step looks at. */
interface Batch {
  readonly pictures: Variable;
  /** Where the search for a worse picture starts, as a difference. */
  readonly nudge: Variable;
  readonly labels: Variable;
  /** What the decoder should draw. */
  readonly redrawn: Variable;
  readonly rate: Variable;
}

/** Each picture divided by its Euclidean length. */
function unit(x: Tensor): Tensor {
  return div(x, affine(sqrt(sumOfSquares(x, [1, 2, 3])), 1, 1e-12));
}

/** The whole step as one program; its output is the loss before it, [1,1,1,1]. */
function compileStep(
  gpu: Gpu,
  net: MotifsNet,
  learned: ReadonlyMap<string, LearnedWeight>,
  decoder: Variable[],
  { pictures, nudge, labels, redrawn, rate }: Batch,
  velocities: Map<Variable, Variable>,
) {
  const { mean: [middle], std: [spread] } = createModel("motifs").normalisation;
  const see = (x: Tensor) => {
    const { outputs, statistics } = runInTraining(
      net,
      affine(x, 1 / spread, -middle / spread),
      learned,
    );
    return { scores: outputs.get("")!, features: outputs.get(FEATURES)!, statistics };
  };
  const nearby = add(pictures.tensor, nudge.tensor);
  const [uphill] = gradients(crossEntropy(see(nearby).scores, labels.tensor), [nearby]);
  const moved = clampTo(detach(add(nearby, affine(unit(uphill!), EPSILON))), 0, 1);

  const { scores, features, statistics } = see(moved);
  const [weight, bias] = decoder.map(({ tensor }) => tensor);
  const error = sub(conv2d(features, weight!, bias), redrawn.tensor);
  const loss = add(
    crossEntropy(scores, labels.tensor),
    affine(meanOfSquares(error, [0, 1, 2, 3]), REDRAW),
  );
  const weights = [
    ...[...learned.values()].filter(({ trained }) => trained).map(({ variable }) => variable),
    ...decoder,
  ];
  const slopes = gradients(loss, weights.map(({ tensor }) => tensor));
  const options = { rate: rate.tensor, momentum: MOMENTUM, weightDecay: WEIGHT_DECAY };
  const steps = weights.flatMap((variable, i) => {
    const velocity = new Variable(gpu, variable.shape);
    velocities.set(variable, velocity);
    return sgdStep(variable, velocity, slopes[i]!, options);
  });
  return { loss, program: compile(gpu, { outputs: [loss], assign: [...statistics, ...steps] }) };
}

/** Values of a batch. */
type Drawn = Readonly<Record<Exclude<keyof Batch, "rate">, Float32Array>>;

/** A batch of drawings picked and varied at random. */
function draw(pool: readonly Uint8Array[], random: Random): Drawn {
  const size = 3 * SIDE * SIDE;
  const classes = MOTIFS.length + 1;
  const pictures = new Float32Array(BATCH * size);
  const redrawn = new Float32Array(BATCH * size / 4);
  const labels = new Float32Array(BATCH * classes);
  for (let i = 0; i < BATCH; i++) {
    const pick = random.integer(pool.length);
    let planes = varied(pool[pick]!, SIDE, random);
    let label = Math.floor(pick / EACH);
    if (i < JUMBLED) {
      planes = jumbled(planes, random.pick([2, 3, 4]), random);
      label = MOTIFS.length;
    }
    pictures.set(planes, i * size);
    redrawn.set(halvedToPlaces(planes, PLACE), i * size / 4);
    labels[i * classes + label] = 1;
  }
  // Evenly spread noise of about half the length of the move.
  const most = EPSILON / 2 * Math.sqrt(3 / size);
  const nudge = Float32Array.from(pictures, () => random.uniform(-most, most));
  return { pictures, redrawn, labels, nudge };
}

/** The weights as a file; of the classifier, the motifs only. */
async function encode(
  learned: ReadonlyMap<string, LearnedWeight>,
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors: Record<string, { shape: readonly number[]; values: Float32Array }> = {};
  for (const [key, { shape, variable }] of learned) {
    const values = await variable.read();
    if (!key.startsWith("classifier.")) {
      tensors[key] = { shape, values };
    } else {
      const [, ...rest] = shape;
      const each = rest.reduce((product, size) => product * size, 1);
      const kept = [MOTIFS.length, ...rest];
      tensors[key] = { shape: kept, values: values.subarray(0, MOTIFS.length * each) };
    }
  }
  return encodeSafetensors(tensors);
}

/** The share of held-out drawings whose motif scores highest, with the weights as they are shipped. */
async function accuracy(
  gpu: Gpu,
  weights: WeightSource,
  held: readonly Uint8Array[],
): Promise<number> {
  const shape: Shape = [HELD_OUT, 3, HELD_OUT_SIDE, HELD_OUT_SIDE];
  using pictures = new Variable(gpu, shape);
  const model = createModel("motifs");
  const { mean: [middle], std: [spread] } = model.normalisation;
  const x = affine(pictures.tensor, 1 / spread, -middle / spread);
  const { output } = traceModel(model, x, weights);
  using program = await compile(gpu, { outputs: [output!] });
  let right = 0;
  for (let motif = 0; motif < MOTIFS.length; motif++) {
    const some = held.slice(motif * HELD_OUT, (motif + 1) * HELD_OUT);
    const values = new Float32Array(some.length * 3 * HELD_OUT_SIDE ** 2);
    some.forEach((pixels, i) => values.set(planesOf(pixels), i * pixels.length));
    pictures.write(values);
    program.run();
    const scores = await program.read(output!);
    for (let i = 0; i < HELD_OUT; i++) {
      const own = scores.subarray(i * MOTIFS.length, (i + 1) * MOTIFS.length);
      if (own.indexOf(Math.max(...own)) === motif) right++;
    }
  }
  return right / held.length;
}

/** Trains, saying how it goes. */
async function train(path: string): Promise<void> {
  // deno-lint-ignore no-console
  const say = (text: string) => console.log(text);
  const began = performance.now();
  const seconds = () => ((performance.now() - began) / 1000).toFixed(0);
  using gpu = await openGpu();
  const pool = drawings(EACH, DRAWN, 1000);
  const held = drawings(HELD_OUT, HELD_OUT_SIDE, 2000);
  say(`${pool.length} + ${held.length} drawings of ${MOTIFS.length} motifs in ${seconds()} s`);

  using memory = new DisposableStack();
  const random = new Random(SEED);
  const net = new MotifsNet(MOTIFS.length + 1); // the last class: jumbled
  const learned = learnedWeights(gpu, net, random);
  for (const { variable } of learned.values()) memory.use(variable);
  const variable = (shape: Shape) => memory.use(new Variable(gpu, shape));
  const width = learned.get("classifier.weight")!.shape[1]!;
  const decoder = [
    variable([3 * PLACE * PLACE, width, 1, 1]),
    variable([1, 3 * PLACE * PLACE, 1, 1]),
  ];
  const bound = 1 / Math.sqrt(width);
  decoder[0]!.write(
    Float32Array.from({ length: 3 * PLACE ** 2 * width }, () => random.uniform(-bound, bound)),
  );
  const places = SIDE / 2 / PLACE;
  const batch: Batch = {
    pictures: variable([BATCH, 3, SIDE, SIDE]),
    nudge: variable([BATCH, 3, SIDE, SIDE]),
    labels: variable([BATCH, MOTIFS.length + 1, 1, 1]),
    redrawn: variable([BATCH, 3 * PLACE * PLACE, places, places]),
    rate: variable([1, 1, 1, 1]),
  };
  const velocities = new Map<Variable, Variable>();
  const { loss, program } = compileStep(gpu, net, learned, decoder, batch, velocities);
  for (const velocity of velocities.values()) memory.use(velocity);
  const step = memory.use(await program);
  say(`compiled after ${seconds()} s; ${Math.round(step.planBytes / 2 ** 20)} MiB a step`);

  let drawn = draw(pool, random);
  for (let i = 0; i < STEPS; i++) {
    const a = i / STEPS;
    batch.rate.write([PEAK_RATE * Math.min(1, 20 * a) * 0.5 * (1 + Math.cos(Math.PI * a))]);
    for (const [name, values] of Object.entries(drawn)) batch[name as keyof Drawn].write(values);
    step.run();
    drawn = draw(pool, random); // meanwhile
    const [value] = await step.read(loss);
    if (!Number.isFinite(value)) throw new Error(`the loss is ${value} at step ${i + 1}`);
    if (i % 100 === 99) say(`step ${i + 1}, ${seconds()} s: loss ${value!.toFixed(3)}`);
    if (i % 500 === 499 || i === STEPS - 1) {
      const file = await encode(learned);
      const share = await accuracy(gpu, parseSafetensors(file, path), held);
      say(`held-out accuracy ${share.toFixed(4)} on ${held.length} drawings`);
      await Deno.writeFile(path, file);
    }
  }
  say(`${path} after ${seconds()} s`);
}

await train(
  Deno.args[0] ?? join(import.meta.dirname!, "..", "models", "motifs", "motifs.safetensors"),
);
