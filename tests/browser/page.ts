/** What runs in the page: the engine, the cases of its operations, networks and the loop. */
import { type Gpu, openGpu } from "../../kernels/runtime/device.ts";
import { motifsWeights } from "../../models/architectures/motifs_net.ts";
import { parseSafetensors, type SafetensorsFile } from "../../models/formats/safetensors.ts";
import { createModel } from "../../models/registry.ts";
import { forcing } from "../../ops/conv2d/variants.ts";
import { measurePeak } from "../../bench/ceiling.ts";
import { asGpu, type VENDORS } from "../as_gpu.ts";
import { CASES } from "../cases/all.ts";
import { VARIANTS } from "../cases/variants.ts";
import { compareCase, type Errors } from "../compare.ts";
import { growThroughLoss, type STAGES, type Survived } from "../reliability/lost_gpu.ts";
import { type TenIterations, tenIterations } from "../ten_iterations.ts";
import { compareNetwork, computeNetwork } from "../networks.ts";

/** How to compare a case. */
export interface How {
  /** How often. */
  readonly count: number;
  /** The way to compute its convolutions. */
  readonly variant?: string;
  /** Without gradients. */
  readonly forward?: boolean;
}

/** What a test may ask of the page. */
export interface Page {
  /** The adapter's architecture. */
  adapter(): string;
  /** A case of an operation against its reference. */
  compareCase(name: string, how: How): Promise<Errors>;
  /** A network against its golden, as on a vendor's GPU if told: its gradient's relative L2 error. */
  compareNetwork(name: string, vendor?: typeof VENDORS[number]): Promise<number>;
  /** Ten iterations of preset `default` on the built-in network. */
  tenIterations(): Promise<TenIterations>;
  /** A run whose device is lost. */
  growThroughLoss(stage?: typeof STAGES[number]): Promise<Survived>;
  /** Floating-point operations a second. */
  peak(): Promise<number>;
}

async function fetchSafetensors(path: string): Promise<SafetensorsFile> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return parseSafetensors(new Uint8Array(await response.arrayBuffer()), path);
}

async function networkInPage(gpu: Gpu, name: string): Promise<number> {
  const stored = await fetchSafetensors(`/goldens/models_${name}.safetensors`);
  const weights = await fetchSafetensors(`/weights/${name}.safetensors`);
  const goldens = {
    metadata: stored.metadata,
    keys: () => stored.names,
    get: (key: string) =>
      stored.has(key) ? { shape: stored.shape(key), data: stored.read(key) } : undefined,
  };
  return compareNetwork(await computeNetwork(gpu, name, goldens, weights), goldens);
}

const gpu = await openGpu();
const page: Page = {
  adapter: () => gpu.adapter.info.architecture,
  async compareCase(name, { count, variant, forward }) {
    const found = CASES.find((each) => each.name === name)!;
    const [, forced] = VARIANTS.find(([what]) => what === variant) ?? [];
    gpu.fault = undefined; // an earlier case's, which has failed for it
    const special = { ...found.special, count, ...(forward ? { wrt: [] } : {}) };
    return await compareCase(
      gpu,
      { ...found, special },
      forced ? { choose: forcing(() => forced) } : {},
    );
  },
  compareNetwork: (name, vendor) => networkInPage(vendor ? asGpu(gpu, vendor) : gpu, name),
  peak: () => measurePeak(gpu, { enough: 0.01, tries: 1 }),
  async growThroughLoss(stage) {
    return await growThroughLoss(createModel("motifs"), await motifsWeights(), stage);
  },
  async tenIterations() {
    return await tenIterations(gpu, createModel("motifs"), await motifsWeights());
  },
};
Object.assign(globalThis, { page });
