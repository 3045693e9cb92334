/**
 * Turns a WGSL template and its operands into a pipeline.
 *
 * A kernel never says where its operands live. For every operand `x` the runtime generates
 *
 *     load_x(n, c4, y, x) -> vec4f       the texel of channels 4·c4 .. 4·c4+3 (reads)
 *     texel_x(column, row) -> vec4f      the same by sheet coordinates (reads)
 *     sheet_x(column, row) -> vec4f      the same, rows counted from P.x_place.x (reads, in loops:
 *                                        software adapters look a P up at every turn)
 *     store_x(n, c4, y, x, v)            lanes beyond the tensor's channels become zero (writes)
 *     P.x_size  : vec4i                  pictures, channel quads, rows, columns
 *     P.x_place : vec4i                  first row, row length in texels, channels, -
 *
 * and for every parameter `p` the field `P.p`. `quotient(a, b)` divides whole numbers and
 * `modulo(a, b)` takes the rest, exactly; `small_quotient(a, b)` does it faster. A kernel without a
 * `main` has a `compute(n, c4, y, x)`, which
 * is called for each texel of its first result; with a constant TEXELS, for the first of so many
 * neighbours in a row.
 */
import type { Gpu, Storage } from "./device.ts";
import { type Defines, expandTemplate } from "./template.ts";

/** A hand-written kernel. */
export interface KernelSource {
  /** For error messages and profiles. */
  readonly name: string;
  /** The template. */
  readonly wgsl: string;
}

/** What a pipeline is generated from; equal specs share one pipeline. */
export interface KernelSpec {
  readonly source: KernelSource;
  readonly defines: Defines;
  readonly reads: readonly { name: string; storage: Storage }[];
  /** `full`: all lanes of its texels are channels, none has to be kept zero. */
  readonly writes: readonly { name: string; storage: Storage; full: boolean }[];
  /** State a kernel updates in place: a flat `array<vec4f>` in a buffer. */
  readonly scratch: readonly string[];
  readonly parameters: readonly { name: string; type: "i32" | "f32" }[];
  /** Has {@linkcode GRID} as its last parameters, and finds its workgroups in a folded grid. */
  readonly folded?: boolean;
}

/** A compiled kernel. */
export interface Kernel {
  readonly spec: KernelSpec;
  /** The complete WGSL. */
  readonly code: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/**
 * Whole numbers are divided through float: integer division is many times slower on adapters that do
 * it lane by lane, and every kernel needs one or two.
 *
 * `small_quotient` is exact for 0 ≤ a < 2²⁰ and b > 0 (division may be off by 2.5 ULP). `quotient` is
 * for 0 ≤ a < 2³⁰, `modulo` (from 0 up for negative a too) for |a| < 2³⁰: float32's quotient may then be
 * off by hundreds, so what is left over is divided again, and the last unit is put right in whole
 * numbers.
 */
const DIVISION = `
fn quotient(a: i32, b: i32) -> i32 {
  let q = i32(f32(a) / f32(b));
  let p = q + i32(floor((f32(a - q * b) + 0.5) / f32(b)));
  let rest = a - p * b;
  return p + select(0, 1, rest >= b) - select(0, 1, rest < 0);
}
fn modulo(a: i32, b: i32) -> i32 {
  let r = a - b * i32(floor(f32(a) / f32(b)));
  let rest = r - b * i32(floor((f32(r) + 0.5) / f32(b)));
  return rest + select(0, b, rest < 0) - select(0, b, rest >= b);
}`;

/** Binding 0 is the uniform block; reads, writes and scratch follow in that order. */
const FIRST_OPERAND = 1;

function readOperand(name: string, storage: Storage, binding: number): string {
  const load = storage === "texture"
    ? `textureLoad(${name}_memory, vec2i(column, row))`
    : `${name}_memory[row * P.${name}_place.y + column]`;
  const declaration = storage === "texture"
    ? `var ${name}_memory: texture_storage_2d<rgba32float, read>;`
    : `var<storage, read> ${name}_memory: array<vec4f>;`;
  return `@group(0) @binding(${binding}) ${declaration}
fn sheet_${name}(column: i32, row: i32) -> vec4f { return ${load}; }
fn texel_${name}(column: i32, row: i32) -> vec4f {
  return sheet_${name}(column, row + P.${name}_place.x);
}
fn load_${name}(n: i32, c4: i32, y: i32, x: i32) -> vec4f {
  return texel_${name}(n * P.${name}_size.w + x, c4 * P.${name}_size.z + y);
}`;
}

function writeOperand(name: string, storage: Storage, binding: number, full: boolean): string {
  const declaration = storage === "texture"
    ? `var ${name}_memory: texture_storage_2d<rgba32float, write>;`
    : `var<storage, read_write> ${name}_memory: array<vec4f>;`;
  const store = storage === "texture"
    ? `textureStore(${name}_memory, vec2i(column, row), value);`
    : `${name}_memory[row * P.${name}_place.y + column] = value;`;
  return `@group(0) @binding(${binding}) ${declaration}
fn store_${name}(n: i32, c4: i32, y: i32, x: i32, v: vec4f) {
  let column = n * P.${name}_size.w + x;
  let row = c4 * P.${name}_size.z + y + P.${name}_place.x;
  let value = ${
    full ? "v" : `select(vec4f(), v, vec4i(0, 1, 2, 3) + 4 * c4 < vec4i(P.${name}_place.z))`
  };
  ${store}
}`;
}

/** The complete WGSL of a kernel. */
export function generate(spec: KernelSpec): string {
  const body = expandTemplate(spec.source.wgsl, spec.defines);
  const kernel = /\bfn main\b/.test(body)
    ? body
    : `${body}\n${perTexelMain(spec.writes[0]!.name, spec.defines.TEXELS)}`;
  const fields: string[] = [];
  const operands: string[] = [];
  let binding = FIRST_OPERAND;
  for (const { name } of [...spec.reads, ...spec.writes]) {
    fields.push(`${name}_size: vec4i`, `${name}_place: vec4i`);
  }
  for (const { name, storage } of spec.reads) operands.push(readOperand(name, storage, binding++));
  for (const { name, storage, full } of spec.writes) {
    operands.push(writeOperand(name, storage, binding++, full));
  }
  for (const name of spec.scratch) {
    operands.push(
      `@group(0) @binding(${binding++}) var<storage, read_write> ${name}: array<vec4f>;`,
    );
  }
  for (const { name, type } of spec.parameters) fields.push(`${name}: ${type}`);
  return `struct Parameters { ${fields.join(", ")} }
@group(0) @binding(0) var<uniform> P: Parameters;
${operands.join("\n")}
fn small_quotient(a: i32, b: i32) -> i32 { return ${
    spec.folded ? "quotient(a, b)" : "i32((f32(a) + 0.5) / f32(b))"
  }; }
${DIVISION}
${spec.folded ? folded(kernel) : kernel}`;
}

/** Columns and rows of invocations in a workgroup of {@linkcode perTexelMain}. */
export const WORKGROUP = { columns: 16, rows: 4 };

/** The entry point of kernels that have none: `compute` for each texel, or some, of the result. */
function perTexelMain(result: string, texels: unknown = 1): string {
  const { columns, rows } = WORKGROUP;
  return `@compute @workgroup_size(${columns}, ${rows})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let size = P.${result}_size;
  let x = i32(id.x) * ${texels};
  let y = i32(id.y);
  let n = small_quotient(i32(id.z), size.y); // fewer than 2¹⁶, unless folded
  if (x < size.w && y < size.z) { compute(n, i32(id.z) - n * size.y, y, x); }
}`;
}

/** The workgroups along x and y, and all of them, of a grid that was folded. */
const GRID = ["grid_x", "grid_y", "grid_all"] as const;

/**
 * A grid with more workgroups along an axis than WebGPU allows, as one that it allows; undefined where
 * nothing has to be folded. Some workgroups at its end are too many.
 *
 * @param most workgroups along an axis: the device's `maxComputeWorkgroupsPerDimension`
 */
export function foldGrid(
  workgroups: readonly [number, number, number],
  most: number,
): {
  readonly workgroups: readonly [number, number, number];
  readonly parameters: Readonly<Record<typeof GRID[number], number>>;
} | undefined {
  if (workgroups.every((count) => count <= most)) return undefined;
  const [grid_x, grid_y, z] = workgroups;
  const grid_all = grid_x * grid_y * z;
  const depth = Math.ceil(grid_all / most ** 2);
  const height = Math.ceil(grid_all / depth / most);
  const width = Math.ceil(grid_all / depth / height);
  return { workgroups: [width, height, depth], parameters: { grid_x, grid_y, grid_all } };
}

/** A kernel whose workgroups find their place in the grid from their number. */
function folded(kernel: string): string {
  const entry = /@compute @workgroup_size\((.+)\)\nfn main\((.+)\) \{/.exec(kernel);
  if (!entry) throw new SyntaxError(`expected a line @compute and a line fn main(…) {:\n${kernel}`);
  const [header, size, list] = entry as unknown as [string, string, string];
  const inputs = list.split(", ").map((input) => {
    const [, builtin, name, type] = /^@builtin\((\w+)\) (\w+): (\w+)$/.exec(input)!;
    return { builtin: builtin!, parameter: `${name}: ${type}` };
  });
  const sides = [...size.split(","), "1", "1"].slice(0, 3);
  const places: Record<string, string> = {
    workgroup_id: "group",
    global_invocation_id: `group * vec3u(${sides.join(",")}) + local`,
    local_invocation_id: "local",
    local_invocation_index: "index",
  };
  return kernel.replace(header, `fn main_of(${inputs.map((i) => i.parameter).join(", ")}) {`) + `
@compute @workgroup_size(${size})
fn main(
  @builtin(workgroup_id) folded: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let at = (folded.z * count.y + folded.y) * count.x + folded.x;
  if (at >= u32(P.grid_all)) { return; }
  let line = at / u32(P.grid_x);
  let sheet = line / u32(P.grid_y);
  let group = vec3u(at - line * u32(P.grid_x), line - sheet * u32(P.grid_y), sheet);
  main_of(${inputs.map(({ builtin }) => places[builtin]).join(", ")});
}`;
}

/** Explicit, because an automatic layout drops operands a variant does not touch. */
function layoutEntries(spec: KernelSpec): GPUBindGroupLayoutEntry[] {
  const visibility = GPUShaderStage.COMPUTE;
  const uniform: GPUBindGroupLayoutEntry = { binding: 0, visibility, buffer: { type: "uniform" } };
  const entries = [uniform];
  const operand = (
    storage: Storage,
    access: GPUStorageTextureAccess,
    type: GPUBufferBindingType,
  ) => {
    const binding = entries.length;
    entries.push(
      storage === "texture"
        ? { binding, visibility, storageTexture: { access, format: "rgba32float" } }
        : { binding, visibility, buffer: { type } },
    );
  };
  for (const { storage } of spec.reads) operand(storage, "read-only", "read-only-storage");
  for (const { storage } of spec.writes) operand(storage, "write-only", "storage");
  for (const _ of spec.scratch) operand("buffer", "write-only", "storage");
  return entries;
}

/**
 * The compiled pipeline of a spec, from the device's cache where it was compiled before.
 *
 * @throws {Error} naming the kernel, with the compiler's message, when the WGSL is invalid.
 */
export async function compileKernel(gpu: Gpu, spec: KernelSpec): Promise<Kernel> {
  const code = generate(spec);
  let compiled = cache.get(gpu);
  if (!compiled) cache.set(gpu, compiled = new Map());
  const known = compiled.get(code);
  if (known) return await known;
  const pending = build(gpu, spec, code);
  compiled.set(code, pending);
  return await pending;
}

/** Compiled or compiling kernels of each device, by their source. */
const cache = new WeakMap<Gpu, Map<string, Promise<Kernel>>>();

async function build(gpu: Gpu, spec: KernelSpec, code: string): Promise<Kernel> {
  const { device } = gpu;
  const module = device.createShaderModule({ code, label: spec.source.name });
  const layout = device.createBindGroupLayout({ entries: layoutEntries(spec) });
  try {
    const pipeline = await device.createComputePipelineAsync({
      label: spec.source.name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    });
    return { spec, code, pipeline, layout };
  } catch (error) {
    const info = await module.getCompilationInfo();
    const detail = info.messages.map((m) => `line ${m.lineNum}: ${m.message}`).join("\n");
    throw new Error(`kernel ${spec.source.name} does not compile: ${detail || error}\n${code}`);
  }
}

/** The uniform block: vec4i per operand pair, then the parameters in order. */
export function packParameters(
  operands: readonly { size: readonly number[]; place: readonly number[] }[],
  parameters: readonly { value: number; type: "i32" | "f32" }[],
): ArrayBuffer {
  const words = operands.length * 8 + parameters.length;
  const data = new DataView(new ArrayBuffer(Math.ceil(words / 4) * 16));
  let at = 0;
  for (const { size, place } of operands) {
    for (const value of [...size, ...place]) {
      data.setInt32(at, value, true);
      at += 4;
    }
  }
  for (const { value, type } of parameters) {
    if (type === "i32") data.setInt32(at, value, true);
    else data.setFloat32(at, value, true);
    at += 4;
  }
  return data.buffer;
}
