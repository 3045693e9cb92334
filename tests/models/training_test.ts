/** Training: the pictures it sees, and its steps against PyTorch's. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { BatchNorm2d, Conv2d, Linear, ReLU, Sequential } from "../../models/layers.ts";
import { Module, type Scope } from "../../models/module.ts";
import { drawMotif, MOTIFS } from "../../models/motifs/draw.ts";
import { halvedToPlaces, jumbled, planesOf, varied } from "../../models/motifs/varied.ts";
import { createModel } from "../../models/registry.ts";
import { traceModel } from "../../models/trace.ts";
import { learnedWeights, runInTraining, sgdStep } from "../../scripts/training.ts";
import {
  affine,
  compile,
  crossEntropy,
  globalAveragePool,
  gradients,
  Random,
  type Tensor,
  Variable,
} from "../../ops/mod.ts";
import { gpuForTests, relativeError } from "../compare.ts";
import { findPython, readFloats, runReference, WANTED_PYTHON } from "../python.ts";

const gpu = await gpuForTests();
const python = findPython();
// deno-lint-ignore no-console
if (!python) console.warn(`SKIPPED training against PyTorch's; missing: ${WANTED_PYTHON}`);

/** A square picture of one colour but for a mark in the middle. */
function drawing(side: number): Uint8Array {
  const pixels = new Uint8Array(3 * side * side);
  for (let i = 0; i < pixels.length; i++) pixels[i] = [200, 100, 50][i % 3]!;
  pixels.set([0, 0, 0], 3 * (side * Math.floor(side / 2) + Math.floor(side / 2)));
  return pixels;
}

Deno.test("varied drawings differ, stay in range, keep their size and follow the seed", () => {
  const source = drawing(16);
  const some = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => varied(source, 12, random));
  };
  const pictures = some(3);
  assert.deepEqual(some(3), pictures);
  for (const planes of pictures) {
    assert.equal(planes.length, 3 * 12 * 12);
    assert.ok(planes.every((v) => v >= 0 && v <= 1));
  }
  assert.equal(new Set(pictures.map((planes) => planes.join())).size, pictures.length);
  // One in five has no colour: before the tint, which is within 0.8 to 1.2, all planes are alike.
  const ratio = (planes: Float32Array) => planes[0]! / planes[2 * 144]!;
  const grey = pictures.filter((planes) => ratio(planes) < 2).length;
  assert.ok(grey > 0 && grey < 10, `${grey} of ${pictures.length} are grey`);
});

Deno.test("a jumbled picture has the same tiles in another order", () => {
  const side = 12;
  const planes = Float32Array.from({ length: 3 * side * side }, (_, i) => i);
  for (const cuts of [2, 3, 4]) {
    const result = jumbled(planes, cuts, new Random(cuts));
    assert.notDeepEqual(result, planes);
    assert.deepEqual(result.toSorted(), planes);
    const tile = side / cuts;
    for (let i = 0; i < result.length; i++) {
      // Inside a tile the next pixel is still the next pixel.
      if (i % tile !== tile - 1) assert.equal(result[i + 1], result[i]! + 1);
    }
  }
});

Deno.test("places hold the pixels of the picture at half its size", () => {
  const side = 8;
  const places = 2;
  const planes = planesOf(Uint8Array.from({ length: 3 * side * side }, (_, i) => (i * 37) % 256));
  const result = halvedToPlaces(planes, places);
  const across = side / 2 / places;
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < side / 2; y++) {
      for (let x = 0; x < side / 2; x++) {
        let mean = 0;
        for (const [dy, dx] of [[0, 0], [0, 1], [1, 0], [1, 1]] as const) {
          mean += planes[(c * side + 2 * y + dy) * side + 2 * x + dx]! / 4;
        }
        const channel = c * places * places + (y % places) * places + x % places;
        const at = (channel * across + Math.floor(y / places)) * across + Math.floor(x / places);
        assert.ok(Math.abs(result[at]! - mean) < 1e-6);
      }
    }
  }
});

Deno.test("the built-in weights know drawings they were not trained on", async () => {
  const [each, side] = [4, 128];
  const random = new Random(4711);
  const model = createModel("motifs");
  using weights = await model.builtInWeights!();
  using pictures = new Variable(gpu, [each, 3, side, side]);
  const { mean: [middle], std: [spread] } = model.normalisation;
  const { output } = traceModel(
    model,
    affine(pictures.tensor, 1 / spread, -middle / spread),
    weights,
  );
  using program = await compile(gpu, { outputs: [output!] });
  let right = 0;
  for (const [label, motif] of MOTIFS.entries()) {
    const drawings = Array.from(
      { length: each },
      () => planesOf(drawMotif(motif, side, random)),
    );
    pictures.write(Float32Array.from(drawings.flatMap((planes) => [...planes])));
    program.run();
    const scores = await program.read(output!);
    for (let i = 0; i < each; i++) {
      const own = scores.subarray(i * MOTIFS.length, (i + 1) * MOTIFS.length);
      if (own.indexOf(Math.max(...own)) === label) right++;
    }
  }
  const share = right / (each * MOTIFS.length);
  assert.ok(share >= 0.95, `recognised ${share} of the drawings`);
});

/** The network of training_reference.py. */
class Net extends Module {
  readonly type = "Net";
  readonly features = new Sequential([
    new Conv2d(3, 6, 3, { stride: 2, padding: 1, bias: false }),
    new BatchNorm2d(6),
    new ReLU(),
    new Conv2d(6, 9, 3, { padding: 1 }),
    new BatchNorm2d(9),
    new ReLU(),
  ]);
  readonly classifier = new Linear(9, 4);

  forward(x: Tensor, scope: Scope): Tensor {
    return scope.run(globalAveragePool(scope.run(x, this.features)), this.classifier);
  }
}

const STEPS = 6;
const BATCH = 5;
const SIDE = 14;
const SGD = { rate: 0.1, momentum: 0.9, weightDecay: 0.01 };

Deno.test({
  name: "steps of training end where PyTorch's end",
  ignore: !python,
  async fn() {
    using memory = new DisposableStack();
    const variable = (shape: Variable["shape"]) => memory.use(new Variable(gpu, shape));
    const random = new Random(9);
    const net = new Net();
    const learned = learnedWeights(gpu, net, random);
    for (const { variable } of learned.values()) memory.use(variable);

    const start: Record<string, { shape: readonly number[]; values: number[] }> = {};
    for (const [name, { shape, variable }] of learned) {
      start[name] = { shape, values: [...await variable.read()] };
    }
    const numbers = (count: number, make: () => number) => Array.from({ length: count }, make);
    const pictures = numbers(STEPS * BATCH * 3 * SIDE * SIDE, () => Math.fround(random.normal()));
    const labels = numbers(STEPS * BATCH, () => random.integer(4));

    const input = variable([BATCH, 3, SIDE, SIDE]);
    const targets = variable([BATCH, 4, 1, 1]);
    const rate = variable([1, 1, 1, 1]);
    rate.write([SGD.rate]);
    const { outputs, statistics } = runInTraining(net, input.tensor, learned);
    const loss = crossEntropy(outputs.get("")!, targets.tensor);
    const trained = [...learned.values()].filter((l) => l.trained).map((l) => l.variable);
    const slopes = gradients(loss, trained.map(({ tensor }) => tensor));
    const assign = trained.flatMap((weight, i) =>
      sgdStep(weight, variable(weight.shape), slopes[i]!, { ...SGD, rate: rate.tensor })
    );
    const program = memory.use(
      await compile(gpu, { outputs: [loss], assign: [...statistics, ...assign] }),
    );
    const losses: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      const size = BATCH * 3 * SIDE * SIDE;
      input.write(pictures.slice(step * size, (step + 1) * size));
      const own = labels.slice(step * BATCH, (step + 1) * BATCH);
      targets.write(own.flatMap((label) => [0, 1, 2, 3].map((i) => i === label ? 1 : 0)));
      program.run();
      losses.push((await program.read(loss))[0]!);
    }

    const folder = await Deno.makeTempDir();
    try {
      const stored = {
        weights: start,
        pictures: { shape: [STEPS, BATCH, 3, SIDE, SIDE], values: pictures },
        labels: { shape: [STEPS, BATCH], values: labels },
      };
      const files = Object.entries(stored).map(([name, content]) => {
        const file = join(folder, `${name}.json`);
        Deno.writeTextFileSync(file, JSON.stringify(content));
        return file;
      });
      const args = [...files, STEPS, SGD.rate, SGD.momentum, SGD.weightDecay].map(String);
      const expected = await runReference(
        python!,
        "training_reference.py",
        args,
        (out) =>
          new Map(
            [...learned.keys(), "losses"].map((name) =>
              [name, readFloats(join(out, `${name}.f32`))] as const
            ),
          ),
      );
      assert.ok(relativeError(losses, expected.get("losses")!) < 1e-5, `${losses}`);
      for (const [name, { variable }] of learned) {
        const error = relativeError(await variable.read(), expected.get(name)!);
        assert.ok(error < 2e-5, `${name} is off by ${error} of its largest value`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
