/** Which tensors share memory: those that are never needed at the same time. */

/** A tensor's need for memory over the steps of a program. */
export interface Need {
  /** Texels across and down. */
  width: number;
  height: number;
  /** Buffers only care about width · height; textures about both. */
  storage: "buffer" | "texture";
  /** First and last step that touches it, both included. */
  from: number;
  to: number;
}

/** A piece of memory several tensors use in turn. */
export interface Slot {
  width: number;
  height: number;
  storage: "buffer" | "texture";
}

/** Slots, and for each need the slot it got. */
export interface Plan {
  slots: Slot[];
  slotOf: number[];
}

/** The smallest slot that holds both. */
function grown(slot: Slot, need: Need): Slot {
  if (slot.storage === "buffer") {
    const texels = Math.max(slot.width * slot.height, need.width * need.height);
    return { width: texels, height: 1, storage: "buffer" };
  }
  return {
    width: Math.max(slot.width, need.width),
    height: Math.max(slot.height, need.height),
    storage: "texture",
  };
}

const area = (slot: { width: number; height: number }) => slot.width * slot.height;

/** What chooses first: the largest; for textures perhaps the tallest, which may differ in width. */
const ORDERS: readonly ((need: Need) => number)[] = [area, ({ height }) => height];

/** Texels of all slots of a plan. */
function texels({ slots }: Plan): number {
  return slots.reduce((sum, slot) => sum + area(slot), 0);
}

/**
 * Greedy by size (Pisarchyk & Lee 2020): the largest tensors choose first, each takes the slot that
 * grows least, and a new one only when that is cheaper. Of two such plans the one that costs less.
 *
 * @param cost of a plan; all it allocates by default
 */
export function planMemory(needs: readonly Need[], cost: (plan: Plan) => number = texels): Plan {
  const plans = ORDERS.map((key) => greedy(needs, key));
  return plans.reduce((best, plan) => cost(plan) < cost(best) ? plan : best);
}

function greedy(needs: readonly Need[], key: (need: Need) => number): Plan {
  const order = needs.map((_, i) => i).sort((a, b) =>
    key(needs[b]!) - key(needs[a]!) || area(needs[b]!) - area(needs[a]!) || a - b
  );
  const slots: Slot[] = [];
  const tenants: Need[][] = [];
  const slotOf = new Array<number>(needs.length);
  for (const i of order) {
    const need = needs[i]!;
    let [best, growth] = [-1, area(need)];
    slots.forEach((slot, s) => {
      if (slot.storage !== need.storage) return;
      if (tenants[s]!.some((other) => other.from <= need.to && need.from <= other.to)) return;
      const extra = area(grown(slot, need)) - area(slot);
      if (extra < growth) [best, growth] = [s, extra];
    });
    if (best < 0) {
      best = slots.push({ width: need.width, height: need.height, storage: need.storage }) - 1;
      tenants.push([]);
    }
    slots[best] = grown(slots[best]!, need);
    tenants[best]!.push(need);
    slotOf[i] = best;
  }
  return { slots, slotOf };
}
