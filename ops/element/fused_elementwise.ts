/** Several element functions as one kernel. */
import { elementwiseCall, expressionOf, operandNames } from "./elementwise.ts";
import type { Operation } from "../graph/operation.ts";

/** Table entry. */
export const fusedElementwiseOperation: Operation<"fusedElementwise"> = {
  lower(y, gpu) {
    const { steps } = y.attributes;
    const inputs = operandNames(y);
    const values = [...inputs, ...steps.map((_, i) => `step${i}`)];
    // Numbers are parameters, so that the same functions share a pipeline.
    const scalars = Object.fromEntries(
      steps.flatMap(({ k, l }, i) => [[`k${i}`, k], [`l${i}`, l]]),
    );
    const lines = steps.map(({ f, operands }, i) => {
      const names = operands.map((operand) => values[operand]!);
      return `let step${i} = ${expressionOf(f, names, `P.k${i}`, `P.l${i}`)};`;
    });
    const functions = `
fn fused(${inputs.map((name) => `${name}: vec4f`).join(", ")}) -> vec4f {
  ${lines.join("\n  ")}
  return ${values.at(-1)};
}
`;
    const name = steps.map(({ f }) => f).join("+");
    return [elementwiseCall(gpu, name, y, `fused(${inputs.join(", ")})`, { scalars, functions })];
  },
  gradient: "gradients are taken before element functions are fused",
};
