/** The memory of a program: planned for its tensors and scratch, filled for its constants. */
import type { Gpu, Storage } from "../kernels/device.ts";
import {
  createSheet,
  destroySheet,
  packSheet,
  type Sheet,
  sheetBytes,
  sheetSize,
  storageFor,
  writeSheet,
} from "../kernels/sheet.ts";
import type { Step, Target } from "./lower.ts";
import type { HostSheet } from "./operation.ts";
import type { Placement } from "./placement.ts";
import { type Need, planMemory } from "./plan.ts";
import { isOp, type Tensor } from "./tensor.ts";

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

/** Owns what a program allocates. */
export class Memory implements Disposable {
  /** Slots that tensors and scratch share. */
  readonly planned: readonly Sheet[];
  /** Bytes of those. */
  readonly planBytes: number;
  /** Bytes of weights and other constants. */
  constantBytes = 0;

  readonly #gpu: Gpu;
  readonly #placement: Placement;
  readonly #owned = new DisposableStack();
  readonly #constants = new Map<Tensor, Sheet>();
  readonly #needOf = new Map<Tensor | string, number>();
  readonly #slotOf: readonly number[];

  /** @param keep tensors whose values must survive the last step */
  constructor(gpu: Gpu, steps: readonly Step[], placement: Placement, keep: readonly Tensor[]) {
    this.#gpu = gpu;
    this.#placement = placement;
    const { slots, slotOf } = planMemory(this.#lifetimes(steps, keep));
    this.#slotOf = slotOf;
    this.planBytes = slots.reduce((bytes, slot) => bytes + sheetBytes(slot), 0);
    try {
      this.planned = slots.map(({ width, height, storage }) =>
        this.#create(width, height, storage)
      );
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** From when to when each tensor and scratch is needed. */
  #lifetimes(steps: readonly Step[], keep: readonly Tensor[]): Need[] {
    const needs: Need[] = [];
    const touch = (key: Tensor | string, step: number, size: () => Omit<Need, "from" | "to">) => {
      const known = this.#needOf.get(key);
      if (known !== undefined) needs[known]!.to = Math.max(needs[known]!.to, step);
      else this.#needOf.set(key, needs.push({ ...size(), from: step, to: step }) - 1);
    };
    const touchTensor = (tensor: Tensor, step: number) => {
      const { tensor: owner } = this.#placement.owner(tensor);
      if (owner.inputs.length === 0) return;
      const { width, height } = sheetSize(owner.shape);
      touch(owner, step, () => ({ width, height, storage: storageFor(this.#gpu, width, height) }));
    };
    steps.forEach(({ calls, target }, step) => {
      if (target && "whole" in target) touchTensor(target.whole, step);
      for (const call of calls) {
        const written = target ? [] : Object.values(call.writes);
        for (const operand of [...written, ...Object.values(call.reads)]) {
          if (isTensor(operand)) touchTensor(operand, step);
        }
        for (const [name, texels] of Object.entries(call.scratch ?? {})) {
          const key = scratchKey(step, name);
          touch(key, step, () => ({ width: texels, height: 1, storage: "buffer" }));
        }
      }
    });
    for (const tensor of keep) touchTensor(tensor, steps.length);
    return needs;
  }

  #create(width: number, height: number, storage?: Storage): Sheet {
    const sheet = createSheet(this.#gpu, width, height, storage);
    this.#owned.defer(() => destroySheet(sheet));
    return sheet;
  }

  #slot(key: Tensor | string): Sheet {
    return this.planned[this.#slotOf[this.#needOf.get(key)!]!]!;
  }

  /** Texels made on the host, now on the device. */
  upload({ width, height, texels }: HostSheet): Sheet {
    const sheet = this.#create(width, height);
    writeSheet(this.#gpu, sheet, texels(), width, height);
    this.constantBytes += sheetBytes(sheet);
    return sheet;
  }

  /** Where a tensor is. Constants are loaded and uploaded when first asked for. */
  placeOf(tensor: Tensor): Place {
    const { tensor: owner, row } = this.#placement.owner(tensor);
    if (isOp(owner, "variable")) return { sheet: owner.attributes.variable.sheet, row };
    if (!isOp(owner, "constant")) return { sheet: this.#slot(owner), row };
    let sheet = this.#constants.get(owner);
    if (!sheet) {
      const texels = () => packSheet(owner.attributes.load(), owner.shape);
      sheet = this.upload({ ...sheetSize(owner.shape), texels });
      this.#constants.set(owner, sheet);
    }
    return { sheet, row };
  }

  /** Where a copy goes. */
  placeOfTarget(target: Target): Place {
    if ("variable" in target) return { sheet: target.variable.sheet, row: 0 };
    const { sheet, row } = this.placeOf(target.whole);
    return { sheet, row: row + target.row };
  }

  /** A step's scratch. */
  scratch(step: number, name: string): Sheet {
    return this.#slot(scratchKey(step, name));
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
