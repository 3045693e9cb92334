/** Memory that programs which never run at the same time use in turn. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import { createSheet, destroySheet, type Sheet, sheetBytes } from "../../kernels/runtime/sheet.ts";
import type { MemoryPlan } from "./memory.ts";
import type { Slot } from "./plan.ts";

/** Whether a tensor that needs one slot fits another. */
function fits(need: Slot, slot: Slot): boolean {
  if (need.storage !== slot.storage) return false;
  if (need.storage === "buffer") return need.width * need.height <= slot.width * slot.height;
  return need.width <= slot.width && need.height <= slot.height;
}

/**
 * Slots for the programs that were compiled with it, each as large as the first program needed it:
 * compile the largest program first. Programs must be disposed of before it.
 */
export class Arena implements Disposable {
  readonly #slots: Slot[] = [];
  readonly #sheets: Sheet[] = [];

  /** Bytes of all slots, allocated or only planned. */
  get bytes(): number {
    return this.#slots.reduce((bytes, slot) => bytes + sheetBytes(slot), 0);
  }

  /**
   * Bytes a program with these slots would add, those that must survive its run included.
   *
   * @internal
   */
  cost(slots: readonly Slot[], kept: ReadonlySet<number>): number {
    const found = this.#find(slots, kept);
    const added = slots.filter((_, i) => !found.has(i));
    return added.reduce((bytes, slot) => bytes + sheetBytes(slot), 0);
  }

  /**
   * Finds or adds a slot for each of a program's that need not survive its run: from its to ours.
   *
   * @internal
   */
  take({ slots, kept }: MemoryPlan): Map<number, number> {
    const taken = this.#find(slots, kept);
    slots.forEach((slot, i) => {
      if (!kept.has(i) && !taken.has(i)) taken.set(i, this.#slots.push({ ...slot }) - 1);
    });
    return taken;
  }

  /** The smallest free slot that fits each of some, the largest first, where there is one. */
  #find(slots: readonly Slot[], kept: ReadonlySet<number>): Map<number, number> {
    const found = new Map<number, number>();
    const used = new Set<number>();
    const order = slots.map((slot, i) => ({ slot, i }))
      .filter(({ i }) => !kept.has(i))
      .sort((a, b) => sheetBytes(b.slot) - sheetBytes(a.slot));
    for (const { slot, i } of order) {
      let best = -1;
      this.#slots.forEach((ours, j) => {
        if (used.has(j) || !fits(slot, ours)) return;
        if (best < 0 || sheetBytes(ours) < sheetBytes(this.#slots[best]!)) best = j;
      });
      if (best < 0) continue;
      used.add(best);
      found.set(i, best);
    }
    return found;
  }

  /** The memory of a slot. */
  sheet(gpu: Gpu, index: number): Sheet {
    const { width, height, storage } = this.#slots[index]!;
    return this.#sheets[index] ??= createSheet(gpu, width, height, storage);
  }

  /** Frees it. */
  [Symbol.dispose](): void {
    for (const sheet of Object.values(this.#sheets)) destroySheet(sheet);
    this.#sheets.length = 0;
  }
}
