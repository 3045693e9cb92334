/** The matrix of convolution variants: the same test with each way to compute one forced in turn. */
import { type Gpu, type GpuOptions, openGpu } from "../kernels/runtime/device.ts";
import { forcing, useVariants, variantOf } from "../ops/conv2d/variants.ts";
import type { ChooseVariant } from "../ops/graph/convolution.ts";
import { testWithShared } from "./goldens.ts";

/** Opens a GPU whose convolutions are computed the forced way. */
export type OpenGpu = (options?: GpuOptions) => Promise<Gpu>;

/**
 * What is forced: an algorithm wherever it applies, or nothing. The smaller Winograd tiles, whose
 * rounding lies between these two's, have tests of their own.
 */
const FORCED: Readonly<Record<string, ChooseVariant | undefined>> = {
  "": undefined,
  ...Object.fromEntries(
    (["direct", "winograd4"] as const).map((algorithm) =>
      [algorithm, forcing((gpu, geometry) => variantOf(algorithm, gpu, geometry))] as const
    ),
  ),
};

/**
 * A test for each variant.
 *
 * @param body is told which one is forced; empty where the usual choice is left
 */
export function testWithVariants(
  name: string,
  files: string[],
  body: (open: OpenGpu, forced: string, t: Deno.TestContext) => Promise<void>,
): void {
  for (const [forced, choose] of Object.entries(FORCED)) {
    const open = async (options?: GpuOptions) => {
      const gpu = await openGpu(options);
      if (choose) useVariants(gpu, choose);
      return gpu;
    };
    testWithShared(
      forced ? `${name} (${forced})` : name,
      files,
      (t) => body(open, forced, t),
    );
  }
}
