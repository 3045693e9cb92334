import assert from "node:assert/strict";
import { openGpu } from "../../kernels/runtime/device.ts";
import { compileKernel, packParameters } from "../../kernels/runtime/kernel.ts";
import {
  createSheet,
  destroySheet,
  packSheet,
  readSheet,
  sheetSize,
  type Size4,
  storageFor,
  unpackSheet,
  writeSheet,
} from "../../kernels/runtime/sheet.ts";
import { Random, sizeOf } from "../../ops/mod.ts";
import { gpuForTests } from "../compare.ts";

const gpu = await gpuForTests();
const STORAGES = ["texture", "buffer"] as const;
const SHAPES: Size4[] = [
  [1, 1, 1, 1],
  [1, 3, 5, 7],
  [2, 4, 3, 2],
  [3, 9, 2, 5],
  [4, 13, 6, 17],
];

const counting = (shape: Size4) => Float32Array.from({ length: sizeOf(shape) }, (_, i) => i + 1);

Deno.test("element [n,c,y,x] is lane c mod 4 of the texel in column n·W + x, row ⌊c/4⌋·H + y", () => {
  for (const shape of SHAPES) {
    const [n, c, h, w] = shape;
    const { width, height } = sheetSize(shape);
    assert.deepEqual([width, height], [n * w, Math.ceil(c / 4) * h]);
    const texels = packSheet(counting(shape), shape);
    assert.equal(texels.length, width * height * 4);
    const expected = new Float32Array(texels.length);
    for (let value = 1; value <= n * c * h * w; value++) {
      const i = value - 1;
      const [x, y] = [i % w, Math.floor(i / w) % h];
      const [k, p] = [Math.floor(i / w / h) % c, Math.floor(i / w / h / c)];
      expected[((Math.floor(k / 4) * h + y) * width + p * w + x) * 4 + k % 4] = value;
    }
    assert.deepEqual(texels, expected, "and lanes beyond the channels are zero");
  }
});

Deno.test("unpacking undoes packing, for any row length of the texels", () => {
  for (const shape of SHAPES) {
    const values = counting(shape);
    const { width, height } = sheetSize(shape);
    const texels = packSheet(values, shape);
    assert.deepEqual(unpackSheet(texels, shape, width), values);
    const stride = width + 3;
    const spaced = new Float32Array(stride * height * 4).fill(NaN);
    for (let row = 0; row < height; row++) {
      spaced.set(texels.subarray(row * width * 4, (row + 1) * width * 4), row * stride * 4);
    }
    assert.deepEqual(unpackSheet(spaced, shape, stride), values);
  }
});

for (const storage of STORAGES) {
  Deno.test(`texels written to a larger sheet read back the same (${storage})`, async () => {
    for (const shape of SHAPES) {
      const values = counting(shape);
      const { width, height } = sheetSize(shape);
      // A texture keeps its width; a buffer is as wide as what lies in it.
      const sheet = createSheet(gpu, width + 2, height + 3, storage);
      try {
        writeSheet(gpu, sheet, packSheet(values, shape), width, height);
        const { texels, stride } = await readSheet(gpu, sheet, width, height);
        assert.deepEqual(unpackSheet(texels, shape, stride), values);
      } finally {
        destroySheet(sheet);
      }
    }
  });
}

Deno.test("a sheet too large for a texture lives in a buffer", () => {
  const limit = gpu.device.limits.maxTextureDimension2D;
  assert.equal(storageFor(gpu, limit, 1), gpu.storage);
  assert.equal(storageFor(gpu, limit + 1, 1), "buffer");
  assert.equal(storageFor(gpu, 1, limit + 1), "buffer");
});

Deno.test("a sheet too large for any buffer is an error that says what to do", () => {
  assert.throws(() => createSheet(gpu, 1 << 16, 1 << 16, "buffer"), {
    name: "UserError",
    message: /\d+ bytes are needed in one piece, .* use smaller or fewer pictures/,
  });
});

Deno.test("a kernel that does not compile is named in the error, with the compiler's words", async () => {
  const spec = {
    source: { name: "broken", wgsl: "@compute @workgroup_size(1) fn main() { let x: i32 = 1.5; }" },
    defines: {},
    reads: [],
    writes: [{ name: "y", storage: "buffer" as const, full: true }],
    scratch: [],
    parameters: [],
  };
  using own = await openGpu(); // the device remembers the error, which must not hurt other tests
  await assert.rejects(
    compileKernel(own, spec),
    /kernel broken does not compile: line \d+: .*i32/s,
  );
});

Deno.test("equal specs share one pipeline", async () => {
  const wgsl = "@compute @workgroup_size(1) fn main() { store_y(0, 0, 0, 0, vec4f(${VALUE})); }";
  const spec = (VALUE: number) => ({
    source: { name: "fill", wgsl },
    defines: { VALUE },
    reads: [],
    writes: [{ name: "y", storage: "buffer" as const, full: true }],
    scratch: [],
    parameters: [],
  });
  const first = await compileKernel(gpu, spec(1));
  assert.equal(await compileKernel(gpu, spec(1)), first);
  assert.notEqual(await compileKernel(gpu, spec(2)), first);
});

Deno.test("parameters are packed as vec4i pairs and 4-byte numbers, padded to 16 bytes", () => {
  const block = packParameters(
    [{ size: [1, 2, 3, 4], place: [5, 6, 7, 8] }],
    [{ value: -9, type: "i32" }, { value: 0.5, type: "f32" }],
  );
  assert.equal(block.byteLength, 48);
  assert.deepEqual([...new Int32Array(block, 0, 9)], [1, 2, 3, 4, 5, 6, 7, 8, -9]);
  assert.equal(new Float32Array(block, 36, 1)[0], 0.5);
});

Deno.test("whole numbers are divided exactly", async () => {
  const random = new Random(5);
  const most = 2 ** 30;
  const pairs: [number, number][] = [[0, 1], [most - 1, 1], [most - 1, 3], [most - 1, most - 1]];
  for (let i = 0; i < 4000; i++) {
    const b = Math.floor(2 ** random.uniform(0, 30));
    const multiple = b * Math.floor(random.uniform(0, 2) ** 4 / 16 * most / b);
    // Just below a multiple is where rounding would go wrong.
    for (const a of [multiple - 1, multiple, multiple + b - 1]) {
      if (a >= 0 && a < most) pairs.push([a, b]);
    }
  }
  const [width, height] = [256, Math.ceil(pairs.length / 256)];
  const kernel = await compileKernel(gpu, {
    source: {
      name: "quotients",
      wgsl: `@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
        let halves = vec4i(texel_x(i32(id.x), i32(id.y)));
        let a = halves.x * 32768 + halves.y;
        let b = halves.z * 32768 + halves.w;
        let results = vec4i(
          quotient(a, b) - a / b,
          modulo(a, b) - a % b,
          modulo(-a, b) - (b - a % b) % b,
          select(small_quotient(a, b) - a / b, 0, a >= 1048576),
        );
        store_y(0, 0, i32(id.y), i32(id.x), vec4f(results));
      }`,
    },
    defines: {},
    reads: [{ name: "x", storage: "buffer" }],
    writes: [{ name: "y", storage: "buffer", full: true }],
    scratch: [],
    parameters: [],
  });
  const [x, y] = [1, 2].map(() => createSheet(gpu, width, height, "buffer"));
  const operand = { size: [1, 1, height, width], place: [0, width, 4, 0] };
  const uniform = gpu.device.createBuffer({
    size: 64,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  try {
    const texels = new Float32Array(width * height * 4).fill(1);
    pairs.forEach(([a, b], i) => texels.set([a >> 15, a & 32767, b >> 15, b & 32767], i * 4));
    writeSheet(gpu, x!, texels, width, height);
    gpu.device.queue.writeBuffer(uniform, 0, packParameters([operand, operand], []));
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(kernel.pipeline);
    const buffers = [uniform, x!.memory as GPUBuffer, y!.memory as GPUBuffer];
    pass.setBindGroup(
      0,
      gpu.device.createBindGroup({
        layout: kernel.layout,
        entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
      }),
    );
    pass.dispatchWorkgroups(width / 64, height);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
    const { texels: errors } = await readSheet(gpu, y!, width, height);
    pairs.forEach(([a, b], i) => {
      const off = [...errors.subarray(i * 4, i * 4 + 4)];
      assert.deepEqual(off, [0, 0, 0, 0], `${a} by ${b}: quotient, modulo, of −a, small_quotient`);
    });
  } finally {
    destroySheet(x!);
    destroySheet(y!);
    uniform.destroy();
  }
});
