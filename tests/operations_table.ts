/**
 * Writes docs/operations.md: every operation with its formula, its gradient and the largest errors
 * of its cases on this machine's adapter.
 *
 *     deno task docs:operations
 */
import { join } from "node:path";
import { openGpu } from "../kernels/runtime/device.ts";
import { Random } from "../ops/mod.ts";
import { CASES } from "./cases/all.ts";
import { compareCase, type Errors, type OperationCase } from "./compare.ts";
import { FORMULAS } from "./formulas.ts";
import { type Operations, reference, type Values } from "./reference.ts";

/** Where the table is. */
export const TABLE = join(import.meta.dirname!, "..", "docs", "operations.md");

type Name = keyof Operations<unknown>;

/** The operations a case calls, found by calling it on the references. */
function calledBy({ sample, run }: OperationCase<unknown>): Set<Name> {
  const called = new Set<Name>();
  const recording = new Proxy(reference, {
    get(target, name) {
      called.add(name as Name);
      return target[name as Name];
    },
  });
  const { inputs, options } = sample(new Random(1), 0);
  run<Values>(recording, [...inputs], options);
  return called;
}

/** The first cells of an operation's row: what does not depend on a measurement. */
export function described(name: Name): string {
  const { y, gradient } = FORMULAS[name];
  const cell = (text: string) => text.replaceAll("|", "\\|");
  return `| \`${name}\` | ${cell(y)} | ${cell(gradient)} |`;
}

/** The whole page. */
function page(errors: ReadonlyMap<Name, Errors>, adapter: string): string {
  const shown = (error: number | undefined) =>
    error === undefined ? "—" : error === 0 ? "0" : error.toExponential(1);
  const rows = (Object.keys(FORMULAS) as Name[]).sort().map((name) => {
    const { cases, forward, gradient, adjoint } = errors.get(name)!;
    return `${described(name)} ${cases} | ${shown(forward)} | ${shown(gradient)} | ${
      shown(adjoint)
    } |`;
  });
  return `# Operations

Written by \`deno task docs:operations\` on ${adapter}; not edited by hand. ∂ is dL/dy. Errors are the
largest over all random cases an operation takes part in:

- _forward_: difference to a float64 reference, relative to the largest value;
- _gradient_: against central differences of that reference, relative to |gradient|·|direction|;
- _adjoint_: ⟨Jv, c⟩ against ⟨v, Jᵀc⟩, both on the GPU. Jx is k·f(x) for functions of degree k;
  elsewhere Jv are the GPU's own float32 differences, whose rounding and curvature are then in the
  figure: there it says that nothing is missing, not how exact it is.

| operation | y | gradient | cases | forward | gradient | adjoint |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

if (import.meta.main) {
  using gpu = await openGpu();
  const errors = new Map<Name, Errors>();
  for (const operationCase of CASES) {
    const measured: Errors = await compareCase(gpu, operationCase);
    for (const name of calledBy(operationCase)) {
      const sofar = errors.get(name) ?? { cases: 0 };
      for (const [kind, error] of Object.entries(measured)) {
        sofar[kind] = Math.max(sofar[kind] ?? 0, error);
      }
      sofar.cases! += operationCase.special.count ?? 20;
      errors.set(name, sofar);
    }
    // deno-lint-ignore no-console
    console.log(operationCase.name);
  }
  await Deno.writeTextFile(TABLE, page(errors, gpu.name));
}
