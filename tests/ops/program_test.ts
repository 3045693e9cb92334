/** Programs: memory, replay, variables, gradients of whole graphs, errors. */
import assert from "node:assert/strict";
import {
  add,
  affine,
  averagePool2d,
  compile,
  concat,
  constant,
  conv2d,
  detach,
  expand,
  gaussianBlur,
  gradients,
  maxPool2d,
  mul,
  Random,
  relu,
  type Shape,
  sizeOf,
  slice,
  sub,
  sum,
  type Tensor,
  totalVariation,
  tvDenoise,
  Variable,
} from "../../ops/mod.ts";
import { type Need, planMemory } from "../../ops/compiler/plan.ts";
import { evaluate, gpuForTests, randomValues, relativeError, tensorOf } from "../compare.ts";
import { allocations } from "../reliability/device_memory.ts";

const gpu = await gpuForTests();
const buffers = await gpuForTests("buffer");
const random = new Random(11);
const randomTensor = (shape: Shape) => tensorOf(randomValues(random, shape));
const numbers = (shape: Shape, ...data: number[]) => constant(shape, () => Float32Array.from(data));

/** A small network with a shortcut and a pool, 8 channels at 8 columns. */
function network(x: Tensor, weight: () => Tensor = () => randomTensor([8, 8, 3, 3])): Tensor {
  const conv = (input: Tensor) => conv2d(input, weight(), undefined, { padding: 1 });
  const y = relu(add(conv(relu(conv(x))), x));
  return maxPool2d(concat([y, relu(conv(y))]), { kernel: 3, stride: 2, padding: 1 });
}

Deno.test("tensors needed at the same time never share memory, and each fits its slot", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const r = new Random(seed);
    const needs = Array.from({ length: r.integer(40) }, (): Need => {
      const from = r.integer(30);
      return {
        width: 1 + r.integer(r.pick([4, 64])),
        height: 1 + r.integer(r.pick([4, 64])),
        storage: r.pick(["buffer", "texture"] as const),
        from,
        to: from + r.integer(r.pick([1, 5, 30])),
      };
    });
    const { slots, slotOf } = planMemory(needs);
    assert.equal(slotOf.length, needs.length);
    needs.forEach((need, i) => {
      const slot = slots[slotOf[i]!]!;
      assert.equal(slot.storage, need.storage);
      if (need.storage === "buffer") {
        assert.ok(slot.width * slot.height >= need.width * need.height, `seed ${seed}`);
      } else assert.ok(slot.width >= need.width && slot.height >= need.height, `seed ${seed}`);
      needs.slice(0, i).forEach((other, j) => {
        const together = other.from <= need.to && need.from <= other.to;
        assert.ok(!together || slotOf[i] !== slotOf[j], `seed ${seed}: needs ${j} and ${i}`);
      });
    });
    const area = (each: readonly { width: number; height: number }[]) =>
      each.reduce((total, { width, height }) => total + width * height, 0);
    assert.ok(area(slots) <= area(needs), `seed ${seed}: sharing costs memory`);
  }
});

Deno.test("a chain of tensors takes the memory of two", async () => {
  let x: Tensor = randomTensor([1, 8, 16, 16]);
  for (let i = 0; i < 20; i++) x = affine(x, 0.5);
  using program = await compile(gpu, { outputs: [x] });
  assert.equal(program.planBytes, 2 * 8 * 16 * 16 * 4);
});

Deno.test("denoising's gradient takes memory for the root of its sweeps", async () => {
  const x = randomTensor([2, 3, 16, 16]);
  const bytes = await Promise.all([25, 100, 400].map(async (sweeps) => {
    const y = tvDenoise(x, numbers([1, 2, 1, 1], 5, -1), sweeps);
    using program = await compile(gpu, { outputs: gradients(y, [x]) });
    return program.planBytes;
  }));
  // a + b·√sweeps: four times the sweeps add twice as much as the time before; linear, four times.
  const growth = (bytes[2]! - bytes[1]!) / (bytes[1]! - bytes[0]!);
  assert.ok(growth > 1.7 && growth < 2.3, `grew ${growth} times as much, to ${bytes}`);
  assert.ok(bytes[2]! < 3 * bytes[0]!, `${bytes}`);
});

Deno.test("denoising a large picture starts afresh with every run", async () => {
  const x = affine(randomTensor([1, 3, 400, 400]), 0.1, 0.5);
  const same = (a: Float32Array, b: Float32Array) => a.every((value, i) => value === b[i]);
  const denoise = async (sweeps: number, eps: number) => {
    const y = tvDenoise(x, numbers([1, 2, 1, 1], 5, eps), sweeps);
    using program = await compile(gpu, { outputs: [y] });
    program.run();
    const once = await program.read(y);
    for (let run = 0; run < 2; run++) {
      program.run();
      assert.ok(same(await program.read(y), once), `${sweeps} sweeps down to ${eps}`);
    }
    return once;
  };
  assert.ok(!same(await denoise(2, -1), await denoise(3, -1)));
  // These stop before the last sweep.
  assert.ok(same(await denoise(40, 2e-3), await denoise(41, 2e-3)));
});

Deno.test("300 steps forward and backward allocate nothing and stay finite", async () => {
  using picture = new Variable(gpu, [2, 8, 8, 8]);
  picture.write(Float32Array.from(randomValues(random, picture.shape).data));
  const y = network(picture.tensor);
  const loss = sum(mul(y, y), [0, 1, 2, 3]);
  const [gradient] = gradients(loss, [picture.tensor]);
  const step = sub(picture.tensor, affine(gradient!, 1e-7));
  using program = await compile(gpu, { outputs: [loss], assign: [[picture, step]] });
  program.run();
  const [before] = await program.read(loss);
  const { made } = await allocations(gpu, async () => {
    for (let i = 0; i < 300; i++) program.run();
    await gpu.device.queue.onSubmittedWorkDone();
  });
  assert.equal(made, 0);
  const [after] = await program.read(loss);
  assert.ok(after! < before!, `the loss fell from ${before} to ${after}`);
  assert.ok((await picture.read()).every(Number.isFinite));
});

Deno.test("300 steps forward and backward leave the bytes on the GPU as after the first", async () => {
  const { made, bytes } = await allocations(gpu, async (count) => {
    using memory = new DisposableStack();
    const weights: Variable[] = [];
    const y = network(randomTensor([2, 8, 8, 8]), () => {
      const weight = memory.use(new Variable(gpu, [8, 8, 3, 3]));
      weight.write(Float32Array.from(randomValues(random, weight.shape, 0.1).data));
      weights.push(weight);
      return weight.tensor;
    });
    const loss = sum(mul(y, y), [0, 1, 2, 3]);
    const slopes = gradients(loss, weights.map(({ tensor }) => tensor));
    using program = await compile(gpu, {
      outputs: [loss],
      assign: weights.map((w, i) => [w, sub(w.tensor, affine(slopes[i]!, 1e-6))]),
    });
    const step = async () => {
      program.run();
      const [value] = await program.read(loss);
      return { value: value!, alive: count.bytes };
    };
    const first = await step();
    let last = first;
    for (let i = 1; i < 300; i++) last = await step();
    assert.ok(first.alive > 0);
    assert.equal(last.alive, first.alive);
    assert.ok(last.value < first.value, `the loss fell from ${first.value} to ${last.value}`);
  });
  assert.ok(made > 300); // reading back takes memory each time
  assert.equal(bytes, 0);
});

Deno.test("a run depends on nothing that was left in memory", async () => {
  const x = randomTensor([2, 8, 8, 8]);
  const y = network(x);
  const [dx] = gradients(y, [x]);
  using program = await compile(gpu, { outputs: [y, dx!] });
  program.run();
  const first = await Promise.all([program.read(y), program.read(dx!)]);
  program.poison();
  program.run();
  assert.deepEqual(await Promise.all([program.read(y), program.read(dx!)]), first);
});

Deno.test("a program gives back all memory it took, and so does a variable", async () => {
  const { made, bytes } = await allocations(gpu, async () => {
    using variable = new Variable(gpu, [1, 3, 4, 5]);
    const y = tvDenoise(relu(variable.tensor), numbers([1, 2, 1, 1], 5, 0), 2);
    using program = await compile(gpu, { outputs: [y], assign: [[variable, y]] });
    program.run();
    await program.read(y);
  });
  assert.ok(made >= 4);
  assert.equal(bytes, 0);
});

Deno.test("a program that does not compile leaves no memory behind", async () => {
  const wrong = constant([1, 3, 2, 2], () => new Float32Array(5));
  const { bytes } = await allocations(gpu, async () => {
    await assert.rejects(
      compile(gpu, { outputs: [relu(add(randomTensor([1, 3, 2, 2]), wrong))] }),
      {
        name: "RangeError",
        message: "constant: expected 12 values for [1,3,2,2], got 5",
      },
    );
  });
  assert.equal(bytes, 0);
});

Deno.test("constants are loaded when a program needs them, and once", async () => {
  let loads = 0;
  const values = constant([1, 1, 1, 2], () => (loads++, new Float32Array([1, 2])));
  const y = add(values, affine(values, 2));
  assert.equal(loads, 0);
  using program = await compile(gpu, { outputs: [y] });
  using again = await compile(gpu, { outputs: [y] });
  assert.equal(loads, 1);
  for (const p of [program, again]) {
    p.run();
    assert.deepEqual([...await p.read(y)], [3, 6]);
  }
});

for (const device of [gpu, buffers]) {
  const on = `(${device.storage})`;

  Deno.test(`a variable holds what was written ${on}`, async () => {
    for (const shape of [[1, 1, 1, 1], [3, 5, 2, 7]] as Shape[]) {
      using variable = new Variable(device, shape);
      const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => i - 3.5);
      variable.write(values);
      assert.deepEqual(await variable.read(), values);
      variable.write([...values.map((v) => 2 * v)]);
      assert.deepEqual(await variable.read(), values.map((v) => 2 * v));
    }
  });

  Deno.test(`an assigned variable counts the runs ${on}`, async () => {
    using counter = new Variable(device, [1, 1, 1, 1]);
    counter.write([5]);
    const next = affine(counter.tensor, 1, 1);
    using program = await compile(device, { assign: [[counter, next]] });
    for (let i = 0; i < 10; i++) program.run();
    assert.deepEqual([...await counter.read()], [15]);
  });

  Deno.test(`all variables take their new values together ${on}`, async () => {
    using a = new Variable(device, [1, 8, 1, 2]);
    using b = new Variable(device, [1, 8, 1, 2]);
    using c = new Variable(device, [1, 4, 1, 2]);
    a.write(new Float32Array(16).fill(1));
    b.write(new Float32Array(16).fill(2));
    const window = slice(a.tensor, { start: [4, 0, 0] });
    using program = await compile(device, {
      assign: [[a, b.tensor], [b, a.tensor], [c, window]],
    });
    program.run();
    assert.deepEqual(await a.read(), new Float32Array(16).fill(2), "a is what b was");
    assert.deepEqual(await b.read(), new Float32Array(16).fill(1), "b is what a was");
    assert.deepEqual(await c.read(), new Float32Array(8).fill(1), "c is what a was");
  });

  Deno.test(`a variable may be assigned its own value, or a part of it ${on}`, async () => {
    using a = new Variable(device, [1, 8, 1, 1]);
    a.write([0, 1, 2, 3, 4, 5, 6, 7]);
    const upper = slice(a.tensor, { start: [4, 0, 0] });
    using keep = await compile(device, { assign: [[a, a.tensor]] });
    keep.run();
    assert.deepEqual([...await a.read()], [0, 1, 2, 3, 4, 5, 6, 7]);
    using double = await compile(device, { assign: [[a, concat([upper, upper])]] });
    double.run();
    assert.deepEqual([...await a.read()], [4, 5, 6, 7, 4, 5, 6, 7]);
  });

  Deno.test(`outputs may be leaves, windows and parts of a concatenation ${on}`, async () => {
    const values = randomValues(random, [2, 8, 3, 5]);
    const x = tensorOf(values);
    const part = affine(x, 2);
    const window = slice(part, { start: [4, 0, 0] });
    const whole = concat([part, window]);
    const asked = [x, part, window, whole, affine(whole, 0.5)];
    using program = await compile(device, { outputs: asked });
    program.poison();
    program.run();
    const results = await Promise.all(asked.map((each) => program.read(each)));
    const doubled = await evaluate(device, [affine(x, 2)]);
    assert.equal(relativeError(results[0]!, values.data), 0);
    assert.equal(relativeError(results[1]!, doubled[0]!.data), 0);
    const half = 4 * 3 * 5;
    const upper = results[1]!.filter((_, i) => i % (2 * half) >= half);
    assert.deepEqual(results[2], upper);
    assert.deepEqual(results[3]!.filter((_, i) => i % (3 * half) >= 2 * half), upper);
    assert.deepEqual(results[3]!.filter((_, i) => i % (3 * half) < 2 * half), results[1]);
    assert.deepEqual(results[4], results[3]!.map((v) => v / 2));
  });
}

Deno.test("reading a tensor that is not an output is an error", async () => {
  const x = randomTensor([1, 1, 2, 2]);
  using program = await compile(gpu, { outputs: [relu(x)] });
  await assert.rejects(program.read(x), {
    name: "RangeError",
    message: "constant [1,1,2,2] is not an output",
  });
});

Deno.test("a profile names every kernel in order, with its time", async () => {
  if (!gpu.device.features.has("timestamp-query")) return;
  const y = network(randomTensor([2, 8, 8, 8]));
  using program = await compile(gpu, { outputs: [y] });
  const profile = await program.profile();
  assert.deepEqual(profile.map(({ name }) => name), program.kernelNames);
  assert.ok(profile.every(({ ms }) => ms >= 0 && ms < 60_000));
});

Deno.test("gradients add up over all ways to the loss", async () => {
  const x = numbers([1, 1, 1, 3], 1, -2, 3);
  const y = add(mul(x, mul(x, x)), sub(affine(x, 4), x)); // x³ + 3x
  const [dx] = gradients(sum(y, [3]), [x]);
  const [values] = await evaluate(gpu, [dx!]);
  assert.deepEqual([...values!.data], [6, 15, 30]);
});

Deno.test("a gradient may be asked for in the middle, and on both sides of an operation", async () => {
  const x = numbers([1, 1, 1, 2], 1, -2);
  const middle = affine(x, 3);
  const y = mul(middle, middle);
  const all = [
    ...gradients(y, [middle]),
    ...gradients(y, [x, middle]), // as torch.autograd.grad gives them: 18x and 6x
    ...gradients(y, [y]),
  ];
  const values = await evaluate(gpu, all);
  assert.deepEqual(values.map(({ data }) => [...data]), [[6, -12], [18, -36], [6, -12], [1, 1]]);
});

Deno.test("a gradient is asked for below an operation without one", async () => {
  const x = numbers([1, 1, 1, 1], 3);
  const blurred = gaussianBlur(x, numbers([1, 1, 1, 1], 1));
  const [gradient] = gradients(mul(blurred, blurred), [blurred]);
  const [values] = await evaluate(gpu, [gradient!]);
  assert.deepEqual([...values!.data], [6]);
});

Deno.test("detached values pass no gradient", async () => {
  const x = numbers([1, 1, 1, 2], 2, 5);
  const [dx] = gradients(mul(detach(x), x), [x]);
  const [values] = await evaluate(gpu, [dx!]);
  assert.deepEqual([...values!.data], [2, 5]);
});

Deno.test("gradients that do not exist are named", () => {
  const x = randomTensor([1, 2, 3, 3]);
  const settings = randomTensor([1, 2, 1, 1]);
  const denoised = relu(tvDenoise(affine(x, 2), settings, 1));
  const [first] = gradients(denoised, [x]);
  assert.throws(() => gradients(first!, [x]), {
    name: "TypeError",
    message: "tvDenoiseGradient has no gradient: second derivatives are not part of the method",
  });
});

Deno.test("a loss that does not depend on a tensor is an error", () => {
  const [x, other] = [randomTensor([1, 2, 3, 4]), randomTensor([1, 2, 3, 5])];
  const message = "the loss does not depend on constant [1,2,3,5]";
  assert.throws(() => gradients(relu(x), [x, other]), { name: "TypeError", message });
  assert.throws(() => gradients(detach(other), [other]), { name: "TypeError", message });
});

Deno.test("operands that do not fit are errors with their sizes", () => {
  const x = randomTensor([1, 3, 4, 5]);
  const cases: [() => Tensor, string][] = [
    [
      () => conv2d(x, randomTensor([8, 64, 3, 3])),
      "conv2d: weight [8,64,3,3] with groups 1 expects 64 input channels, input [1,3,4,5] has 3",
    ],
    [
      () => conv2d(x, randomTensor([8, 1, 3, 3]), undefined, { groups: 3 }),
      "conv2d: 8 output channels cannot be split into 3 groups",
    ],
    [
      () => conv2d(x, randomTensor([8, 3, 5, 3])),
      "conv2d: input [1,3,4,5] is smaller than the kernel 5x3",
    ],
    [
      () => maxPool2d(x, { kernel: 5 }),
      "maxPool2d: input [1,3,4,5] is smaller than the window 5x5",
    ],
    [
      () => maxPool2d(x, { kernel: 3, dilation: [1, 3] }),
      "maxPool2d: input [1,3,4,5] is smaller than the window 3x7",
    ],
    [
      () => maxPool2d(x, { kernel: 2, padding: 1, dilation: [5, 1] }),
      "maxPool2d: input [1,3,4,5] falls between the elements of a window 2x2 with dilation 5x1, " +
      "which would have no maximum; use less padding or dilation",
    ],
    [
      () => averagePool2d(x, { kernel: [2, 6] }),
      "averagePool2d: input [1,3,4,5] is smaller than the window 2x6",
    ],
    [
      () => add(x, randomTensor([1, 3, 4, 4])),
      "add: [1,3,4,5] and [1,3,4,4] do not go together; sizes must be equal or 1",
    ],
    [
      () => concat([x, randomTensor([2, 3, 4, 5])]),
      "concat: [1,3,4,5] and [2,3,4,5] may differ only in channels",
    ],
    [() => concat([]), "concat: expected at least one tensor, got none"],
    [
      () => slice(x, { start: [0, 2, 0], size: [3, 3, 5] }),
      "slice: [3,3,5] elements from [0,2,0] in steps of [1,1,1] leave [1,3,4,5]",
    ],
    [
      () => slice(x, { start: [3, 0, 0] }),
      "slice: [0,4,5] elements from [3,0,0] in steps of [1,1,1] leave [1,3,4,5]",
    ],
    [
      () => tvDenoise(randomTensor([1, 5, 2, 2]), randomTensor([1, 2, 1, 1]), 1),
      "tvDenoise: expected at most 4 channels, got [1,5,2,2]",
    ],
    [
      () => totalVariation(x, { isotropic: true, epsilon: 0 }),
      "totalVariation: epsilon must be more than 0, got 0",
    ],
  ];
  for (const [make, message] of cases) assert.throws(make, { name: "RangeError", message });

  using variable = new Variable(gpu, [1, 2, 3, 4]);
  assert.throws(() => variable.write([1, 2]), {
    name: "RangeError",
    message: "variable [1,2,3,4]: expected 24 values, got 2",
  });
});

Deno.test("expanding to the same shape adds nothing to the graph", () => {
  const x = randomTensor([1, 2, 3, 4]);
  assert.equal(expand(x, [1, 2, 3, 4]), x);
  assert.equal(concat([x]), x);
  assert.equal(sum(randomTensor([1, 1, 1, 1]), []).op, "constant");
});

Deno.test("maxima and their positions are found together, and only where both are wanted", async () => {
  const window = { kernel: 3, stride: 2, ceilMode: true };
  for (const device of [gpu, buffers]) {
    for (const [padding, size] of [[0, 11], [1, 11], [0, 12], [1, 6]] as const) {
      const x = randomTensor([3, 6, size, size]);
      const y = maxPool2d(x, { ...window, padding });
      const [dx] = gradients(mul(y, randomTensor(y.shape)), [x]);
      const results = async (outputs: Tensor[], names: string[]) => {
        using program = await compile(device, { outputs });
        assert.deepEqual(program.kernelNames.filter((name) => name.startsWith("maxPool2d")), names);
        program.run();
        return await Promise.all(outputs.map((output) => program.read(output)));
      };
      const [maxima, gradient] = await results(
        [y, dx!],
        ["maxPool2dWithIndices", "maxPool2dGradient"],
      );
      assert.deepEqual(maxima, (await results([y], ["maxPool2d"]))[0]);
      assert.deepEqual(
        gradient,
        (await results([dx!], ["maxPool2dIndices", "maxPool2dGradient"]))[0],
      );
    }
  }
});
