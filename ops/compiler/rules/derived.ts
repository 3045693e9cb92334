/** Constants that rules make, each once, so that programs can share them. */
import type { Tensor } from "../../graph/tensor.ts";

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
