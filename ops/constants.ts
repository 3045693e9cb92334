/** Constants on a device: weights in some order, one copy each, shared by the programs that read them. */
import type { Gpu } from "../kernels/device.ts";
import {
  createSheet,
  destroySheet,
  packSheet,
  type Sheet,
  sheetSize,
  writeSheet,
} from "../kernels/sheet.ts";
import type { HostSheet } from "./operation.ts";
import type { Tensor } from "./tensor.ts";

/** A sheet and how many programs read it. */
interface Shared {
  readonly sheet: Sheet;
  users: number;
}

const shared = new WeakMap<Gpu, WeakMap<object, Map<string, Shared>>>();

/** The sheets made from a tensor, or from a host sheet that is made from none, by their order. */
function sheetsOf(gpu: Gpu, source: object): Map<string, Shared> {
  let sources = shared.get(gpu);
  if (!sources) shared.set(gpu, sources = new WeakMap());
  let sheets = sources.get(source);
  if (!sheets) sources.set(source, sheets = new Map());
  return sheets;
}

/** What a constant operand is made from, and in which order. */
function originOf(operand: Tensor<"constant"> | HostSheet): { source: object; order: string } {
  if ("op" in operand) return { source: operand, order: "plain" };
  return operand.of
    ? { source: operand.of.weight, order: operand.of.order }
    : { source: operand, order: "" };
}

/** What fills a constant operand's sheet. */
function contentOf(operand: Tensor<"constant"> | HostSheet): HostSheet {
  if (!("op" in operand)) return operand;
  return {
    ...sheetSize(operand.shape),
    of: { weight: operand, order: "plain" },
    texels: (values) => packSheet(values, operand.shape),
  };
}

/** Uploads wait in the host's memory until the device has taken them: at most so many bytes. */
const UPLOAD_BYTES = 8 * 2 ** 20;

/** What one program reads of the shared constants. */
export class Constants implements Disposable {
  readonly #gpu: Gpu;
  /** By what they are made from, then by their order. */
  readonly #mine = new Map<object, Map<string, Sheet>>();

  /** None yet. */
  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /** The sheets. */
  get sheets(): Set<Sheet> {
    return new Set([...this.#mine.values()].flatMap((orders) => [...orders.values()]));
  }

  /**
   * Finds or uploads operands. The values of a tensor are loaded once for all of its orders and not
   * kept.
   */
  async load(operands: Iterable<Tensor<"constant"> | HostSheet>): Promise<void> {
    let waiting = 0;
    for (const [source, contents] of missing(operands)) {
      let values: Float32Array | undefined;
      const mine = new Map<string, Sheet>();
      this.#mine.set(source, mine);
      const known = sheetsOf(this.#gpu, source);
      for (const [order, { width, height, of, texels }] of contents) {
        let entry = known.get(order);
        if (!entry) {
          values ??= of?.weight.attributes.load() ?? new Float32Array();
          const packed = texels(values);
          const sheet = createSheet(this.#gpu, width, height);
          writeSheet(this.#gpu, sheet, packed, width, height);
          // Garbage is collected too late when it is this large.
          packed.buffer.transfer(0);
          waiting += packed.byteLength || width * height * 16;
          known.set(order, entry = { sheet, users: 0 });
        }
        entry.users++;
        mine.set(order, entry.sheet);
      }
      if (waiting < UPLOAD_BYTES) continue;
      waiting = 0;
      this.#gpu.device.queue.submit([]);
      await this.#gpu.device.queue.onSubmittedWorkDone();
    }
  }

  /** Where a loaded operand is. */
  sheet(operand: Tensor<"constant"> | HostSheet): Sheet {
    const { source, order } = originOf(operand);
    return this.#mine.get(source)!.get(order)!;
  }

  /** Gives them back; those that nobody else reads are freed. */
  [Symbol.dispose](): void {
    for (const [source, orders] of this.#mine) {
      const known = sheetsOf(this.#gpu, source);
      for (const order of orders.keys()) {
        const entry = known.get(order)!;
        if (--entry.users > 0) continue;
        known.delete(order);
        destroySheet(entry.sheet);
      }
    }
    this.#mine.clear();
  }
}

/** Operands by what they are made from, then by their order. */
function missing(
  operands: Iterable<Tensor<"constant"> | HostSheet>,
): Map<object, Map<string, HostSheet>> {
  const sources = new Map<object, Map<string, HostSheet>>();
  for (const operand of operands) {
    const { source, order } = originOf(operand);
    let orders = sources.get(source);
    if (!orders) sources.set(source, orders = new Map());
    orders.set(order, contentOf(operand));
  }
  return sources;
}

/** Bytes these operands take on a device. */
export function constantBytes(operands: Iterable<Tensor<"constant"> | HostSheet>): number {
  let texels = 0;
  for (const orders of missing(operands).values()) {
    for (const { width, height } of orders.values()) texels += width * height;
  }
  return 16 * texels;
}

const derivedFrom = new WeakMap<Tensor, Map<string, Tensor<"constant">>>();

/**
 * A constant made from others, the same one whenever it is asked for, so that programs can share it.
 *
 * @param how tells it from others made from the same
 */
export function derived(
  how: string,
  from: readonly Tensor[],
  make: () => Tensor<"constant">,
): Tensor<"constant"> {
  const [first] = from as [Tensor];
  let known = derivedFrom.get(first);
  if (!known) derivedFrom.set(first, known = new Map());
  const key = `${how} ${from.map(({ id }) => id)}`;
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}
