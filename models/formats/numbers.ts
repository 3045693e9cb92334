/** Kinds of numbers that files of weights keep, and how they become float32. */

/** One kind. */
export interface NumberKind {
  /** Bytes of a number. */
  readonly bytes: number;
  /** Bytes, little-endian and from the start of a buffer, as float32; may be the buffer itself. */
  readonly toFloat32: (bytes: ArrayBuffer) => Float32Array<ArrayBuffer>;
}

const rounded = (values: Iterable<number>) => Float32Array.from(values);
const of64 = (values: BigInt64Array | BigUint64Array) =>
  Float32Array.from({ length: values.length }, (_, i) => Number(values[i]!));

/** An 8-bit float of so many bits of mantissa; `finite` has no infinities. */
function float8(mantissa: number, bias: number, finite: boolean) {
  const table = Float32Array.from({ length: 256 }, (_, code) => {
    const sign = code & 128 ? -1 : 1;
    const exponent = (code & 127) >> mantissa;
    const fraction = (code & ((1 << mantissa) - 1)) / (1 << mantissa);
    const top = 127 >> mantissa;
    if (finite ? (code & 127) === 127 : exponent === top) {
      return !finite && fraction === 0 ? sign * Infinity : NaN;
    }
    return sign *
      (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
  });
  return (bytes: ArrayBuffer) => rounded(new Uint8Array(bytes)).map((code) => table[code]!);
}

/** By the names that the safetensors format has for them. */
export const NUMBER_KINDS: Readonly<Record<string, NumberKind>> = {
  F64: { bytes: 8, toFloat32: (b) => new Float32Array(new Float64Array(b)) },
  F32: { bytes: 4, toFloat32: (b) => new Float32Array(b) },
  F16: { bytes: 2, toFloat32: (b) => new Float32Array(new Float16Array(b)) },
  BF16: {
    bytes: 2,
    toFloat32: (b) =>
      new Float32Array(Uint32Array.from(new Uint16Array(b), (high) => high << 16).buffer),
  },
  I64: { bytes: 8, toFloat32: (b) => of64(new BigInt64Array(b)) },
  U64: { bytes: 8, toFloat32: (b) => of64(new BigUint64Array(b)) },
  I32: { bytes: 4, toFloat32: (b) => rounded(new Int32Array(b)) },
  U32: { bytes: 4, toFloat32: (b) => rounded(new Uint32Array(b)) },
  I16: { bytes: 2, toFloat32: (b) => rounded(new Int16Array(b)) },
  U16: { bytes: 2, toFloat32: (b) => rounded(new Uint16Array(b)) },
  I8: { bytes: 1, toFloat32: (b) => rounded(new Int8Array(b)) },
  U8: { bytes: 1, toFloat32: (b) => rounded(new Uint8Array(b)) },
  BOOL: { bytes: 1, toFloat32: (b) => rounded(new Uint8Array(b).map((v) => v ? 1 : 0)) },
  F8_E4M3: { bytes: 1, toFloat32: float8(3, 7, true) },
  F8_E5M2: { bytes: 1, toFloat32: float8(2, 15, false) },
};
