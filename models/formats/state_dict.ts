/** Finding the weights in what a checkpoint holds. */
import type { PickleValue } from "./pickle.ts";
import { numpyTensor, StoredTensor } from "./torch_names.ts";

/**
 * Keys under which checkpoints keep weights, those that are looked at first coming first: a moving
 * average is what its authors publish numbers of, so it goes before the weights of the last step.
 */
const KEYS = [
  ...["state_dict_ema", "model_ema", "ema_state_dict", "ema_model", "params_ema", "ema"],
  ...["state_dict", "model_state_dict", "model_state", "model", "network", "net", "module"],
  ...["params", "weights"],
];

/** Folders within folders that are looked into. */
const DEEPEST = 4;

/** Tensors by name, and the key they were found under. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Such as `state_dict`; "" where the checkpoint is nothing but weights. */
  readonly key: string;
}

/** The weights of a checkpoint; undefined if it holds none. */
export function findStateDict(root: PickleValue, depth = 0): StateDict | undefined {
  if (!(root instanceof Map) || depth > DEEPEST) return undefined;
  const own = new Map<string, StoredTensor>();
  for (const [name, value] of root) {
    const tensor = value instanceof StoredTensor ? value : numpyTensor(value);
    if (typeof name === "string" && tensor) own.set(name, tensor);
  }
  const nested = [...root].flatMap(([name, value]) => {
    const found = typeof name === "string" ? findStateDict(value, depth + 1) : undefined;
    return found ? [{ name: name as string, ...found }] : [];
  });
  // Weights stand together; a few numbers beside a folder of them are something else.
  const largest = Math.max(0, ...nested.map(({ tensors }) => tensors.size));
  if (own.size > 0 && own.size >= largest) return { tensors: own, key: "" };
  if (nested.length === 0) return undefined;
  const join = (name: string, key: string) => key ? `${name}.${key}` : name;
  for (const wanted of KEYS) {
    const found = nested.find(({ name }) => name === wanted);
    if (found) return { tensors: found.tensors, key: join(found.name, found.key) };
  }
  if (nested.length === 1) {
    return { tensors: nested[0]!.tensors, key: join(nested[0]!.name, nested[0]!.key) };
  }
  // Several networks, such as a generator and its critic: all of them, by longer names.
  const all = new Map<string, StoredTensor>();
  for (const { name, tensors } of nested) {
    for (const [key, tensor] of tensors) all.set(`${name}.${key}`, tensor);
  }
  return { tensors: all, key: "" };
}
