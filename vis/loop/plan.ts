/** What a loop's programs compute, and how much memory they will take, before anything is allocated. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import { fitsDevice } from "../../kernels/runtime/sheet.ts";
import { planProgram } from "../../ops/compiler/compile.ts";
import { constantBytes } from "../../ops/compiler/constants.ts";
import { Arena, type ProgramOptions, type Tensor } from "../../ops/mod.ts";
import { type Group, type GroupGraphs, PROGRAMS } from "./group.ts";
import type { Learning } from "./learning.ts";

/** Bytes of GPU memory. */
export interface LoopMemory {
  /** Everything but weights: pictures and what is made of them. */
  readonly plan: number;
  /** Weights and other constants. */
  readonly constants: number;
}

/** The programs of a group: those that every loop has, one that balances terms, one that looks at views. */
export type GroupJobs = Readonly<
  & Record<typeof PROGRAMS[number], ProgramOptions>
  & Record<"balance" | "look", ProgramOptions | undefined>
>;

/** What a loop's programs compute. */
export interface Jobs {
  readonly groups: readonly GroupJobs[];
  /** What is learned from all groups together. */
  readonly learn: ProgramOptions | undefined;
  /** The pictures' gradients, where they can be read. */
  readonly gradients: readonly Tensor[];
}

/** Sizes of some groups of K pictures, which differ by one at most. */
export function split(pictures: number, groups: number): number[] {
  return Array.from(
    { length: groups },
    (_, i) => Math.floor((i + 1) * pictures / groups) - Math.floor(i * pictures / groups),
  );
}

/** In which order programs take memory, the largest pieces first: in buffers that is denoising's state. */
export function inOrder(gpu: Gpu): readonly (typeof PROGRAMS[number])[] {
  const names = PROGRAMS;
  return gpu.storage === "texture" ? names : ["denoise", ...names.filter((n) => n !== "denoise")];
}

/** What the programs of some groups compute. */
export function jobsOf(
  groups: readonly Group[],
  learning: Learning,
  keepGradient: boolean,
): Jobs {
  const graphs: GroupGraphs[] = groups.map((group) => group.graphs());
  const learned = learning.assignments(graphs.map(({ slopes }) => slopes));
  return {
    groups: graphs.map(({ raw, step, slopes: _, ...others }, i) => ({
      ...others,
      step: {
        assign: [...step, ...learned.ofGroups[i]!],
        outputs: keepGradient ? [raw] : [],
      },
    })),
    learn: learned.together.length > 0 ? { assign: learned.together } : undefined,
    gradients: keepGradient ? graphs.map(({ raw }) => raw) : [],
  };
}

/** What programs and variables will take. */
export function planJobs(
  gpu: Gpu,
  { groups, learn }: Jobs,
  pictures: readonly Group[],
  variableBytes: number,
): LoopMemory & { fits: boolean } {
  using arena = new Arena();
  const options = groups.flatMap((
    group,
  ) => [group.look, ...inOrder(gpu).map((name) => group[name]), group.balance]);
  const programs = [...options, learn]
    .filter((each) => each !== undefined)
    .map((each) => planProgram(gpu, { ...each, arena }));
  const own = programs.reduce((bytes, program) => bytes + program.own, 0);
  const constants = new Set(programs.flatMap((program) => [...program.constants]));
  return {
    plan: variableBytes + own + arena.bytes,
    constants: constantBytes(constants),
    fits: pictures.every(({ picture }) => fitsDevice(gpu, picture.shape)) &&
      programs.every((program) => program.fits),
  };
}
