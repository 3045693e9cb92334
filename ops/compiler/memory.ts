/** The memory of a program: planned for its tensors and scratch, filled for its constants. */
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
import type { Step, Target } from "./lower.ts";
import type { HostSheet } from "../graph/operation.ts";
import type { Placement } from "./placement.ts";
import { type Need, type Plan, planMemory } from "./plan.ts";
import { isOp, type Tensor } from "../graph/tensor.ts";

/** Where a tensor is. */
export interface Place {
  readonly sheet: Sheet;
  /** First texel row, for tensors inside another one. */
  readonly row: number;
}

/** Whether an operand is a tensor, and not texels made on the host. */
export function isTensor(operand: Tensor | HostSheet): operand is Tensor {
  return "op" in operand;
}

/** What a program will need, found out without allocating anything. */
export class MemoryPlan {
  /** The plan's slots, and which need has which. */
  readonly #plan: Plan;
  readonly #needOf = new Map<Tensor | string, number>();
  readonly #last: number;
  readonly #needs: Need[] = [];
  /** Whether every tensor fits the device where it should live. */
  fits = true;
  /** Constants the program reads. */
  readonly constants = new Set<Tensor<"constant"> | HostSheet>();

  /**
   * @param keep tensors whose values must survive the last step
   * @param arena memory the program will take its from
   */
  constructor(
    gpu: Gpu,
    steps: readonly Step[],
    placement: Placement,
    keep: readonly Tensor[],
    arena?: Arena,
  ) {
    const touch = (key: Tensor | string, step: number, size: () => Omit<Need, "from" | "to">) => {
      const known = this.#needOf.get(key);
      if (known !== undefined) {
        this.#needs[known]!.to = Math.max(this.#needs[known]!.to, step);
      } else this.#needOf.set(key, this.#needs.push({ ...size(), from: step, to: step }) - 1);
    };
    const touchTensor = (tensor: Tensor, step: number) => {
      const { tensor: owner } = placement.owner(tensor);
      if (isOp(owner, "constant")) this.constants.add(owner);
      if (owner.inputs.length === 0) return;
      this.fits &&= fitsDevice(gpu, owner.shape);
      const { width, height } = sheetSize(owner.shape);
      touch(owner, step, () => ({ width, height, storage: storageFor(gpu, width, height) }));
    };
    steps.forEach(({ calls, target }, step) => {
      if (target && "whole" in target) touchTensor(target.whole, step);
      for (const call of calls) {
        const written = target ? [] : Object.values(call.writes);
        for (const operand of [...written, ...Object.values(call.reads)]) {
          if (isTensor(operand)) touchTensor(operand, step);
          else this.constants.add(operand);
        }
        for (const [name, texels] of Object.entries(call.scratch ?? {})) {
          const need = { width: texels, height: 1, storage: "buffer" } as const;
          this.fits &&= sheetBytes(need) <= largestBuffer(gpu);
          touch(scratchKey(step, name), step, () => need);
        }
      }
    });
    this.#last = steps.length;
    for (const tensor of keep) touchTensor(tensor, steps.length);
    this.#plan = planMemory(
      this.#needs,
      arena && ((plan) => arena.cost(plan.slots, this.#kept(plan))),
    );
  }

  /** The slots that tensors and scratch share. */
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

  /** The number of a tensor's slot, or of a step's scratch. */
  slotOf(key: Tensor | string): number {
    return this.#plan.slotOf[this.#needOf.get(key)!]!;
  }
}

/** Owns what a program allocates. */
export class Memory implements Disposable {
  /** Slots that tensors and scratch share. */
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
  placeOf(operand: Tensor | HostSheet): Place {
    if (!isTensor(operand)) return { sheet: this.#constants.sheet(operand), row: 0 };
    const { tensor: owner, row } = this.#placement.owner(operand);
    if (isOp(owner, "variable")) return { sheet: owner.attributes.variable.sheet, row };
    if (isOp(owner, "constant")) return { sheet: this.#constants.sheet(owner), row };
    return { sheet: this.planned[this.#plan.slotOf(owner)]!, row };
  }

  /** Where a copy goes. */
  placeOfTarget(target: Target): Place {
    if ("variable" in target) return { sheet: target.variable.sheet, row: 0 };
    const { sheet, row } = this.placeOf(target.whole);
    return { sheet, row: row + target.row };
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
