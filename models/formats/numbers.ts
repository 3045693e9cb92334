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

/** Of every code of a small float, its number; `finite` has no infinities. */
function numbersOf(bits: 8 | 16, mantissa: number, finite: boolean): Float32Array {
  const sign = 2 ** (bits - 1), step = 2 ** mantissa;
  const top = (sign - 1) >> mantissa, bias = top >> 1;
  return Float32Array.from({ length: 2 * sign }, (_, code) => {
    const size = code % sign, exponent = size >> mantissa, fraction = size % step / step;
    const unsigned = finite && size === sign - 1
      ? NaN
      : !finite && exponent === top
      ? (fraction === 0 ? Infinity : NaN)
      : exponent === 0
      ? fraction * 2 ** (1 - bias)
      : (1 + fraction) * 2 ** (exponent - bias);
    return code < sign ? unsigned : -unsigned;
  });
}

/** Numbers of a small float with so many bits of mantissa. Browsers of before 2025 have no Float16Array. */
function smallFloat(bits: 8 | 16, mantissa: number, finite = false) {
  let table: Float32Array | undefined;
  const Codes = bits === 8 ? Uint8Array : Uint16Array;
  return (bytes: ArrayBuffer) => {
    const numbers = table ??= numbersOf(bits, mantissa, finite);
    const codes = new Codes(bytes);
    const values = new Float32Array(codes.length);
    for (let i = 0; i < codes.length; i++) values[i] = numbers[codes[i]!]!;
    return values;
  };
}

/** By the names that the safetensors format has for them. */
export const NUMBER_KINDS: Readonly<Record<string, NumberKind>> = {
  F64: { bytes: 8, toFloat32: (b) => new Float32Array(new Float64Array(b)) },
  F32: { bytes: 4, toFloat32: (b) => new Float32Array(b) },
  F16: { bytes: 2, toFloat32: smallFloat(16, 10) },
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
  F8_E4M3: { bytes: 1, toFloat32: smallFloat(8, 3, true) },
  F8_E5M2: { bytes: 1, toFloat32: smallFloat(8, 2) },
};
