/** The operations against PyTorch, OpenCV and scikit-image: `../shared/goldens/kernels.safetensors`. */
import assert from "node:assert/strict";
import {
  adaptiveAveragePool2d,
  averagePool2d,
  batchNorm,
  channelShuffle,
  concat,
  conv2d,
  gaussianBlur,
  gaussianKernel,
  gelu,
  gradients,
  hardsigmoid,
  hardswish,
  layerNorm,
  linear,
  maxPool2d,
  mul,
  relu,
  relu6,
  resize,
  robustLogPartition,
  robustLoss,
  type Shape,
  sigmoid,
  silu,
  type Tensor,
  tvDenoise,
} from "../../ops/mod.ts";
import { assertClose, evaluate, gpuForTests, note, tensorOf, values } from "../compare.ts";
import { rmsDifference } from "../distance.ts";
import {
  type Goldens,
  maxDifference,
  readSafetensors,
  sharedPath,
  testWithShared,
} from "../goldens.ts";
import { generate, type Values } from "../reference.ts";

const FILE = "goldens/kernels.safetensors";
const LOOP = "goldens/loop_original_squeezenet1_1_128.safetensors";
const gpu = await gpuForTests();

/** The goldens, remembering which were asked for. */
class Stored {
  readonly asked = new Set<string>();
  readonly #file: Goldens;
  /** Parameters by case. */
  // deno-lint-ignore no-explicit-any
  readonly cases: Record<string, any>;

  constructor() {
    this.#file = readSafetensors(sharedPath(...FILE.split("/")));
    this.cases = JSON.parse(this.#file.metadata.cases!);
  }

  names(): string[] {
    return [...this.#file.keys()];
  }

  /** The folders `prefix/<case>/`. */
  casesOf(prefix: string): string[] {
    const all = new Set(
      this.names().filter((n) => n.startsWith(prefix)).map((n) => n.slice(0, n.lastIndexOf("/"))),
    );
    return [...all];
  }

  get(name: string, shape?: Shape): Values {
    const tensor = this.#file.get(name);
    assert.ok(tensor, `no golden ${name}`);
    this.asked.add(name);
    return {
      shape: shape ?? (tensor.shape as unknown as Shape),
      data: Float64Array.from(tensor.data),
    };
  }

  /** A vector as [1,C,1,1]. */
  vector(name: string): Values {
    const { data } = this.get(name);
    return values([1, data.length, 1, 1], data);
  }
}

/** Tensors to compute with what they should be. */
type Expectations = { name: string; tensor: Tensor; expected: Values }[];

/** Output and gradients of a case for x and the parameters, with the cotangent from the file. */
function caseOf(
  stored: Stored,
  name: string,
  f: (x: Tensor) => Tensor,
  { shape, gradient = "gx", parameters = {} }: {
    shape?: Shape;
    gradient?: string;
    parameters?: Record<string, Tensor>;
  } = {},
): Expectations {
  const x = tensorOf(stored.get(`${name}/x`, shape));
  const y = f(x);
  const inputs = Object.entries({ [gradient]: x, ...parameters });
  const cotangent = tensorOf(stored.get(`${name}/cot`, y.shape));
  const dx = gradients(mul(y, cotangent), inputs.map(([, tensor]) => tensor));
  return [
    { name: `${name}/y`, tensor: y, expected: stored.get(`${name}/y`, y.shape) },
    ...inputs.map(([gradient, input], i) => ({
      name: `${name}/${gradient}`,
      tensor: dx[i]!,
      expected: stored.get(`${name}/${gradient}`, input.shape),
    })),
  ];
}

function convolutions(stored: Stored): Expectations {
  return stored.casesOf("conv/").flatMap((name) => {
    const w = tensorOf(stored.get(`${name}/w`));
    const b = tensorOf(stored.vector(`${name}/b`));
    const f = (x: Tensor) => conv2d(x, w, b, stored.cases[name] ?? {});
    return caseOf(stored, name, f, { parameters: { gw: w, gb: b } });
  });
}

function pooling(stored: Stored): Expectations {
  const cases = stored.casesOf("pool/").filter((name) => name !== "pool/max_ties");
  const ties = tensorOf(stored.get("pool/max_ties/x"));
  const [toFirst] = gradients(maxPool2d(ties, { kernel: 3, stride: 2, padding: 1 }), [ties]);
  return [
    ...cases.flatMap((name) => {
      const { k, s, p, ceil = false, include_pad = true, out } = stored.cases[name];
      if (out) return caseOf(stored, name, (x) => adaptiveAveragePool2d(x, out));
      const options = { kernel: k, stride: s, padding: p, ceilMode: ceil };
      const f = name.includes("/max_")
        ? (x: Tensor) => maxPool2d(x, options)
        : (x: Tensor) => averagePool2d(x, { ...options, countIncludePad: include_pad });
      return caseOf(stored, name, f);
    }),
    { name: "max_ties", tensor: toFirst!, expected: stored.get("pool/max_ties/gx") },
  ];
}

function activations(stored: Stored): Expectations {
  const smooth = { gelu, sigmoid, silu };
  const kinked = { hardsigmoid, hardswish, relu, relu6 };
  const edges = tensorOf(stored.get("act/edges/x", [1, 1, 1, 4]));
  return [
    ...Object.entries({ ...smooth, ...kinked }).flatMap(([name, f]) =>
      caseOf(stored, `act/${name}`, (x) => f(x), { shape: [1, 1, 1, 257] })
    ),
    ...Object.entries(kinked).map(([name, f]) => ({
      name: `${name} at its kinks`,
      tensor: gradients(f(edges), [edges])[0]!,
      expected: stored.get(`act/edges/${name}_gx`, [1, 1, 1, 4]),
    })),
  ];
}

/** x scaled by the sigmoid of one number per channel, as squeeze and excitation does. */
function channelScale(stored: Stored): Expectations {
  const s = tensorOf(stored.get("se_scale/s", [2, 4, 1, 1]));
  return caseOf(stored, "se_scale", (x) => mul(x, sigmoid(s)), { parameters: { gs: s } });
}

function normalisation(stored: Stored): Expectations {
  const [mean, variance, weight, bias] = ["mean", "var", "weight", "bias"].map((name) =>
    tensorOf(stored.vector(`bn/eval/${name}`))
  ) as [Tensor, Tensor, Tensor, Tensor];
  const epsilon = stored.cases["bn/eval"].eps;
  return caseOf(
    stored,
    "bn/eval",
    (x) => batchNorm(x, { mean, variance, weight, bias, epsilon }),
    { parameters: { gweight: weight, gbias: bias } },
  );
}

function layerNormalisation(stored: Stored): Expectations {
  const [weight, bias] = ["weight", "bias"].map((name) =>
    tensorOf(stored.vector(`layernorm2d/${name}`))
  ) as [Tensor, Tensor];
  const epsilon = stored.cases["layernorm2d"].eps;
  return caseOf(
    stored,
    "layernorm2d",
    (x) => layerNorm(x, { weight, bias, epsilon }),
    { parameters: { gweight: weight, gbias: bias } },
  );
}

function shuffles(stored: Stored): Expectations {
  return stored.casesOf("shuffle/").flatMap((name) =>
    caseOf(stored, name, (x) => channelShuffle(x, stored.cases[name].groups))
  );
}

function concatenation(stored: Stored): Expectations {
  const parts = ["x", "x2", "x3"].map((name) => tensorOf(stored.get(`concat/${name}`)));
  const y = concat(parts);
  const dx = gradients(mul(y, tensorOf(stored.get("concat/cot"))), parts);
  return [y, ...dx].map((tensor, i) => {
    const name = `concat/${["y", "gx", "gx2", "gx3"][i]}`;
    return { name, tensor, expected: stored.get(name) };
  });
}

function fullyConnected(stored: Stored): Expectations {
  const w = tensorOf(stored.get("linear/w", [5, 7, 1, 1]));
  const b = tensorOf(stored.vector("linear/b"));
  return caseOf(stored, "linear", (x) => linear(x, w, b), {
    shape: [3, 7, 1, 1],
    parameters: { gw: w, gb: b },
  });
}

function blurs(stored: Stored): Expectations {
  return stored.casesOf("blur/s").flatMap((name) => {
    const { sigma, ksize } = stored.cases[name];
    const kernel = gaussianKernel(sigma, (ksize - 1) / 2);
    const shape: Shape = [
      1,
      1,
      ...(name.split("_")[1]!.split("x").map(Number) as [number, number]),
    ];
    const weights = tensorOf(values([1, kernel.length, 1, 1], kernel));
    return caseOf(stored, name, (x) => gaussianBlur(x, weights), { shape, gradient: "adj" });
  });
}

/** The pixels a case of area resizing starts from; all of them by default. */
const AREA_SOURCES: Record<string, readonly [number, number]> = {
  "3to1_of_375x498": [375, 498],
  "mixed_60x200_to_128x128": [60, 200],
};

function areas(stored: Stored): Expectations {
  const photo = stored.get("area/src");
  const [height, width] = photo.shape;
  const names = stored.names().filter((n) =>
    n.startsWith("area/") && n !== "area/src" && !n.endsWith("_u8")
  );
  return names.map((name) => {
    const [h, w] = AREA_SOURCES[name.slice("area/".length)] ?? [height, width];
    const source = generate([1, 1, h, w], (_n, _c, y, x) => photo.data[y * width + x]!);
    const [rows, columns] = stored.get(name).shape;
    const tensor = resize(tensorOf(source), { size: [rows, columns], mode: "area" });
    return { name, tensor, expected: stored.get(name, tensor.shape) };
  });
}

/** A vector as one row. */
function row(stored: Stored, name: string): Values {
  const { data } = stored.get(name);
  return values([1, 1, 1, data.length], data);
}

/** Barron's loss and its derivative at some shapes and scales, and the logarithm of its integral. */
function robust(stored: Stored): Expectations {
  const x = tensorOf(row(stored, "robust/x"));
  const number = (value: number) => tensorOf(values([1, 1, 1, 1], [value]));
  const losses = stored.casesOf("robust/a").filter((name) => name !== "robust").flatMap((name) => {
    const [, alpha, c] = /a([^/]+)_c(.+)$/.exec(name)!;
    const y = robustLoss(x, number(Number(alpha)), number(Number(c)));
    const [dy] = gradients(y, [x]);
    return [{ name: `${name}/y`, tensor: y }, { name: `${name}/dy`, tensor: dy! }];
  });
  const logZ = robustLogPartition(tensorOf(row(stored, "robust/alphas")));
  return [
    ...losses,
    { name: "robust/logZ", tensor: logZ },
    { name: "robust/logZ_quadrature", tensor: logZ },
  ].map(({ name, tensor }) => ({ name, tensor, expected: row(stored, name) }));
}

const ALL = {
  convolutions,
  pooling,
  activations,
  channelScale,
  normalisation,
  layerNormalisation,
  shuffles,
  concatenation,
  fullyConnected,
  blurs,
  robust,
  areas,
};

for (const [kind, make] of Object.entries(ALL)) {
  testWithShared(`goldens: ${kind}`, [FILE], async () => {
    const expectations = make(new Stored());
    assert.ok(expectations.length > 0);
    const results = await evaluate(gpu, expectations.map(({ tensor }) => tensor));
    const errors = expectations.map(({ name, expected }, i) =>
      assertClose(results[i]!, expected, name)
    );
    note(kind, { worst: Math.max(...errors) });
  });
}

testWithShared("goldens: the Gaussian kernel is OpenCV's", [FILE], () => {
  const stored = new Stored();
  for (const name of stored.names().filter((n) => n.startsWith("blur/kernel_s"))) {
    const { data } = stored.vector(name);
    const radius = (data.length - 1) / 2;
    const kernel = gaussianKernel(Number(name.slice("blur/kernel_s".length)), radius);
    kernel.forEach((value, k) => {
      assert.ok(Math.abs(value - data[radius + k]!) < 1e-7, `${name} at ${k}`);
      assert.ok(Math.abs(value - data[radius - k]!) < 1e-7, `${name} at -${k}`);
    });
  }
});

testWithShared("goldens: area resizing is OpenCV's of whole numbers", [FILE], async () => {
  const stored = new Stored();
  const bytes = stored.names().filter((name) => name.endsWith("_u8"));
  const exact = areas(stored).filter(({ name }) => bytes.includes(`${name}_u8`));
  assert.equal(exact.length, bytes.length);
  const results = await evaluate(gpu, exact.map(({ tensor }) => tensor));
  exact.forEach(({ name, tensor }, i) => {
    const { data } = stored.get(`${name}_u8`, tensor.shape);
    const worst = maxDifference(results[i]!.data, data);
    assert.ok(worst <= 0.5 + 1e-4, `${name}: rounded, but off by ${worst} levels`);
  });
});

testWithShared("goldens: the enlarged start of the method is a cubic spline", [LOOP], async () => {
  const loop = readSafetensors(sharedPath(...LOOP.split("/")));
  const stored = (name: string): Values => {
    const { shape, data } = loop.get(name)!;
    return values(shape as unknown as Shape, data);
  };
  const expected = stored("zoomed_start");
  const [n, c, h, w] = expected.shape;
  const y = resize(tensorOf(stored("start")), { size: [h, w], mode: "cubicSpline" });
  const [result] = await evaluate(gpu, [y]);
  // The last row and column are black there: SciPy finds them outside, at 127 + 2⁻⁴⁶ of 127.
  const inner = ({ shape, data }: Values) =>
    generate([n, c, h - 1, w - 1], (i, k, row, col) => {
      return data[((i * shape[1] + k) * shape[2] + row) * shape[3] + col]!;
    }).data;
  const worst = maxDifference(inner(result!), inner(expected));
  assert.ok(worst <= 0.5 + 1e-4, `whole numbers, but off by ${worst} levels`);
});

/** Channels denoised together, each alone, or the first alone. */
type Channels = "together" | "alone" | "first";

/** [H,W,C] as one picture of C channels, C pictures of one, or one of one. */
function picture(image: Values, each: Channels): Values {
  const [h, w, channels = 1] = image.shape as unknown as [number, number, number?];
  const shapes: Record<Channels, Shape> = {
    together: [1, channels, h, w],
    alone: [channels, 1, h, w],
    first: [1, 1, h, w],
  };
  return generate(shapes[each], (n, c, y, x) => image.data[(y * w + x) * channels + n + c]!);
}

/** The picture behind a result: the colour picture, or its green channel for the gray one. */
function toDenoise(stored: Stored, name: string, each: Channels): Values {
  const colour = stored.get("tv/x");
  if (name !== "w5_gray") return picture(colour, each);
  const [h, w] = colour.shape;
  const data = colour.data.filter((_, i) => i % 3 === 1);
  return picture({ shape: [h, w, 1] as unknown as Shape, data }, each);
}

/** scikit-image's runs: name, weight, sweeps, eps, how channels go together, tolerance. */
const DENOISED: [string, number, number, number, Channels, number?][] = [
  ["w5_coupled_sweeps1", 5, 1, 0, "together"],
  ["w5_coupled_sweeps2", 5, 2, 0, "together"],
  ["w5_coupled_sweeps10", 5, 10, 0, "together"],
  // Stops early where scikit-image stops.
  ["w2_coupled", 2, 100, 1e-3, "together"],
  ["w5_coupled", 5, 100, 1e-3, "together"],
  ["w8_coupled", 8, 100, 1e-3, "together"],
  // scikit-image 0.19 starts the later channels from the result of the one before.
  ["w2_perchannel", 2, 100, 1e-3, "first"],
  ["w5_perchannel", 5, 100, 1e-3, "first"],
  ["w8_perchannel", 8, 100, 1e-3, "first"],
  ["w5_gray", 5, 100, 1e-3, "alone"],
  // scikit-image runs on to 5000 sweeps or a change of 1e-8.
  ["w2_coupled_converged", 2, 1000, 1e-7, "together", 1e-4],
  ["w5_coupled_converged", 5, 1000, 1e-7, "together", 1e-4],
  ["w8_coupled_converged", 8, 1000, 1e-7, "together", 1e-4],
  ["w5_perchannel_converged", 5, 1000, 1e-7, "alone", 1e-4],
];

testWithShared("goldens: total-variation denoising is scikit-image's", [FILE], async () => {
  const stored = new Stored();
  const expectations = DENOISED.map(([name, weight, sweeps, eps, each, tolerance = 1e-5]) => {
    const x = tensorOf(toDenoise(stored, name, each));
    const settings = tensorOf(values([1, 2, 1, 1], [weight, eps]));
    const expected = picture(stored.get(`tv/${name}`), each);
    return { name, tensor: tvDenoise(x, settings, sweeps), expected, tolerance };
  });
  const results = await evaluate(gpu, expectations.map(({ tensor }) => tensor));
  expectations.forEach(({ name, expected, tolerance }, i) => {
    note(name, { worst: assertClose(results[i]!, expected, name, tolerance) });
  });
});

/** How near a hundred sweeps come to scikit-image: name, weight, eps, channels, decibels at least. */
const NEAR: [string, number, number, Channels, number][] = [2, 5, 8].flatMap((weight) => {
  const name = `w${weight}`;
  return [
    // The same sweeps, up to the same stop.
    [`${name}_coupled`, weight, 1e-3, "together", 45],
    [`${name}_perchannel`, weight, 1e-3, "first", 45],
    // scikit-image 0.19 starts the later channels from the result of the one before.
    [`${name}_perchannel`, weight, 1e-3, "alone", 45],
    // All hundred, against scikit-image's 11 or 12 and against its 5000.
    [`${name}_coupled`, weight, -1, "together", 45],
    [`${name}_coupled_converged`, weight, -1, "together", 60],
    ...(weight === 5 ? [[`${name}_gray`, weight, 1e-3, "alone", 45]] : []),
    ...(weight === 5 ? [[`${name}_perchannel_converged`, weight, -1, "alone", 60]] : []),
  ] as typeof NEAR;
});

testWithShared("goldens: the denoised pictures' PSNR against scikit-image", [FILE], async () => {
  const stored = new Stored();
  const results = await evaluate(
    gpu,
    NEAR.map(([name, weight, eps, each]) => {
      const x = tensorOf(toDenoise(stored, name, each));
      return tvDenoise(x, tensorOf(values([1, 2, 1, 1], [weight, eps])), 100);
    }),
  );
  NEAR.forEach(([name, , eps, each, least], i) => {
    const expected = picture(stored.get(`tv/${name}`), each);
    assert.deepEqual(results[i]!.shape, expected.shape);
    const decibels = -20 * Math.log10(rmsDifference(results[i]!.data, expected.data)); // peak 1
    note(`${name}, eps ${eps}, channels ${each}`, { decibels });
    assert.ok(decibels >= least, `${name}, eps ${eps}, channels ${each}: ${decibels} dB`);
  });
});

testWithShared("goldens: none is forgotten", [FILE], () => {
  const stored = new Stored();
  Object.values(ALL).forEach((make) => make(stored));
  const tested = (name: string) =>
    stored.asked.has(name) || name.startsWith("blur/kernel_s") || name === "tv/x" ||
    (name.startsWith("area/") && name.endsWith("_u8")) ||
    DENOISED.some(([denoised]) => name === `tv/${denoised}`);
  assert.deepEqual(stored.names().filter((name) => !tested(name)), []);
});
