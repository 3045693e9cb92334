/** How many bytes of typed arrays a piece of the program asks for. */

const KINDS = [
  ...["ArrayBuffer", "Uint8Array", "Uint8ClampedArray", "Int8Array", "Uint16Array", "Int16Array"],
  ...["Uint32Array", "Int32Array", "Float32Array", "Float64Array", "BigInt64Array", "Array"],
] as const;

let bytes = 0;

/** Counts from now on: the constructors of arrays are wrapped for as long as the process lives. */
export function countAllocations(): void {
  const world = globalThis as unknown as Record<string, unknown>;
  for (const kind of KINDS) {
    const original = world[kind] as { BYTES_PER_ELEMENT?: number } & (new (n: number) => unknown);
    const width = original.BYTES_PER_ELEMENT ?? (kind === "Array" ? 8 : 1);
    world[kind] = new Proxy(original, {
      construct(target, args, newTarget) {
        const [first] = args;
        const length = typeof first === "number"
          ? first
          : ArrayBuffer.isView(first) || Array.isArray(first)
          ? (first as unknown as ArrayLike<unknown>).length
          : 0;
        bytes += length * width;
        return Reflect.construct(target, args, newTarget === world[kind] ? target : newTarget);
      },
    });
  }
}

/** Bytes asked for since the last time this was called. */
export function allocated(): number {
  const since = bytes;
  bytes = 0;
  return since;
}
