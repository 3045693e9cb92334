/** Compiled graphs: traced once, replayed without allocating, compiling or tracing anything. */
import type { Gpu, Storage } from "../kernels/device.ts";
import { compileKernel, type Kernel, packParameters } from "../kernels/kernel.ts";
import {
  createSheet,
  destroySheet,
  packSheet,
  readSheet,
  type Sheet,
  sheetBytes,
  sheetSize,
  storageFor,
  unpackSheet,
  writeSheet,
} from "../kernels/sheet.ts";
import { copy } from "./elementwise.ts";
import { fuse } from "./fuse.ts";
import { ancestors } from "./gradient.ts";
import type { Call, HostSheet, Operation } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import { partRows, Placement } from "./placement.ts";
import { type Need, planMemory } from "./plan.ts";
import { formatShape, isOp, type Shape, type Tensor } from "./tensor.ts";
import type { Variable } from "./variable.ts";

/** What a program computes. */
export interface ProgramOptions {
  /** Tensors that can be read after a run. */
  outputs?: readonly Tensor[];
  /** Variables that take new values at the end of a run. */
  assign?: readonly (readonly [Variable, Tensor])[];
  /** Rewrite the graph first (default true). Off to test kernels one by one. */
  fuse?: boolean;
}

/** Where a tensor is. */
interface Place {
  sheet: Sheet;
  /** First texel row, for windows on another tensor. */
  row: number;
}

interface Dispatch {
  name: string;
  kernel: Kernel;
  bindings: GPUBindGroup;
  workgroups: readonly [number, number, number];
}

/** A graph ready to run. Owns its memory; give it back with `using` or `[Symbol.dispose]()`. */
export class Program implements Disposable {
  readonly #gpu: Gpu;
  readonly #dispatches: Dispatch[];
  readonly #outputs: Map<Tensor, { shape: Shape; place: Place }>;
  readonly #planned: Sheet[];
  readonly #owned: { destroy(): void }[];

  /** Use {@linkcode compile}. */
  constructor(
    gpu: Gpu,
    parts: {
      dispatches: Dispatch[];
      outputs: Map<Tensor, { shape: Shape; place: Place }>;
      planned: Sheet[];
      owned: { destroy(): void }[];
      /** Bytes of activations, gradients and scratch. */
      planBytes: number;
      /** Bytes of weights. */
      constantBytes: number;
    },
  ) {
    this.#gpu = gpu;
    this.#dispatches = parts.dispatches;
    this.#outputs = parts.outputs;
    this.#planned = parts.planned;
    this.#owned = parts.owned;
    this.planBytes = parts.planBytes;
    this.constantBytes = parts.constantBytes;
  }

  /** Device memory of everything but weights. */
  readonly planBytes: number;
  /** Device memory of weights and other constants. */
  readonly constantBytes: number;

  /** The kernels in order, for profiles and tests. */
  get kernelNames(): string[] {
    return this.#dispatches.map((d) => d.name);
  }

  /** Records one run. */
  encode(pass: GPUComputePassEncoder): void {
    for (const { kernel, bindings, workgroups } of this.#dispatches) {
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(...workgroups);
    }
  }

  /** Runs once. */
  run(): void {
    const encoder = this.#gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.encode(pass);
    pass.end();
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  /**
   * Reads an output back, in C order.
   *
   * @throws {RangeError} for a tensor that is not an output.
   */
  async read(tensor: Tensor): Promise<Float32Array<ArrayBuffer>> {
    const output = this.#outputs.get(tensor);
    if (!output) {
      throw new RangeError(`${tensor.op} ${formatShape(tensor.shape)} is not an output`);
    }
    const { shape, place } = output;
    const { width, height } = sheetSize(shape);
    const rows = height + place.row;
    const { texels, stride } = await readSheet(this.#gpu, place.sheet, width, rows);
    return unpackSheet(texels.subarray(place.row * stride * 4), shape, stride);
  }

  /**
   * Runs once with a timestamp around every kernel.
   *
   * @returns each dispatch's kernel and milliseconds, in order
   * @throws {Error} when the adapter has no timestamps.
   */
  async profile(): Promise<{ name: string; ms: number }[]> {
    const { device } = this.#gpu;
    if (!device.features.has("timestamp-query")) throw new Error("this adapter has no timestamps");
    const count = 2 * this.#dispatches.length;
    using queries = disposable(device.createQuerySet({ type: "timestamp", count }));
    using resolved = disposable(device.createBuffer({
      size: count * 8,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    }));
    using staging = disposable(device.createBuffer({
      size: count * 8,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    }));
    const encoder = device.createCommandEncoder();
    this.#dispatches.forEach(({ kernel, bindings, workgroups }, i) => {
      const pass = encoder.beginComputePass({
        timestampWrites: {
          querySet: queries.value,
          beginningOfPassWriteIndex: 2 * i,
          endOfPassWriteIndex: 2 * i + 1,
        },
      });
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(...workgroups);
      pass.end();
    });
    encoder.resolveQuerySet(queries.value, 0, count, resolved.value, 0);
    encoder.copyBufferToBuffer(resolved.value, 0, staging.value, 0, count * 8);
    device.queue.submit([encoder.finish()]);
    await staging.value.mapAsync(GPUMapMode.READ);
    const times = new BigUint64Array(staging.value.getMappedRange());
    return this.#dispatches.map(({ name }, i) => ({
      name,
      ms: Number(times[2 * i + 1]! - times[2 * i]!) / 1e6,
    }));
  }

  /** Fills all planned memory with NaN, so that a test sees whatever a kernel leaves unwritten. */
  poison(): void {
    for (const sheet of this.#planned) {
      const texels = new Float32Array(sheet.width * sheet.height * 4).fill(NaN);
      writeSheet(this.#gpu, sheet, texels, sheet.width, sheet.height);
    }
  }

  /** Frees everything the program owns. Variables stay. */
  [Symbol.dispose](): void {
    for (const memory of this.#owned.splice(0)) memory.destroy();
  }
}

function disposable<T extends { destroy(): void }>(value: T): { value: T } & Disposable {
  return { value, [Symbol.dispose]: () => value.destroy() };
}

/** Where a copy goes when not to its own tensor. */
type Target = { variable: Variable } | { whole: Tensor; row: number };

/** Dispatches that belong together. */
interface Step {
  calls: Call[];
  target?: Target;
}

const isTensor = (operand: Tensor | HostSheet): operand is Tensor => "op" in operand;

/** All variables change together, so what may lie in one of them is set aside first. */
function beforeAssignment(value: Tensor): Tensor {
  return isOp(value, "variable") || isOp(value, "slice") ? copy(value) : value;
}

/** Compiles a graph: rewrites it, plans its memory, uploads its constants, builds its kernels. */
export async function compile(gpu: Gpu, options: ProgramOptions): Promise<Program> {
  const outputs = options.outputs ?? [];
  const assign = options.assign ?? [];
  const asked = [...outputs, ...assign.map(([, value]) => beforeAssignment(value))];
  const roots = options.fuse === false ? asked : fuse(asked);
  const nodes = ancestors(roots);
  const operationOf = (n: Tensor) => OPERATIONS[n.op] as Operation<typeof n.op>;

  const placement = new Placement(nodes);

  // The steps: every node's dispatches, then the copies into variables.
  const steps: Step[] = [];
  const copyInto = (value: Tensor, target: Target) => {
    const copied = copy(value);
    steps.push({ calls: operationOf(copied).lower(copied, gpu), target });
  };
  for (const n of nodes) {
    if (isOp(n, "concat")) {
      for (const { part, row } of partRows(n)) {
        if (!placement.isPlaced(part, n, row)) copyInto(part, { whole: n, row });
      }
    } else if (OPERATIONS[n.op].view?.(n as never) === undefined) {
      steps.push({ calls: operationOf(n).lower(n, gpu) });
    }
  }
  assign.forEach(([variable], i) => copyInto(roots[outputs.length + i]!, { variable }));

  // Lifetimes.
  const needs: Need[] = [];
  const needOf = new Map<Tensor, number>();
  const scratchOf = new Map<string, number>();
  const touch = (tensor: Tensor, step: number) => {
    const { tensor: owner } = placement.owner(tensor);
    if (owner.inputs.length === 0) return;
    const known = needOf.get(owner);
    if (known !== undefined) needs[known]!.to = Math.max(needs[known]!.to, step);
    else {
      const size = sheetSize(owner.shape);
      const storage = storageFor(gpu, size.width, size.height);
      needOf.set(owner, needs.push({ ...size, storage, from: step, to: step }) - 1);
    }
  };
  steps.forEach(({ calls, target }, step) => {
    for (const call of calls) {
      if (target && "whole" in target) touch(target.whole, step);
      if (!target) { for (const tensor of Object.values(call.writes)) touch(tensor, step); }
      for (const operand of Object.values(call.reads)) if (isTensor(operand)) touch(operand, step);
      for (const [name, texels] of Object.entries(call.scratch ?? {})) {
        const key = `${step} ${name}`;
        if (scratchOf.has(key)) continue;
        const need: Need = { width: texels, height: 1, storage: "buffer", from: step, to: step };
        scratchOf.set(key, needs.push(need) - 1);
      }
    }
  });
  roots.slice(0, outputs.length).forEach((root) => touch(root, steps.length));

  // Memory.
  const owned: { destroy(): void }[] = [];
  const own = <T extends { destroy(): void }>(memory: T): T => (owned.push(memory), memory);
  const ownSheet = (width: number, height: number, storage?: Storage): Sheet => {
    const sheet = createSheet(gpu, width, height, storage);
    owned.push({ destroy: () => destroySheet(sheet) });
    return sheet;
  };
  const plan = planMemory(needs);
  const planned = plan.slots.map((slot) => ownSheet(slot.width, slot.height, slot.storage));
  let constantBytes = 0;
  const upload = (width: number, height: number, texels: Float32Array<ArrayBuffer>): Sheet => {
    const sheet = ownSheet(width, height);
    writeSheet(gpu, sheet, texels, width, height);
    constantBytes += sheetBytes(sheet);
    return sheet;
  };
  const constants = new Map<Tensor, Sheet>();
  const sheetOf = (tensor: Tensor): Sheet => {
    if (isOp(tensor, "variable")) return tensor.attributes.variable.sheet;
    if (isOp(tensor, "constant")) {
      let sheet = constants.get(tensor);
      if (!sheet) {
        const { width, height } = sheetSize(tensor.shape);
        sheet = upload(width, height, packSheet(tensor.attributes.load(), tensor.shape));
        constants.set(tensor, sheet);
      }
      return sheet;
    }
    return planned[plan.slotOf[needOf.get(tensor)!]!]!;
  };
  const placeOf = (tensor: Tensor): Place => {
    const { tensor: owner, row } = placement.owner(tensor);
    return { sheet: sheetOf(owner), row };
  };
  const placeOfTarget = (target: Target): Place => {
    if ("variable" in target) return { sheet: target.variable.sheet, row: 0 };
    const whole = placeOf(target.whole);
    return { sheet: whole.sheet, row: whole.row + target.row };
  };

  try {
    // Kernels, all compiling at once, and the uniform block of each dispatch.
    const align = gpu.device.limits.minUniformBufferOffsetAlignment;
    const blocks: { offset: number; data: ArrayBuffer }[] = [];
    let uniformSize = 0;
    const pending = steps.flatMap(({ calls, target }, step) =>
      calls.map((call) => {
        const describe = (name: string, operand: Tensor | HostSheet, place: Place) => {
          const shape = isTensor(operand)
            ? operand.shape
            : [1, operand.height * 4, 1, operand.width] as const;
          const { width } = isTensor(operand) ? sheetSize(operand.shape) : operand;
          const size = [shape[0], Math.ceil(shape[1] / 4), shape[2], shape[3]];
          return { name, place, size, numbers: [place.row, width, shape[1], 0] };
        };
        const reads = Object.entries(call.reads).map(([name, operand]) =>
          describe(
            name,
            operand,
            isTensor(operand)
              ? placeOf(operand)
              : { sheet: upload(operand.width, operand.height, operand.texels()), row: 0 },
          )
        );
        const writes = Object.entries(call.writes).map(([name, tensor]) =>
          describe(name, tensor, target ? placeOfTarget(target) : placeOf(tensor))
        );
        const scratch = Object.keys(call.scratch ?? {}).map((name) =>
          planned[plan.slotOf[scratchOf.get(`${step} ${name}`)!]!]!
        );
        const parameters = [
          ...Object.entries(call.parameters ?? {}).map(([name, value]) => (
            { name, value, type: "i32" as const }
          )),
          ...Object.entries(call.scalars ?? {}).map(([name, value]) => (
            { name, value, type: "f32" as const }
          )),
        ];
        const data = packParameters(
          [...reads, ...writes].map(({ size, numbers }) => ({ size, place: numbers })),
          parameters,
        );
        const block = { offset: uniformSize, data };
        blocks.push(block);
        uniformSize += Math.ceil(data.byteLength / align) * align;
        const kernel = compileKernel(gpu, {
          source: call.source,
          defines: call.defines ?? {},
          reads: reads.map(({ name, place }) => ({ name, storage: place.sheet.storage })),
          writes: writes.map(({ name, place }) => ({ name, storage: place.sheet.storage })),
          scratch: Object.keys(call.scratch ?? {}),
          parameters,
        });
        const sheets = [...[...reads, ...writes].map(({ place }) => place.sheet), ...scratch];
        return { name: call.source.name, call, kernel, block, sheets };
      })
    );
    const kernels = await Promise.all(pending.map(({ kernel }) => kernel));

    const uniforms = own(gpu.device.createBuffer({
      size: Math.max(uniformSize, 16),
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    }));
    for (const { offset, data } of blocks) gpu.device.queue.writeBuffer(uniforms, offset, data);
    const dispatches = pending.map(({ name, call, block, sheets }, i): Dispatch => {
      const kernel = kernels[i]!;
      const uniform = { buffer: uniforms, offset: block.offset, size: block.data.byteLength };
      const bindings = gpu.device.createBindGroup({
        layout: kernel.layout,
        entries: [
          { binding: 0, resource: uniform },
          ...sheets.map((sheet, s) => ({
            binding: s + 1,
            resource: sheet.storage === "texture"
              ? (sheet.memory as GPUTexture).createView()
              : { buffer: sheet.memory as GPUBuffer },
          })),
        ],
      });
      return { name, kernel, bindings, workgroups: call.workgroups };
    });
    gpu.check();
    return new Program(gpu, {
      dispatches,
      outputs: new Map(outputs.map((output, i) => [
        output,
        { shape: output.shape, place: placeOf(roots[i]!) },
      ])),
      planned,
      owned,
      planBytes: plan.slots.reduce((bytes, slot) => bytes + sheetBytes(slot), 0),
      constantBytes,
    });
  } catch (error) {
    for (const memory of owned) memory.destroy();
    throw error;
  }
}
