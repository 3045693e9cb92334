/** From a graph to a program: rewrite, place, lower, plan memory, build kernels, bind. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import { compileKernel, foldGrid, packParameters } from "../../kernels/runtime/kernel.ts";
import { sheetBytes, sheetSize } from "../../kernels/runtime/sheet.ts";
import { warmUp } from "../../kernels/runtime/warm_up.ts";
import type { Arena } from "./arena.ts";
import { chooseVariant, preparationOf, variantsOf } from "../conv2d/variants.ts";
import type { Geometry, Variant } from "../graph/convolution.ts";
import { copy } from "../element/elementwise.ts";
import { ancestors } from "../autograd/gradient.ts";
import { type Destination, lower } from "./lower.ts";
import { Memory, MemoryPlan, type Place } from "./memory.ts";
import { type Call, type HostSheet, isHostSheet, type Operand } from "../graph/operation.ts";
import { Placement } from "./placement.ts";
import { type Dispatch, Program } from "./program.ts";
import { orderNodes } from "./order.ts";
import { expectShape } from "../graph/check.ts";
import { isOp, type Tensor } from "../graph/tensor.ts";
import { rewriteGraph } from "./rules.ts";
import type { Variable } from "../graph/variable.ts";

/** What a program computes. */
export interface ProgramOptions {
  /** Tensors that can be read after a run. */
  outputs?: readonly Tensor[];
  /** Variables that take new values at the end of a run. */
  assign?: readonly (readonly [Variable, Tensor])[];
  /** Rewrite the graph first (default true). Off to test kernels one by one. */
  fuse?: boolean;
  /** Memory shared with programs that run before or after this one, never together with it. */
  arena?: Arena;
  /** How each convolution is computed (default: as the device was told to, see conv2d/variants.ts). */
  choose?: (gpu: Gpu, geometry: Geometry) => Variant;
}

/** All variables change together, so what may lie in one of them is set aside first. */
function beforeAssignment(value: Tensor): Tensor {
  return isOp(value, "variable") || isOp(value, "slice") ? copy(value) : value;
}

/** A graph as it will be computed: rewritten, in order, placed. */
function arrange({ outputs = [], assign = [], ...options }: ProgramOptions) {
  for (const [variable, value] of assign) {
    expectShape("compile: value to assign to a variable", value, variable.shape);
  }
  const asked = [...outputs, ...assign.map(([, value]) => beforeAssignment(value))];
  const roots = options.fuse === false ? asked : rewriteGraph(asked);
  const nodes = orderNodes(ancestors(roots), roots);
  const kept = roots.slice(0, outputs.length);
  const assigned = assign.map(([variable], i) => [variable, roots[outputs.length + i]!] as const);
  return { outputs, kept, assigned, nodes, placement: new Placement(nodes) };
}

/** The convolutions of a graph, as often as they are in it. Nothing is computed. */
export function geometriesOf(gpu: Gpu, options: ProgramOptions): Geometry[] {
  return convolutionsOf(gpu, arrange(options));
}

function convolutionsOf(gpu: Gpu, graph: ReturnType<typeof arrange>): Geometry[] {
  const geometries: Geometry[] = [];
  lower(gpu, graph.nodes, graph.placement, graph.assigned, (gpu, geometry) => {
    geometries.push(geometry);
    return chooseVariant(gpu, geometry);
  });
  return geometries;
}

/** What a program does, before anything is allocated. */
function prepare(
  gpu: Gpu,
  { nodes, placement, assigned, kept }: ReturnType<typeof arrange>,
  options: ProgramOptions,
) {
  const lowered = lower(gpu, nodes, placement, assigned, options.choose ?? variantsOf(gpu));
  return {
    lowered,
    placement,
    kept,
    plan: new MemoryPlan(gpu, lowered, placement, kept, options.arena),
  };
}

/** What a program would allocate. */
export interface ProgramMemory {
  /** Bytes of everything but weights, without what it shares in an arena. */
  readonly own: number;
  /** Bytes of its largest piece of memory. */
  readonly largest: number;
  /** Whether every tensor fits the device where its kernels are fast. */
  readonly fits: boolean;
  /** Weights and other constants it reads. */
  readonly constants: ReadonlySet<Tensor<"constant"> | HostSheet>;
}

/** What {@linkcode compile} would allocate, without allocating it; arenas only grow on paper. */
export function planProgram(gpu: Gpu, options: ProgramOptions): ProgramMemory {
  const { plan } = prepare(gpu, arrange(options), options);
  const taken = options.arena?.take(plan);
  const own = plan.slots.filter((_, i) => !taken?.has(i));
  return {
    own: own.reduce((bytes, slot) => bytes + sheetBytes(slot), 0),
    largest: Math.max(0, ...plan.slots.map(sheetBytes)),
    fits: plan.fits,
    constants: plan.constants,
  };
}

/**
 * Compiles a graph. Weights are read now; nothing is allocated or compiled later.
 *
 * @throws {RangeError} when a variable is to take a value of another shape, or what it needs does not
 * fit the device.
 */
export async function compile(gpu: Gpu, options: ProgramOptions): Promise<Program> {
  const graph = arrange(options);
  const { outputs } = graph;
  const measure = options.choose ? undefined : preparationOf(gpu);
  if (measure) await measure(convolutionsOf(gpu, graph));
  const { lowered, placement, kept, plan } = prepare(gpu, graph, options);
  const memory = new Memory(gpu, plan, placement, options.arena);
  try {
    await memory.load();
    const uniforms = new UniformBlocks(gpu);
    const pending = lowered.flatMap(({ calls, destination }, step) =>
      calls.map((call) => bind(gpu, memory, uniforms, call, step, destination))
    );
    const kernels = await Promise.all(pending.map(({ kernel }) => kernel));
    await warmUp(gpu, kernels);
    const buffer = memory.uniforms(uniforms.blocks, uniforms.size);
    const dispatches = pending.map(({ call, workgroups, block, sheets }, i): Dispatch => {
      const kernel = kernels[i]!;
      const resources: GPUBindingResource[] = [
        { buffer, offset: block.offset, size: block.data.byteLength },
        ...sheets.map(({ storage, memory }) =>
          storage === "texture"
            ? (memory as GPUTexture).createView()
            : { buffer: memory as GPUBuffer }
        ),
      ];
      const bindings = gpu.device.createBindGroup({
        layout: kernel.layout,
        entries: resources.map((resource, binding) => ({ binding, resource })),
      });
      return { name: call.source.name, kernel, bindings, workgroups };
    });
    gpu.check();
    const places = outputs.map((output, i) =>
      [output, { shape: output.shape, place: memory.placeOf(kept[i]!) }] as const
    );
    return new Program(gpu, dispatches, new Map(places), memory);
  } catch (error) {
    memory[Symbol.dispose]();
    throw error;
  }
}

/** The uniform blocks of a program's dispatches, one after the other. */
class UniformBlocks {
  readonly blocks: { offset: number; data: ArrayBuffer }[] = [];
  size = 0;
  readonly #align: number;

  constructor(gpu: Gpu) {
    this.#align = gpu.device.limits.minUniformBufferOffsetAlignment;
  }

  add(data: ArrayBuffer): { offset: number; data: ArrayBuffer } {
    const block = { offset: this.size, data };
    this.blocks.push(block);
    this.size += Math.ceil(data.byteLength / this.#align) * this.#align;
    return block;
  }
}

/** What a kernel is told of an operand: its sizes, and where it lies. */
function describe(name: string, operand: Operand, place: Place) {
  const shape = isHostSheet(operand)
    ? [1, operand.height * 4, 1, operand.width] as const
    : operand.shape;
  const { width } = sheetSize(shape);
  const size = [shape[0], Math.ceil(shape[1] / 4), shape[2], shape[3]];
  return { name, sheet: place.sheet, size, place: [place.row, width, shape[1], 0] };
}

/** Finds the operands of a call, starts compiling its kernel and lays out its parameters. */
function bind(
  gpu: Gpu,
  memory: Memory,
  uniforms: UniformBlocks,
  call: Call,
  step: number,
  destination: Destination | undefined,
) {
  const reads = Object.entries(call.reads).map(([name, operand]) => {
    return describe(name, operand, memory.placeOf(operand));
  });
  const writes = Object.entries(call.writes).map(([name, operand]) => {
    const place = destination ? memory.placeOfDestination(destination) : memory.placeOf(operand);
    return describe(name, operand, place);
  });
  const scratch = Object.keys(call.scratch ?? {});
  const typed = (values: Readonly<Record<string, number>> | undefined, type: "i32" | "f32") =>
    Object.entries(values ?? {}).map(([name, value]) => ({ name, value, type }));
  const fold = foldGrid(call.workgroups, gpu.device.limits.maxComputeWorkgroupsPerDimension);
  const parameters = [
    ...typed(call.parameters, "i32"),
    ...typed(call.scalars, "f32"),
    ...typed(fold?.parameters, "i32"),
  ];
  const storages = (operands: typeof reads) =>
    operands.map(({ name, sheet }) => ({ name, storage: sheet.storage }));
  const kernel = compileKernel(gpu, {
    source: call.source,
    defines: call.defines ?? {},
    reads: storages(reads),
    writes: writes.map(({ name, sheet, place: [, , channels] }) => {
      return { name, storage: sheet.storage, full: channels! % 4 === 0 };
    }),
    scratch,
    parameters,
    folded: fold !== undefined,
  });
  return {
    call,
    kernel,
    workgroups: fold?.workgroups ?? call.workgroups,
    block: uniforms.add(packParameters([...reads, ...writes], parameters)),
    sheets: [
      ...[...reads, ...writes].map(({ sheet }) => sheet),
      ...scratch.map((name) => memory.scratch(step, name)),
    ],
  };
}
