/** Constants on a device: weights in some order, one copy each, shared by the programs that read them. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import {
  createSheet,
  destroySheet,
  packSheet,
  type Sheet,
  sheetSize,
  TEXEL,
  writeSheet,
} from "../../kernels/runtime/sheet.ts";
import type { HostSheet } from "../graph/operation.ts";
import type { Tensor } from "../graph/tensor.ts";

/** A sheet and how many programs read it. */
interface Shared {
  readonly sheet: Sheet;
  /** When its texels are on their way to the device. */
  readonly filled: Promise<void>;
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

/**
 * Bytes made and handed to the device at a time, and at most so many still on their way to it. The
 * memory they are staged in is used again, but a software adapter keeps it.
 */
const STRIP_BYTES = 2 ** 18;
const UPLOAD_BYTES = 2 ** 22;

/** Uploads, which take the host's memory until the device has them. */
class Uploads {
  readonly #gpu: Gpu;
  #waiting = 0;
  #before: Promise<undefined> | undefined;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /** Fills a sheet strip by strip. */
  async write(sheet: Sheet, values: Float32Array, content: HostSheet): Promise<void> {
    const { width, height, texels, of, strip = height } = content;
    const strips = Math.max(1, Math.floor(STRIP_BYTES / (width * strip * TEXEL)));
    for (let from = 0; from < height; from += strips * strip) {
      const rows = Math.min(strips * strip, height - from);
      const packed = texels(values, from, rows);
      writeSheet(this.#gpu, sheet, packed, width, rows, from);
      // On its way at once, and what has arrived is freed.
      this.#gpu.device.queue.submit([]);
      this.#waiting += packed.byteLength;
      // Garbage is collected too late when it is this large.
      if (of) packed.buffer.transfer(0);
      if (this.#waiting >= UPLOAD_BYTES / 2) await this.#flush();
    }
  }

  /** Waits until no more than half of what may wait does. */
  async #flush(): Promise<void> {
    const { queue } = this.#gpu.device;
    this.#waiting = 0;
    const done = queue.onSubmittedWorkDone();
    await this.#before;
    this.#before = done;
  }

  /** Waits for what was flushed. */
  async end(): Promise<void> {
    await this.#before;
  }
}

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
    const uploads = new Uploads(this.#gpu);
    const others: Promise<void>[] = [];
    for (const [source, contents] of byOrigin(operands)) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      promise.catch(() => {}); // whoever waits for it is told
      const missing: [Sheet, HostSheet][] = [];
      for (const [order, content] of contents) {
        const sheet = this.#share(source, order, content, promise, others);
        if (sheet) missing.push([sheet, content]);
      }
      if (missing.length === 0) continue;
      try {
        const weight = missing[0]![1].of?.weight.attributes;
        const values = weight?.load() ?? new Float32Array();
        for (const [sheet, content] of missing) await uploads.write(sheet, values, content);
        if (weight?.fresh) (values.buffer as ArrayBuffer).transfer(0);
        resolve();
      } catch (error) {
        reject(error);
        throw error;
      }
    }
    await uploads.end();
    await Promise.all(others);
  }

  /** Takes a share in a sheet; returns it if it is new and must be filled. */
  #share(
    source: object,
    order: string,
    { width, height }: HostSheet,
    filled: Promise<void>,
    others: Promise<void>[],
  ): Sheet | undefined {
    const known = sheetsOf(this.#gpu, source);
    let entry = known.get(order);
    const isNew = !entry;
    if (!entry) {
      entry = { sheet: createSheet(this.#gpu, width, height), users: 0, filled };
      known.set(order, entry);
    } else others.push(entry.filled);
    entry.users++;
    let mine = this.#mine.get(source);
    if (!mine) this.#mine.set(source, mine = new Map());
    mine.set(order, entry.sheet);
    return isNew ? entry.sheet : undefined;
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
function byOrigin(
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
  for (const orders of byOrigin(operands).values()) {
    for (const { width, height } of orders.values()) texels += width * height;
  }
  return TEXEL * texels;
}
