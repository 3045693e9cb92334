/** The operations against PyTorch, OpenCV and scikit-image: `../shared/goldens/kernels.safetensors`. */
import assert from "node:assert/strict";
import {
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
  type Shape,
  sigmoid,
  silu,
  type Tensor,
  tvDenoise,
} from "../ops/mod.ts";
import { assertClose, evaluate, gpuForTests, note, tensorOf, values } from "./compare.ts";
import { type Goldens, readSafetensors, sharedPath, testWithShared } from "./goldens.ts";
import { generate, type Values } from "./reference.ts";

const FILE = "goldens/kernels.safetensors";
const gpu = await gpuForTests();

/** What is stored for operations that do not exist (yet), by the start of its name. */
const SKIPPED: Record<string, string> = {
  "conv/groups2_3x3/": "groups are 1 or the number of channels",
  "pool/adaptive": "there is no adaptive pooling",
  "robust/": "the loss belongs to vis/",
  "area/": "resizing belongs to vis/",
};
/** Endings of names whose gradients do not exist. */
const SKIPPED_ENDINGS: Record<string, string> = {
  "/gw": "weights are constants",
  "/gb": "biases are constants",
  "/adj": "nothing differentiates through the blur",
};

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

  /** The folders `prefix/<case>/`, without those that are skipped. */
  casesOf(prefix: string): string[] {
    const all = new Set(
      this.names().filter((n) => n.startsWith(prefix)).map((n) => n.slice(0, n.lastIndexOf("/"))),
    );
    return [...all].filter((n) => !Object.keys(SKIPPED).some((s) => `${n}/`.startsWith(s)));
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
  shape?: Shape,
  parameters: Record<string, Tensor> = {},
): Expectations {
  const x = tensorOf(stored.get(`${name}/x`, shape));
  const y = f(x);
  const wrt = { x, ...parameters };
  const cotangent = tensorOf(stored.get(`${name}/cot`, y.shape));
  const gradient = gradients(mul(y, cotangent), Object.values(wrt));
  return [
    { name: `${name}/y`, tensor: y, expected: stored.get(`${name}/y`, y.shape) },
    ...Object.keys(wrt).map((key, i) => ({
      name: `${name}/g${key}`,
      tensor: gradient[i]!,
      expected: stored.get(`${name}/g${key}`, gradient[i]!.shape),
    })),
  ];
}

function convolutions(stored: Stored): Expectations {
  return stored.casesOf("conv/").flatMap((name) => {
    const w = stored.get(`${name}/w`);
    const bias = tensorOf(stored.vector(`${name}/b`));
    return caseOf(stored, name, (x) => conv2d(x, tensorOf(w), bias, stored.cases[name] ?? {}));
  });
}

function pooling(stored: Stored): Expectations {
  const cases = stored.casesOf("pool/").filter((name) => name !== "pool/max_ties");
  const ties = tensorOf(stored.get("pool/max_ties/x"));
  const [toFirst] = gradients(maxPool2d(ties, { kernel: 3, stride: 2, padding: 1 }), [ties]);
  return [
    ...cases.flatMap((name) => {
      const { k, s, p, ceil = false, include_pad = true } = stored.cases[name];
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
      caseOf(stored, `act/${name}`, (x) => f(x), [1, 1, 1, 257])
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
  return caseOf(stored, "se_scale", (x) => mul(x, sigmoid(s)), undefined, { s });
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
    undefined,
    { weight, bias },
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
    undefined,
    { weight, bias },
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
  return caseOf(stored, "linear", (x) => linear(x, w, b), [3, 7, 1, 1]);
}

function blurs(stored: Stored): Expectations {
  return stored.casesOf("blur/s").map((name) => {
    const { sigma, ksize } = stored.cases[name];
    const kernel = gaussianKernel(sigma, (ksize - 1) / 2);
    const shape: Shape = [
      1,
      1,
      ...(name.split("_")[1]!.split("x").map(Number) as [number, number]),
    ];
    const x = tensorOf(stored.get(`${name}/x`, shape));
    const weights = tensorOf(values([1, kernel.length, 1, 1], kernel));
    return {
      name,
      tensor: gaussianBlur(x, weights),
      expected: stored.get(`${name}/y`, shape),
    };
  });
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
  const colour = stored.get("tv/x");
  const [h, w] = colour.shape;
  const green: Values = {
    shape: [h, w, 1] as unknown as Shape,
    data: colour.data.filter((_, i) => i % 3 === 1),
  };
  const expectations = DENOISED.map(([name, weight, sweeps, eps, each, tolerance = 1e-5]) => {
    const x = tensorOf(picture(name === "w5_gray" ? green : colour, each));
    const settings = tensorOf(values([1, 2, 1, 1], [weight, eps]));
    const expected = picture(stored.get(`tv/${name}`), each);
    return { name, tensor: tvDenoise(x, settings, sweeps), expected, tolerance };
  });
  const results = await evaluate(gpu, expectations.map(({ tensor }) => tensor));
  expectations.forEach(({ name, expected, tolerance }, i) => {
    note(name, { worst: assertClose(results[i]!, expected, name, tolerance) });
  });
});

testWithShared("goldens: none is forgotten", [FILE], () => {
  const stored = new Stored();
  Object.values(ALL).forEach((make) => make(stored));
  const tested = (name: string) =>
    stored.asked.has(name) || name.startsWith("blur/kernel_s") || name === "tv/x" ||
    DENOISED.some(([denoised]) => name === `tv/${denoised}`);
  const skipped = (name: string) =>
    Object.keys(SKIPPED).some((start) => name.startsWith(start)) ||
    Object.keys(SKIPPED_ENDINGS).some((end) => name.endsWith(end)) ||
    (name.startsWith("blur/") && name.endsWith("/cot")); // only the adjoint needs it
  assert.deepEqual(stored.names().filter((name) => !tested(name) && !skipped(name)), []);
});
