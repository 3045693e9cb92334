/** Element functions. */
import { type Group, randomValues } from "../compare.ts";
import { operands, picture, positive, shape, wide } from "./draw.ts";
import type { Shape } from "../../ops/mod.ts";

/** The cases. */
export const elementwise: Group = (test) => {
  test("relu", wide, (f, [x]) => f.relu(x!));
  test("relu6", wide, (f, [x]) => f.relu6(x!));
  test("abs", wide, (f, [x]) => f.abs(x!));
  test(
    "sqrt",
    (r) => ({ inputs: [positive(randomValues(r, shape(r)))], options: null }),
    (f, [x]) => f.sqrt(x!),
  );
  test("exp", picture, (f, [x]) => f.exp(x!));
  test(
    "log",
    (r) => ({ inputs: [positive(randomValues(r, shape(r), 5))], options: null }),
    (f, [x]) => f.log(x!),
  );
  test("sigmoid", wide, (f, [x]) => f.sigmoid(x!));
  test("tanh", wide, (f, [x]) => f.tanh(x!));
  test("hardsigmoid", wide, (f, [x]) => f.hardsigmoid(x!));
  test("hardswish", wide, (f, [x]) => f.hardswish(x!));
  test("silu", wide, (f, [x]) => f.silu(x!));
  test("erf", wide, (f, [x]) => f.erf(x!));
  test("erf of small numbers", picture, (f, [x]) => f.erf(f.affine(x!, 0.3)));
  test("gelu", wide, (f, [x]) => f.gelu(x!));
  test("gelu of small numbers", picture, (f, [x]) => f.gelu(x!));
  test("gelu by tanh", wide, (f, [x]) => f.gelu(x!, "tanh"));
  test("gelu by tanh of small numbers", picture, (f, [x]) => f.gelu(x!, "tanh"));
  test("affine", picture, (f, [x]) => f.affine(x!, -1.7, 0.3));
  test("affine without a shift", picture, (f, [x]) => f.affine(x!, 2.5), { degree: 1 });
  test("clampMin", wide, (f, [x]) => f.clampMin(x!, -1.25));
  test("finite", wide, (f, [x]) => f.finite(x!), { wrt: [] });
  test("floor", wide, (f, [x]) => f.floor(x!), { wrt: [] });
  test("detach", picture, (f, [x]) => f.detach(x!), { wrt: [] });
  test("add", operands(2), (f, [a, b]) => f.add(a!, b!), { wrt: [0, 1], degree: 1 });
  test("sub", operands(2), (f, [a, b]) => f.sub(a!, b!), { wrt: [0, 1], degree: 1 });
  test("mul", operands(2), (f, [a, b]) => f.mul(a!, b!), { wrt: [0, 1] });
  test(
    "div",
    (r, i) => {
      const { inputs: [a, b] } = operands(2)(r, i);
      return { inputs: [a!, positive(b!)], options: null };
    },
    (f, [a, b]) => f.div(a!, b!),
    { wrt: [0, 1] },
  );
  test("maximum", operands(2), (f, [a, b]) => f.maximum(a!, b!), { wrt: [0, 1] });
  test("minimum", operands(2), (f, [a, b]) => f.minimum(a!, b!), { wrt: [0, 1] });
  test(
    "pow",
    (r, i) => {
      const { inputs: [a, b] } = operands(2)(r, i);
      return { inputs: [positive(a!), b!], options: null };
    },
    (f, [a, b]) => f.pow(a!, b!),
    { wrt: [0, 1] },
  );
  test(
    "xlogy",
    (r, i) => {
      const { inputs: [a, b] } = operands(2)(r, i);
      return { inputs: [a!, positive(b!)], options: null };
    },
    (f, [a, b]) => f.xlogy(a!, b!),
    { wrt: [0, 1] },
  );
  test("softplus", wide, (f, [x]) => f.softplus(x!));
  test("logCoshHalf", wide, (f, [x]) => f.logCoshHalf(x!));
  test("multiplyAdd", operands(3), (f, [a, b, c]) => f.multiplyAdd(a!, b!, c!), { wrt: [0, 1, 2] });
  test("mix", operands(3), (f, [a, b, c]) => f.mix(a!, b!, c!), { wrt: [0, 1, 2] });
  test("where", operands(3), (f, [c, a, b]) => f.where(c!, a!, b!), { wrt: [1, 2], degree: 1 });
  test("clampTo", wide, (f, [x]) => f.clampTo(x!, -1.25, 2));
  test(
    "expand",
    (r, i) => {
      const full = shape(r);
      const axes = [[0], [1], [2, 3], [0, 1, 2, 3], [1, 3]][i % 5]!;
      const small = full.map((size, axis) => axes.includes(axis) ? 1 : size) as unknown as Shape;
      return { inputs: [randomValues(r, small)], options: full };
    },
    (f, [x], full) => f.expand(x!, full),
    { degree: 1 },
  );
};
