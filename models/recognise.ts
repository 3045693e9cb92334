/** Which of the networks a file's tensors are of. */
import type { WeightsFile } from "./formats/weights.ts";
import { type Fit, fit } from "./fit.ts";
import { createModel, MODELS } from "./registry.ts";

/** A network and how a file fits it. */
export interface Candidate {
  /** The network's name. */
  readonly name: string;
  /** How well. */
  readonly fit: Fit;
  /** Whether all tensors are there, in the right sizes but for the number of classes, and no others. */
  readonly exact: boolean;
  /** Whether all tensors of the file are the network's, though some may be missing. */
  readonly part: boolean;
}

/** Networks that fit a file, the best first; those that fit hardly at all are left out. */
export function recognise(weights: WeightsFile): Candidate[] {
  const candidates = Object.keys(MODELS).map((name): Candidate => {
    const found = fit(createModel(name, {}), weights);
    const part = found.fitting > 0 && found.unexpected.length === 0 &&
      (found.different.length === 0 || found.classes !== undefined);
    return { name, fit: found, exact: part && found.missing.length === 0, part };
  });
  // A name alone says something too.
  const share = ({ fit: { fitting, different, total, unexpected } }: Candidate) =>
    (fitting + 0.1 * different.length) / (total + unexpected.length);
  return candidates.filter((candidate) => share(candidate) > 0.05)
    .sort((a, b) => Number(b.exact) - Number(a.exact) || share(b) - share(a));
}

/** The network a file is of, where there is no doubt. */
export function recognised(candidates: readonly Candidate[]): Candidate | undefined {
  const exact = candidates.filter((candidate) => candidate.exact);
  const found = exact.length > 0 ? exact : candidates.filter((candidate) => candidate.part);
  return found.length === 1 ? found[0] : undefined;
}
