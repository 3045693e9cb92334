import assert from "node:assert/strict";
import { openSafetensors } from "../../../models/formats/open_safetensors.ts";
import { encodeSafetensors, parseSafetensors } from "../../../models/formats/safetensors.ts";
import { UserError } from "../../../base/errors.ts";

/** A file with any header, and `length` bytes of data. */
function build(header: unknown, length = 0): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + text.length + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

/** Runs `body` with the path of a temporary file. */
function withFile(bytes: Uint8Array, body: (path: string) => void): void {
  const path = Deno.makeTempFileSync({ suffix: ".safetensors" });
  try {
    Deno.writeFileSync(path, bytes);
    body(path);
  } finally {
    Deno.removeSync(path);
  }
}

const TENSORS = {
  "conv.weight": { shape: [2, 1, 1, 2], values: new Float32Array([1, -2, 3.5, 1e-30]) },
  "bias é": { shape: [], values: new Float32Array([7]) },
  "empty": { shape: [0, 3], values: new Float32Array() },
};

Deno.test("safetensors: what is written is read back, from a file and from bytes", () => {
  const bytes = encodeSafetensors(TENSORS, { note: "hello" });
  assert.equal(new DataView(bytes.buffer).getUint32(0, true) % 8, 0);
  const check = (file: ReturnType<typeof parseSafetensors>) => {
    assert.deepEqual(file.names, Object.keys(TENSORS));
    assert.deepEqual(file.metadata, { note: "hello" });
    for (const [name, { shape, values }] of Object.entries(TENSORS)) {
      assert.ok(file.has(name));
      assert.deepEqual(file.shape(name), shape);
      assert.deepEqual(file.read(name), values);
    }
    assert.ok(!file.has("other") && !file.has("__metadata__"));
  };
  check(parseSafetensors(bytes, "memory"));
  withFile(bytes, (path) => {
    using file = openSafetensors(path);
    assert.equal(file.name, path);
    check(file);
    file.close(); // closing twice is allowed
  });
});

Deno.test("safetensors: half, bfloat16 and double become float32", () => {
  const values = [1.5, -0.25, 1024, 3.140625];
  const parts: Record<string, Uint8Array> = {
    F16: new Uint8Array(new Float16Array(values).buffer),
    BF16: new Uint8Array(
      Uint16Array.from(new Uint32Array(new Float32Array(values).buffer), (bits) => bits >>> 16)
        .buffer,
    ),
    F64: new Uint8Array(new Float64Array(values).buffer),
  };
  for (const [dtype, data] of Object.entries(parts)) {
    const bytes = build({ x: { dtype, shape: [4], data_offsets: [0, data.length] } }, data.length);
    bytes.set(data, bytes.length - data.length);
    assert.deepEqual(parseSafetensors(bytes, dtype).read("x"), new Float32Array(values), dtype);
  }
});

Deno.test("safetensors: each half is the number it stands for", () => {
  const codes = Uint16Array.from({ length: 65536 }, (_, code) => code);
  const data = new Uint8Array(codes.buffer);
  const bytes = build(
    { x: { dtype: "F16", shape: [65536], data_offsets: [0, data.length] } },
    data.length,
  );
  bytes.set(data, bytes.length - data.length);
  const expected = new Float32Array(new Float16Array(codes.buffer));
  const read = parseSafetensors(bytes, "halves").read("x");
  assert.equal(read.length, 65536);
  assert.ok(read.every((value, code) => Object.is(value, expected[code])));
});

Deno.test("safetensors: values are copies", () => {
  const file = parseSafetensors(encodeSafetensors(TENSORS), "memory");
  file.read("conv.weight").fill(0);
  assert.equal(file.read("conv.weight")[0], 1);
});

Deno.test("safetensors: tensors of other dtypes do no harm until they are read", () => {
  const bytes = build({
    count: { dtype: "I64", shape: [], data_offsets: [0, 8] },
    odd: { dtype: "F4", shape: [3], data_offsets: [8, 10] },
  }, 10);
  const file = parseSafetensors(bytes, "w.safetensors");
  assert.equal(file.read("count").length, 1);
  assert.throws(() => file.read("odd"), {
    name: "UserError",
    message: /^w.safetensors: tensor "odd" has dtype F4; supported: F64, F32, F16, BF16, I64/,
  });
  assert.throws(() => file.read("none"), { message: 'w.safetensors: no tensor "none"' });
  assert.throws(() => file.shape("none"), UserError);
});

const ENTRY = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
const BROKEN: [name: string, bytes: Uint8Array, message: RegExp][] = [
  ["an empty file", new Uint8Array(), /not a safetensors file \(it has 0 bytes\)/],
  [
    "an absurd header length",
    new Uint8Array(4096).fill(1),
    /the first 8 bytes announce a header of 72340172838076670 bytes, the file has 4096\); expected a file written by safetensors\.torch\.save_file/,
  ],
  [
    "a header longer than the file",
    build("{}").subarray(0, 9),
    /a header of 2 bytes, the file has 9/,
  ],
  [
    "a PyTorch checkpoint",
    new Uint8Array([0x50, 0x4b, 3, 4, ...new Array(60).fill(0)]),
    /a zip archive, perhaps a PyTorch checkpoint/,
  ],
  [
    "a Git LFS pointer",
    new TextEncoder().encode("version https://git-lfs.github.com/spec/v1"),
    /Git LFS pointer/,
  ],
  ["a header that is no JSON", build("{oops"), /its header is not JSON/],
  ["a header that is no UTF-8", build("{}").with(8, 0xff), /its header is not JSON/],
  ["a header that is a list", build([]), /its header is not a JSON object/],
  ["metadata that is a list", build({ __metadata__: [] }), /__metadata__ is not an object/],
  ["an entry that is a number", build({ x: 1 }), /the entry of tensor "x" is not an object/],
  ["no dtype", build({ x: { ...ENTRY, dtype: 3 } }, 8), /tensor "x" has no dtype/],
  ["a negative size", build({ x: { ...ENTRY, shape: [-2] } }, 8), /no valid shape/],
  ["a size of 1.5", build({ x: { ...ENTRY, shape: [1.5] } }, 8), /no valid shape/],
  ["one offset", build({ x: { ...ENTRY, data_offsets: [0] } }, 8), /no valid data_offsets/],
  ["offsets backwards", build({ x: { ...ENTRY, data_offsets: [8, 0] } }, 8), /bytes 8 to 0/],
  [
    "a truncated file",
    build({ x: ENTRY }, 7),
    /broken safetensors file: tensor "x" lies at bytes 0 to 8 of the data, which has 7/,
  ],
  [
    "a shape that does not fit its offsets",
    build({ x: { ...ENTRY, shape: [3] } }, 8),
    /tensor "x" of shape \[3\] and dtype F32 needs 12 bytes, its data_offsets give 8/,
  ],
];

Deno.test("safetensors: a broken file is one clear line", async (t) => {
  for (const [name, bytes, message] of BROKEN) {
    await t.step(name, () => {
      const check = (open: () => unknown, path: string) => {
        assert.throws(open, (error: Error) => {
          assert.ok(error instanceof UserError);
          assert.match(error.message, message);
          assert.ok(error.message.startsWith(`${path}: `) && !error.message.includes("\n"));
          return true;
        });
      };
      check(() => parseSafetensors(bytes, "memory"), "memory");
      withFile(bytes, (path) => check(() => openSafetensors(path), path));
    });
  }
});

Deno.test("safetensors: a missing file and a folder are named", () => {
  assert.throws(() => openSafetensors("no/such.safetensors"), {
    name: "UserError",
    message: "no/such.safetensors: no such file",
  });
  assert.throws(() => openSafetensors("."), {
    name: "UserError",
    message: /^\.: a folder and no file/,
  });
});

Deno.test("safetensors: a file that shrank since it was opened is noticed", () => {
  withFile(encodeSafetensors(TENSORS), (path) => {
    using file = openSafetensors(path);
    Deno.truncateSync(path, 100);
    assert.throws(() => file.read("conv.weight"), { name: "UserError", message: /ends too early/ });
  });
});

Deno.test("safetensors: shape and values must agree when writing", () => {
  const values = new Float32Array(3);
  assert.throws(() => encodeSafetensors({ x: { shape: [2], values } }), RangeError);
});
