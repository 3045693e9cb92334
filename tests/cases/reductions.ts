/** Sums and means. */
import type { Random } from "../../ops/mod.ts";
import type { Group } from "../compare.ts";
import { picture } from "./draw.ts";

const AXES = [[0], [1], [2], [3], [2, 3], [1, 2, 3], [0, 1, 2, 3]] as const;

const axes = (r: Random, i: number) => ({ ...picture(r), options: AXES[i % AXES.length]! });

/** The cases. */
export const reductions: Group = (test) => {
  test("sum", axes, (f, [x], over) => f.sum(x!, over), { degree: 1 });
  test("mean", axes, (f, [x], over) => f.mean(x!, over), { degree: 1 });
  test("globalAveragePool", picture, (f, [x]) => f.globalAveragePool(x!), { degree: 1 });
};
