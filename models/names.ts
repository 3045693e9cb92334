/** Finding a module by the name that a person typed. */
import { ancestors, type Tensor } from "../ops/mod.ts";
import { UnknownNameError, UserError } from "../base/errors.ts";
import type { Trace, TracedModule } from "./trace.ts";

/** Modules that are convolutions: PyTorch's, and ONNX's. */
const CONVOLUTIONS = ["Conv2d", "Conv"];

/** A module that the trace reached, so that it has an input and an output. */
export interface FoundModule extends TracedModule {
  /** Its path, such as `layer4.2.relu`. */
  readonly name: string;
  /** What it got in its last call. */
  readonly input: Tensor;
  /** What it gave in its last call. */
  readonly output: Tensor;
}

/**
 * The path of a module, from the path itself or from `vis.py`'s numbering, in which a network is a
 * Sequential of its children, or of the children of `features` where there is such a child: `7.2.relu`
 * is `layer4.2.relu` in a ResNet, `12.expand3x3` is `features.12.expand3x3` in a SqueezeNet.
 *
 * @throws {UnknownNameError} If there is no such module; lists the nearest names.
 */
export function resolveModule(
  trace: Pick<Trace, "model" | "modules" | "aliases">,
  name: string,
): string {
  const names = [...trace.modules.keys()].filter((path) => path !== "");
  if (names.includes(name)) return name;
  const meant = trace.aliases.get(name);
  if (meant !== undefined) return meant;
  const numbered = fromNumber(names, name);
  if (numbered !== undefined && names.includes(numbered)) return numbered;
  throw new UnknownNameError("module", name, names, {
    count: 4,
    like: numbered,
    within: trace.model,
  });
}

/**
 * A module of a trace by name, as {@linkcode resolveModule} understands it.
 *
 * @throws {UserError} If there is no such module, or the network did not run it: it is for training
 * only, or the picture is too small to get that far.
 */
export function findModule(trace: Trace, name: string): FoundModule {
  const path = resolveModule(trace, name);
  const { input, output, stopped, ...rest } = trace.modules.get(path)!;
  if (!input || !output) {
    const whole = trace.stopped !== undefined && (!stopped || trace.stopped.includes(stopped));
    const reason = whole
      ? `${trace.stopped}; use larger pictures or an earlier layer`
      : stopped ?? "it is not part of the forward pass";
    throw new UserError(`module "${path}" of ${trace.model} has no output: ${reason}`);
  }
  return { name: path, input, output, stopped, ...rest };
}

/**
 * The layer whose input is penalised when none was named: the last convolution run among those the
 * target's output depends on.
 *
 * @throws {UserError} If there is no such target, or no convolution before it.
 */
export function defaultPenalty(trace: Trace, target: string): string {
  const { name, output } = findModule(trace, target);
  const before = new Set(ancestors([output]));
  let last: { name: string; output: Tensor } | undefined;
  for (const [path, { type, output }] of trace.modules) {
    if (!CONVOLUTIONS.includes(type) || !output || !before.has(output)) continue;
    if (!last || output.id > last.output.id) last = { name: path, output };
  }
  if (!last) {
    throw new UserError(
      `no convolution before "${name}" in ${trace.model}; name the penalty layer yourself`,
    );
  }
  return last.name;
}

/**
 * The modules up to a target that give the last maps of each size, from the largest maps to the
 * target itself: one for each stage of the network.
 *
 * @throws {UserError} when there is no such module.
 */
export function stagesUpTo(trace: Trace, target: string): string[] {
  const { name, output: goal } = findModule(trace, target);
  const before = new Set(ancestors([goal]));
  const last = new Map<number, { name: string; output: Tensor }>([
    [goal.shape[3], { name, output: goal }],
  ]);
  for (const [path, { output }] of trace.modules) {
    if (!output || !before.has(output)) continue;
    const side = output.shape[3];
    const known = last.get(side);
    if (!known || output.id > known.output.id) last.set(side, { name: path, output });
  }
  return [...last.values()].sort((a, b) => a.output.id - b.output.id).map((stage) => stage.name);
}

function fromNumber(names: readonly string[], name: string): string | undefined {
  const [number, ...rest] = name.split(".");
  if (!number || !/^\d+$/.test(number)) return undefined;
  if (names[0] === "features") return `features.${name}`;
  const children = names.filter((path) => !path.includes("."));
  const child = children[Number(number)];
  return child === undefined ? undefined : [child, ...rest].join(".");
}
