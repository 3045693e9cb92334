/** What programs keep in memory: planned without a device's memory, shared, given back. */
import assert from "node:assert/strict";
import type { Gpu } from "../../kernels/runtime/device.ts";
import { stateDict } from "../../models/module.ts";
import { createModel } from "../../models/registry.ts";
import { traceModel } from "../../models/trace.ts";
import type { WeightSource } from "../../models/formats/weights.ts";
import { Arena } from "../../ops/compiler/arena.ts";
import { planProgram } from "../../ops/compiler/compile.ts";
import { constantBytes as bytesOf } from "../../ops/compiler/constants.ts";
import {
  add,
  affine,
  compile,
  constant,
  conv2d,
  gradients,
  mean,
  mul,
  Random,
  relu,
  sum,
  type Tensor,
} from "../../ops/mod.ts";
import { constantBytes } from "../../ops/compiler/program.ts";
import { batchThatFits } from "../../vis/photos/activations.ts";
import { Loop } from "../../vis/loop/loop.ts";
import { chooseParameters } from "../../vis/presets.ts";
import { openTrunk } from "../../vis/trunk.ts";
import { gpuForTests, randomValues, tensorOf } from "../compare.ts";
import { facets as facetsObjective } from "../../vis/objectives/facets.ts";

const gpu = await gpuForTests("texture");

/** Nothing can be computed with it, but much can be planned: a GPU with these limits. */
function onPaper(storage: "texture" | "buffer", largest = 2 ** 32, side = 16384): Gpu {
  const limits = {
    maxTextureDimension2D: side,
    maxStorageBufferBindingSize: largest,
    maxBufferSize: largest,
    minUniformBufferOffsetAlignment: 256,
  };
  const adapter = { info: { vendor: "nvidia" } };
  const software = storage === "texture";
  return { adapter, device: { limits }, storage, software, precise: false } as Gpu;
}

/** Weights that nobody may read. */
function unread(name: string): WeightSource {
  const shapes = stateDict(createModel(name).root);
  return {
    name,
    has: (key) => shapes.has(key),
    shape: (key) => shapes.get(key)!,
    read: () => {
      throw new Error("planning reads no weights");
    },
  };
}

/** Bytes planned for the gradient of a layer with respect to some pictures of 512 pixels. */
function plannedBytes(on: Gpu, name: string, layer: string, pictures: number): number {
  const x = constant([pictures, 3, 512, 512], () => new Float32Array());
  const { output } = traceModel(createModel(name), x).modules.get(layer)!;
  return planProgram(on, { outputs: gradients(mean(output!, [1, 2, 3]), [x]) }).own;
}

/** Of what PyTorch keeps for the gradient of ten pictures in ResNet-152 up to layer4.2.relu. */
const EIGHTH = 9.3e9 / 8;

for (const storage of ["texture", "buffer"] as const) {
  const on = onPaper(storage);

  Deno.test(`gradients of 10 pictures of 512 pixels need little memory (${storage})`, () => {
    const most = {
      resnet152: ["layer4.2.relu", EIGHTH],
      resnet18: ["layer4.1.relu", 500e6],
      squeezenet1_1: ["features.12", 460e6],
      mobilenet_v2: ["features.17", 600e6],
      inception_v3: ["Mixed_7c", 830e6],
    } as const;
    for (const [name, [layer, bytes]] of Object.entries(most)) {
      const planned = plannedBytes(on, name, layer, 10);
      assert.ok(planned <= bytes, `${name}: ${planned} bytes, expected at most ${bytes}`);
      // It is pictures that take it, not something of any number of them.
      assert.ok(plannedBytes(on, name, layer, 1) < planned / 5, name);
    }
  });

  Deno.test(`the whole loop of 10 facets in ResNet-152 needs little memory (${storage})`, () => {
    const [facets, size] = [10, 512];
    const trunk = openTrunk(
      createModel("resnet152"),
      unread("resnet152"),
      { layer: "layer4.2.relu" },
      size,
    );
    const ask = (pictures: Tensor) => [trunk.observe(pictures).pooled];
    for (const preset of ["soft", "paper"]) {
      const options = {
        network: trunk.network,
        objective: facetsObjective(trunk, {
          targets: new Float32Array(facets * trunk.channels),
          channels: Array.from({ length: facets }, (_, i) => [i]),
          mean: new Float32Array(trunk.channels),
        }),
        start: new Float32Array(),
        size,
        parameters: chooseParameters(preset),
        seed: 0,
      };
      const together = Loop.plan(on, options);
      assert.equal(together.groups, 1);
      // With its pictures and momentum. Textures only fit where both of their sides do: of the
      // default preset's many pictures some do not find room in larger ones.
      const most = storage === "texture" && preset === "soft" ? 1.17e9 : EIGHTH;
      assert.ok(together.plan <= most, `${preset}: ${together.plan} bytes`);
      const split = Loop.plan(on, { ...options, maxBytes: EIGHTH / 4 });
      assert.ok(split.groups > 1 && split.plan <= EIGHTH / 4, `${preset}: ${split.plan} bytes`);
      // A device that cannot hold ten pictures side by side, or their largest tensor, in one piece.
      const small = storage === "texture"
        ? onPaper(storage, 2 ** 27, 2048)
        : onPaper(storage, 2 ** 26);
      assert.ok(Loop.plan(small, options).groups >= 2);
      assert.equal(batchThatFits(on, ask, 8, size), 8);
      const some = batchThatFits(small, ask, 8, size);
      assert.ok(some > 1 && some < 8, `${some} images at a time`);
    }
  });
}

const random = new Random(5);
const weights = [0, 1].map(() => tensorOf(randomValues(random, [16, 16, 3, 3], 0.1)));
const conv = (x: Tensor, w: Tensor) => conv2d(x, w, undefined, { padding: 1 });
const picture = () => tensorOf(randomValues(random, [1, 16, 12, 12]));

/** A small network on shared weights. */
function network(x: Tensor): Tensor {
  return relu(add(conv(relu(conv(x, weights[0]!)), weights[1]!), x));
}

for (const storage of ["texture", "buffer"] as const) {
  Deno.test(`workspace takes turns, and lasts as long as the calls of its node (${storage})`, () => {
    const [rows, columns] = [1024, 64];
    const planned = (count: number) => {
      const outputs = Array.from({ length: count }, () => {
        return sum(constant([1, 4, rows, columns], () => new Float32Array()), [2]);
      });
      return planProgram(onPaper(storage), { outputs }).own;
    };
    // Each is summed in √1024 parts of 32 rows, which only lie there until they are added.
    const bytes = 16 * columns;
    assert.equal(planned(1), (Math.sqrt(rows) + 1) * bytes);
    assert.equal(planned(3), (Math.sqrt(rows) + 3) * bytes);
  });
}

Deno.test("what is planned is what is allocated", async () => {
  const x = picture();
  const options = { outputs: gradients(network(x), [x]) };
  const planned = planProgram(gpu, options);
  using program = await compile(gpu, options);
  assert.equal(planned.own, program.planBytes);
  assert.equal(planned.own, program.ownBytes);
  assert.equal(bytesOf(planned.constants), program.constantBytes);
});

Deno.test("programs of one device share weights, and the last one frees them", async () => {
  let loads = 0;
  const { data } = randomValues(random, [128, 16, 3, 3]);
  const w = constant([128, 16, 3, 3], () => (loads++, Float32Array.from(data)), { fresh: true });
  const outputs = [picture(), picture()].map((x) => conv(x, w));
  const first = await compile(gpu, { outputs: [outputs[0]!] });
  const second = await compile(gpu, { outputs: [outputs[1]!] });
  assert.equal(loads, 1);
  const pictures = 2 * 4 * 12 * 12 * 16;
  assert.equal(
    constantBytes([first, second]),
    first.constantBytes + second.constantBytes - (first.constantBytes - pictures / 2),
  );
  first.run();
  const before = await first.read(outputs[0]!);
  first[Symbol.dispose]();
  second.run();
  assert.ok((await second.read(outputs[1]!)).some((v) => v !== 0));
  second[Symbol.dispose]();
  using again = await compile(gpu, { outputs: [outputs[0]!] });
  assert.equal(loads, 2);
  again.run();
  assert.deepEqual(await again.read(outputs[0]!), before);
});

Deno.test("a convolution and its gradient read the same weights", async () => {
  const x = picture();
  const y = conv(x, weights[0]!);
  const gemm = conv2d(x, tensorOf(randomValues(random, [16, 16, 1, 1])));
  for (const output of [y, gemm]) {
    const choose = (_: Gpu, g: { kernel: readonly [number, number] }) => ({
      algorithm: g.kernel[0] === 1 ? "gemm" as const : "winograd2" as const,
      tile: { quads: 2, pixels: 4, workgroup: 16 },
      bytes: 2 ** 20,
    });
    using forward = await compile(gpu, { outputs: [output], choose });
    const [dx] = gradients(mul(output, output), [x]);
    using both = await compile(gpu, { outputs: [dx!], choose });
    // The gradient adds the number it starts from.
    assert.equal(both.constantBytes, forward.constantBytes + 16);
  }
});

Deno.test("programs in one arena take turns in its memory", async () => {
  const x = picture();
  const y = network(x);
  const [dx] = gradients(mul(y, y), [x]);
  const all = [[dx!], [affine(y, 2)], [y]];
  const alone = [];
  for (const outputs of all) {
    using program = await compile(gpu, { outputs });
    program.run();
    alone.push(await program.read(outputs[0]!));
  }
  using stack = new DisposableStack();
  const arena = stack.use(new Arena());
  const programs = [];
  for (const outputs of all) programs.push(stack.use(await compile(gpu, { outputs, arena })));
  // The first is the largest: the others bring no memory but their results'.
  assert.equal(arena.bytes, programs[0]!.planBytes - programs[0]!.ownBytes);
  for (const program of programs) program.poison();
  for (let turn = 0; turn < 2; turn++) {
    for (const program of programs) program.run();
    for (const [i, program] of programs.entries()) {
      assert.deepEqual(await program.read(all[i]![0]!), alone[i]);
    }
  }
});
