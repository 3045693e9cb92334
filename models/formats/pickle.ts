/**
 * Python's pickle format, read without executing anything.
 *
 * A pickle is a program for a small stack machine that may name any function of Python and call it.
 * Here only the instructions that state dicts need are known, and only names that the caller knows
 * stand for something; everything else is refused by name. Nothing is recursive, so depth costs
 * nothing, and what is built is bounded, because a byte of a pickle may ask for a whole container.
 */
import { UserError } from "../../base/errors.ts";

/** What a pickle can hold. Sequences are arrays, dicts are maps (a key may be `__proto__`). */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleName
  | object;

/** A name of Python that the caller knows, and what calling it gives. */
export class PickleName {
  constructor(
    /** Such as `torch._utils._rebuild_tensor_v2`. */
    readonly path: string,
    /** What a call gives; without it the name may be mentioned, not called. */
    readonly call?: (args: readonly PickleValue[]) => PickleValue,
  ) {}
}

/** An object of a class whose contents do not matter, or are looked at later. */
export class PickleObject {
  /** What its class would be given to become what it was. */
  state: PickleValue = null;

  constructor(
    /** The name of its class or of what makes it. */
    readonly path: string,
    /** What that was called with. */
    readonly args: readonly PickleValue[],
  ) {}
}

/** The pickle goes on behind the bytes that were given. */
export class PickleTooShort extends UserError {}

/** What stands outside of a pickle. */
export interface PickleWorld {
  /** What to call the file in messages. */
  readonly file: string;
  /** The names that may occur, by module and name joined by a dot. */
  readonly names: ReadonlyMap<string, PickleName>;
  /** What a persistent id stands for; in a checkpoint, a storage. */
  persistent(id: PickleValue): PickleValue;
}

/** Lists, tuples and dicts a pickle may build, and values it may hold at once. */
const MAX_CONTAINERS = 2 ** 18, MAX_VALUES = 2 ** 19;

/**
 * Runs the pickle that begins at `begin`.
 *
 * @returns The value, and the place behind its last byte.
 * @throws {UserError} If it is broken, too large, or asks for anything that is not known.
 */
export function readPickle(
  bytes: Uint8Array,
  world: PickleWorld,
  begin = 0,
): { value: PickleValue; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder("utf-8", { fatal: true });
  const memo = new Map<number, PickleValue>();
  const marks: number[] = [];
  const stack: PickleValue[] = [];
  let at = begin, containers = 0;

  const refuse = (problem: string): never => {
    throw new UserError(`${world.file}: its pickle is refused: ${problem}`);
  };
  const take = (count: number): number => {
    if (count > bytes.length - at) {
      throw new PickleTooShort(
        `${world.file}: its pickle is refused: it ends too early, at byte ${bytes.length}`,
      );
    }
    at += count;
    return at - count;
  };
  const slice = (count: number) => bytes.subarray(take(count), at);
  const decode = (part: Uint8Array): string => {
    try {
      return text.decode(part);
    } catch {
      return refuse(`the text before byte ${at} is not UTF-8`);
    }
  };
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    if (end < 0) take(bytes.length + 1); // so that more of it may be read
    const found = decode(bytes.subarray(at, end));
    at = end + 1;
    return found;
  };
  const uint8 = () => view.getUint8(take(1));
  const uint32 = () => view.getUint32(take(4), true);
  const size64 = () => Number(view.getBigUint64(take(8), true));
  const push = (value: PickleValue) => {
    if (stack.length >= MAX_VALUES) refuse(`it holds more than ${MAX_VALUES} values at once`);
    stack.push(value);
  };
  const container = <T extends PickleValue>(value: T): T => {
    if (++containers > MAX_CONTAINERS) refuse(`it builds more than ${MAX_CONTAINERS} containers`);
    return value;
  };
  /** Values may be taken down to the last mark only. */
  const pop = (): PickleValue => {
    if (stack.length <= (marks.at(-1) ?? 0)) refuse(`nothing is left to take at byte ${at - 1}`);
    return stack.pop()!;
  };
  const top = (): PickleValue => {
    const value = pop();
    stack.push(value);
    return value;
  };
  const popMark = (): PickleValue[] => {
    const mark = marks.pop();
    return mark === undefined ? refuse(`no mark at byte ${at - 1}`) : stack.splice(mark);
  };
  const tuple = (count: number) => {
    const items = Array.from({ length: count }, pop).reverse();
    push(container(items));
  };
  const remember = (key: number) => {
    const value = top();
    if (memo.size >= MAX_VALUES) refuse(`it remembers more than ${MAX_VALUES} values`);
    memo.set(key, value);
  };
  const recall = (key: number) => {
    const value = memo.get(key);
    push(value === undefined ? refuse(`nothing was remembered as ${key}`) : value);
  };
  const name = (module: string, member: string) => {
    const known = world.names.get(`${module}.${member}`);
    const path = JSON.stringify(`${module}.${member}`.slice(0, 100));
    push(
      known ?? refuse(
        `it asks for ${path}, which is no part of a state dict and is not run; save the weights ` +
          "alone, with torch.save(model.state_dict(), ...)",
      ),
    );
  };
  const call = () => {
    const args = pop();
    const callee = pop();
    if (!Array.isArray(args)) return refuse("a call without a tuple of arguments");
    if (!(callee instanceof PickleName)) return refuse("a call of something that is no name");
    push(callee.call ? container(callee.call(args)) : refuse(`it calls ${callee.path}`));
  };
  const setItems = (items: readonly PickleValue[]) => {
    const dict = top();
    if (!(dict instanceof Map)) return refuse("an item is set in something that is no dict");
    if (items.length % 2) return refuse("a key without a value");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i]!, items[i + 1]!);
  };
  const append = (items: readonly PickleValue[]) => {
    const list = top();
    if (!Array.isArray(list)) return refuse("a value is appended to something that is no list");
    for (const item of items) list.push(item);
  };
  const long = (count: number) => {
    if (count > 64) refuse(`a whole number of ${count} bytes`);
    const digits = slice(count);
    let value = 0n;
    for (let i = count - 1; i >= 0; i--) value = value << 8n | BigInt(digits[i]!);
    value = BigInt.asIntN(count * 8, value);
    push(Number.isSafeInteger(Number(value)) ? Number(value) : value);
  };
  const build = () => {
    const state = pop(), object = top();
    if (object instanceof PickleObject) object.state = state;
    // An OrderedDict carries `_metadata` (versions of modules), which no tensor needs.
    else if (!(object instanceof Map)) refuse("it sets the state of an object that is no dict");
  };
  const stackGlobal = () => {
    const member = pop(), module = pop();
    if (typeof module !== "string" || typeof member !== "string") {
      return refuse("a name that is no text");
    }
    name(module, member);
  };

  // deno-fmt-ignore
  const instructions: Readonly<Record<number, () => void>> = {
    0x80: () => { const version = uint8(); if (version > 5) refuse(`protocol ${version}`); },
    0x95: () => { take(8); }, // FRAME only helps readers of streams.
    0x28: () => { if (marks.push(stack.length) > MAX_VALUES) refuse("too many marks"); },
    0x30: () => { pop(); }, 0x31: () => { popMark(); }, 0x32: () => push(top()),
    0x4e: () => push(null), 0x88: () => push(true), 0x89: () => push(false),
    0x4a: () => push(view.getInt32(take(4), true)), 0x4b: () => push(uint8()),
    0x4d: () => push(view.getUint16(take(2), true)), 0x47: () => push(view.getFloat64(take(8))),
    0x8a: () => long(uint8()), 0x8b: () => long(uint32()),
    0x58: () => push(decode(slice(uint32()))), 0x8c: () => push(decode(slice(uint8()))),
    0x8d: () => push(decode(slice(size64()))),
    0x54: () => push(slice(uint32())), 0x55: () => push(slice(uint8())),
    0x42: () => push(slice(uint32())), 0x43: () => push(slice(uint8())),
    0x8e: () => push(slice(size64())),
    0x29: () => tuple(0), 0x85: () => tuple(1), 0x86: () => tuple(2), 0x87: () => tuple(3),
    0x74: () => push(container(popMark())),
    0x5d: () => push(container([])), 0x61: () => append([pop()]), 0x65: () => append(popMark()),
    0x7d: () => push(container(new Map())),
    0x73: () => { const value = pop(), key = pop(); setItems([key, value]); },
    0x75: () => setItems(popMark()),
    0x68: () => recall(uint8()), 0x6a: () => recall(uint32()),
    0x71: () => remember(uint8()), 0x72: () => remember(uint32()), 0x94: () => remember(memo.size),
    0x63: () => { const module = line(); name(module, line()); }, 0x93: stackGlobal,
    0x52: call, 0x81: call, 0x62: build, 0x51: () => push(world.persistent(pop())),
  };

  while (true) {
    const code = uint8();
    if (code === 0x2e) return { value: pop(), end: at };
    const run = instructions[code];
    if (!run) return refuse(`instruction 0x${code.toString(16).padStart(2, "0")} is not known`);
    run();
  }
}
