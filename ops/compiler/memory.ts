/** The memory of a program: planned for its tensors, workspace and scratch, filled for its constants. */
import type { Gpu, Storage } from "../../kernels/runtime/device.ts";
import {
  createSheet,
  destroySheet,
  fitsDevice,
  largestBuffer,
  type Sheet,
  sheetBytes,
  sheetSize,
  storageFor,
} from "../../kernels/runtime/sheet.ts";
import type { Arena } from "./arena.ts";
import { Constants } from "./constants.ts";
import type { Destination, LoweredNode } from "./lower.ts";
import {
  type HostSheet,
  isHostSheet,
  isWorkspace,
  type Operand,
  type Workspace,
} from "../graph/operation.ts";
import type { Placement } from "./placement.ts";
import { type Need, type Plan, planMemory } from "./plan.ts";
import { isOp, type Tensor } from "../graph/tensor.ts";

/** Where a tensor is. */
export interface Place {
  readonly sheet: Sheet;
  /** First texel row, for tensors inside another one. */
  readonly row: number;
}

/** What needs planned memory: a tensor or workspace, or by its name a node's scratch. */
type Planned = Tensor | Workspace | string;

/** What a program will need, found out without allocating anything. */
export class MemoryPlan {
  /** The plan's slots, and which need has which. */
  readonly #plan: Plan;
  readonly #needOf = new Map<Planned, number>();
  readonly #last: number;
  readonly #needs: Need[] = [];
  /** Whether every tensor fits the device where it should live. */
  fits = true;
  /** Constants the program reads. */
  readonly constants: Set<Tensor<"constant"> | HostSheet> = new Set();

  /**
   * @param keep tensors whose values must survive the last step
   * @param arena memory the program will take its from
   */
  constructor(
    gpu: Gpu,
    lowered: readonly LoweredNode[],
    placement: Placement,
    keep: readonly Tensor[],
    arena?: Arena,
  ) {
    const touch = (key: Planned, step: number, size: () => Omit<Need, "from" | "to">) => {
      const known = this.#needOf.get(key);
      if (known !== undefined) {
        this.#needs[known]!.to = Math.max(this.#needs[known]!.to, step);
      } else this.#needOf.set(key, this.#needs.push({ ...size(), from: step, to: step }) - 1);
    };
    const touchSheet = (owner: Tensor | Workspace, step: number) => {
      this.fits &&= fitsDevice(gpu, owner.shape);
      const { width, height } = sheetSize(owner.shape);
      touch(owner, step, () => ({ width, height, storage: storageFor(gpu, width, height) }));
    };
    const touchOperand = (operand: Operand, step: number) => {
      if (isHostSheet(operand)) this.constants.add(operand);
      else if (isWorkspace(operand)) touchSheet(operand, step);
      else {
        const { tensor: owner } = placement.owner(operand);
        if (isOp(owner, "constant")) this.constants.add(owner);
        if (owner.inputs.length > 0) touchSheet(owner, step);
      }
    };
    lowered.forEach(({ calls, destination }, step) => {
      if (destination && "whole" in destination) touchOperand(destination.whole, step);
      for (const call of calls) {
        const written = destination ? [] : Object.values(call.writes);
        for (const operand of [...written, ...Object.values(call.reads)]) {
          touchOperand(operand, step);
        }
        for (const [name, texels] of Object.entries(call.scratch ?? {})) {
          const need = { width: texels, height: 1, storage: "buffer" } as const;
          this.fits &&= sheetBytes(need) <= largestBuffer(gpu);
          touch(scratchKey(step, name), step, () => need);
        }
      }
    });
    this.#last = lowered.length;
    for (const tensor of keep) touchOperand(tensor, lowered.length);
    this.#plan = planMemory(
      this.#needs,
      arena && ((plan) => arena.cost(plan.slots, this.#kept(plan))),
    );
  }

  /** The slots that tensors, workspace and scratch share. */
  get slots(): Plan["slots"] {
    return this.#plan.slots;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.slots.reduce((bytes, slot) => bytes + sheetBytes(slot), 0);
  }

  /** The numbers of the slots whose values must survive the last step. */
  get kept(): Set<number> {
    return this.#kept(this.#plan);
  }

  #kept({ slotOf }: Plan): Set<number> {
    return new Set(slotOf.filter((_, need) => this.#needs[need]!.to === this.#last));
  }

  /** The number of the slot that something got. */
  slotOf(key: Planned): number {
    return this.#plan.slotOf[this.#needOf.get(key)!]!;
  }
}

/** Owns what a program allocates. */
export class Memory implements Disposable {
  /** Slots that tensors, workspace and scratch share. */
  readonly planned: readonly Sheet[];
  /** Bytes of those that no other program uses. */
  readonly ownBytes: number;

  readonly #gpu: Gpu;
  readonly #plan: MemoryPlan;
  readonly #placement: Placement;
  readonly #owned = new DisposableStack();
  readonly #constants: Constants;

  /** @param arena memory to take what need not survive the program's run from */
  constructor(gpu: Gpu, plan: MemoryPlan, placement: Placement, arena: Arena | undefined) {
    this.#gpu = gpu;
    this.#plan = plan;
    this.#placement = placement;
    this.#constants = this.#owned.use(new Constants(gpu));
    const borrowed = arena?.take(plan);
    let ownBytes = 0;
    try {
      this.planned = plan.slots.map(({ width, height, storage }, i) => {
        const shared = borrowed?.get(i);
        if (shared !== undefined) return arena!.sheet(gpu, shared);
        ownBytes += sheetBytes({ width, height });
        return this.#create(width, height, storage);
      });
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
    this.ownBytes = ownBytes;
  }

  /** Bytes of all slots the program uses. */
  get planBytes(): number {
    return this.#plan.bytes;
  }

  /** Weights and other constants, shared with other programs. */
  get constants(): Set<Sheet> {
    return this.#constants.sheets;
  }

  /** Loads the program's constants and uploads those that are not on the device yet. */
  async load(): Promise<void> {
    await this.#constants.load(this.#plan.constants);
  }

  #create(width: number, height: number, storage?: Storage): Sheet {
    const sheet = createSheet(this.#gpu, width, height, storage);
    this.#owned.defer(() => destroySheet(sheet));
    return sheet;
  }

  /** Where an operand is. */
  placeOf(operand: Operand): Place {
    if (isHostSheet(operand)) return { sheet: this.#constants.sheet(operand), row: 0 };
    if (isWorkspace(operand)) return { sheet: this.planned[this.#plan.slotOf(operand)]!, row: 0 };
    const { tensor: owner, row } = this.#placement.owner(operand);
    if (isOp(owner, "variable")) return { sheet: owner.attributes.variable.sheet, row };
    if (isOp(owner, "constant")) return { sheet: this.#constants.sheet(owner), row };
    return { sheet: this.planned[this.#plan.slotOf(owner)]!, row };
  }

  /** Where a copy goes. */
  placeOfDestination(destination: Destination): Place {
    if ("variable" in destination) return { sheet: destination.variable.sheet, row: 0 };
    const { sheet, row } = this.placeOf(destination.whole);
    return { sheet, row: row + destination.row };
  }

  /** A step's scratch. */
  scratch(step: number, name: string): Sheet {
    return this.planned[this.#plan.slotOf(scratchKey(step, name))]!;
  }

  /** A uniform buffer with these blocks, each at its offset. */
  uniforms(blocks: readonly { offset: number; data: ArrayBuffer }[], size: number): GPUBuffer {
    const { device } = this.#gpu;
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const buffer = device.createBuffer({ size: Math.max(size, 16), usage });
    this.#owned.defer(() => buffer.destroy());
    for (const { offset, data } of blocks) device.queue.writeBuffer(buffer, offset, data);
    return buffer;
  }

  /** Frees all of it. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

function scratchKey(step: number, name: string): string {
  return `${step} ${name}`;
}
