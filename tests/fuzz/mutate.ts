/** Seeded damage to files: what bits, lengths and pieces get wrong on disks, on wires and by malice. */
import type { Random } from "../../base/random.ts";

/** Numbers at which sizes and offsets go wrong. */
const EDGES = [0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2 ** 31 - 1, 2 ** 31]
  .concat([2 ** 32 - 1, 2 ** 32 - 2]);

/** Texts at which JSON goes wrong. */
const WORDS = ["null", "-1", "1e308", "1e999", "9007199254740993", "{}", "[]", '""', "true", "NaN"]
  .concat(["[[[[[[[[", '{"a":', "\\u0000", "../../x", "__proto__", "0.5", "4294967296"]);

/** One of several ways to damage some bytes; `others` are files to take pieces from. */
function damage(
  bytes: Uint8Array<ArrayBuffer>,
  others: readonly Uint8Array[],
  random: Random,
): Uint8Array<ArrayBuffer> {
  const n = bytes.length;
  const at = random.integer(Math.max(1, n));
  const length = Math.min(n - at, 1 + random.integer(random.pick([2, 8, 64, 512])));
  const splice = (remove: number, insert: ArrayLike<number>) => {
    const made = new Uint8Array(n - remove + insert.length);
    made.set(bytes.subarray(0, at));
    made.set(insert, at);
    made.set(bytes.subarray(at + remove), at + insert.length);
    return made;
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, n);
  switch (random.integer(10)) {
    case 0:
      if (n > 0) bytes[at]! ^= 1 << random.integer(8);
      return bytes;
    case 1:
      bytes.fill(random.pick([0, 0xff, 0x20, 0x7f]), at, at + length);
      return bytes;
    case 2:
      for (let i = at; i < at + length; i++) bytes[i] = random.integer(256);
      return bytes;
    case 3:
      return bytes.slice(0, at);
    case 4:
      return splice(length, []);
    case 5:
      return splice(0, bytes.subarray(at, at + length));
    case 6: {
      const other = random.pick(others);
      const from = random.integer(Math.max(1, other.length));
      return splice(random.integer(2) * length, other.subarray(from, from + length));
    }
    case 7: {
      const edge = random.pick(EDGES);
      const little = random.integer(2) === 0;
      if (n - at >= 8 && random.integer(4) === 0) {
        view.setBigUint64(at, BigInt(edge) << 31n, little);
      } else if (n - at >= 4) view.setUint32(at, edge, little);
      else if (n - at >= 1) bytes[at] = edge;
      return bytes;
    }
    case 8:
      return splice(random.integer(2) * length, new TextEncoder().encode(random.pick(WORDS)));
    default: {
      // A number in a text.
      const digits = [...bytes.keys()].filter((i) => bytes[i]! >= 0x30 && bytes[i]! <= 0x39);
      if (digits.length > 0) bytes[random.pick(digits)] = 0x30 + random.integer(10);
      return bytes;
    }
  }
}

/** A file of some, damaged once to four times. */
export function mutated(
  files: readonly Uint8Array[],
  random: Random,
): Uint8Array<ArrayBuffer> {
  let bytes = Uint8Array.from(random.pick(files));
  for (let i = 1 + random.integer(random.pick([1, 1, 4])); i > 0; i--) {
    bytes = damage(bytes, files, random);
  }
  return bytes;
}

/** Values that stand where others should. */
const VALUES: readonly unknown[] = [null, true, -1, 0, 0.5, 3, 1e308, 2 ** 31, 2 ** 53, "", "NaN"]
  .concat(
    ["__proto__", "../../x", "a\0b", "constructor"] as never,
    [[], [[]], {}, [1, -1]] as never,
  );

/** A JSON value with one of its parts replaced, taken away, or put in another place. */
export function mutatedJson(value: unknown, random: Random): unknown {
  const copy = structuredClone(value);
  const places: [holder: Record<string, unknown>, key: string][] = [];
  const walk = (holder: unknown) => {
    if (typeof holder !== "object" || holder === null) return;
    for (const key of Object.keys(holder)) {
      places.push([holder as Record<string, unknown>, key]);
      walk((holder as Record<string, unknown>)[key]);
    }
  };
  walk(copy);
  if (places.length === 0) return random.pick(VALUES);
  const [holder, key] = random.pick(places);
  switch (random.integer(4)) {
    case 0:
      delete holder[key];
      break;
    case 1:
      if (Array.isArray(holder)) holder.push(holder[key as never]);
      else {
        const name = random.pick(["a", "__proto__", "length", "0", key + "x"]);
        Object.defineProperty(holder, name, { value: holder[key], enumerable: true });
      }
      break;
    case 2: {
      const [from, name] = random.pick(places);
      holder[key] = structuredClone(from[name]);
      break;
    }
    default:
      holder[key] = random.pick(VALUES);
  }
  return copy;
}
