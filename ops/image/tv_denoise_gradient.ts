/** The gradient of total-variation denoising through its sweeps. */
import source from "../../kernels/image/tv_denoise_gradient.wgsl" with { type: "text" };
import { type Call, type Operation, perTexel } from "../graph/operation.ts";
import type { Tensor } from "../graph/tensor.ts";
import { stretches, sweepCalls } from "./tv_denoise.ts";

/** Texels of a pixel in a checkpoint, on the tape before or after a sweep, and in the adjoint. */
const CHECKPOINT = 3;
const TAPE = 2;
const ADJOINT = 7;

type Phase = "start" | "keep" | "restore" | "tape" | "sweep" | "step" | "finish";

/**
 * Table entry. What the sweeps were at is kept in checkpoints; between two of them the sweeps are
 * done once more, and then backwards. Checkpoints lie √sweeps apart (times what makes the memory
 * smallest), so memory grows like √sweeps, and time by one more forward.
 */
export const tvDenoiseGradientOperation: Operation<"tvDenoiseGradient"> = {
  lower(dx, gpu) {
    const { sweeps, of } = dx.attributes;
    const [x, settings, dy] = dx.inputs as [Tensor, Tensor, Tensor];
    const [n, , h, w] = dx.shape;
    const best = Math.ceil(Math.sqrt(sweeps * CHECKPOINT / TAPE));
    const distance = Math.max(1, Math.min(best, sweeps));
    const checkpoints = Math.max(1, Math.ceil(sweeps / distance));
    const forward = sweepCalls(dx, { x, settings, sweeps }, gpu, 1);
    const { WORKGROUP } = forward.defines;
    // Those that walk a picture with one workgroup, as the sweeps do.
    const walks: Partial<Record<Phase, ReturnType<typeof stretches>>> = {
      start: stretches(Math.ceil((h + 2) * (w + 2) / WORKGROUP)),
      restore: stretches(Math.ceil(h * w / WORKGROUP)),
      sweep: stretches(h + w - 1, 2 + Math.ceil(Math.min(h, w) / WORKGROUP)),
    };
    const phase = (PHASE: Phase, slots = 1, slot = 0, sweep = 0): Call[] =>
      (walks[PHASE] ?? [{}]).map((stretch) => ({
        source: { name: "tvDenoiseGradient", wgsl: source },
        defines: { ...forward.defines, PHASE, OF: of },
        reads: { settings, dy },
        writes: { dx },
        scratch: {
          ...forward.scratch,
          checkpoints: n * h * w * CHECKPOINT * checkpoints,
          tape: n * h * w * TAPE * (distance + 1),
          adjoint: n * (h + 2) * (w + 2) * ADJOINT,
        },
        parameters: { slots, slot, sweep, ...stretch },
        workgroups: walks[PHASE] ? [n, 1, 1] : perTexel(dx),
      }));
    const onTape = (name: Phase, slot: number, sweep: number) =>
      phase(name, distance + 1, slot, sweep);

    const calls = [...forward.setUp, ...phase("start")];
    for (let c = 0; c < checkpoints; c++) {
      calls.push(...phase("keep", checkpoints, c));
      // The sweeps after the last checkpoint are done below.
      if (c + 1 === checkpoints) break;
      for (let i = 0; i < distance; i++) calls.push(...forward.sweep(c * distance + i));
    }
    for (let c = checkpoints - 1; c >= 0; c--) {
      const first = c * distance;
      const count = Math.min(distance, sweeps - first);
      calls.push(...phase("restore", checkpoints, c, first), ...onTape("tape", 0, first));
      for (let i = 0; i < count; i++) {
        calls.push(...forward.sweep(first + i), ...onTape("tape", i + 1, first));
      }
      for (let i = count - 1; i >= 0; i--) {
        calls.push(...onTape("sweep", i, first + i), ...onTape("step", i, first + i));
      }
    }
    return [...calls, ...phase("finish")];
  },
  gradient: "second derivatives are not part of the method",
};
