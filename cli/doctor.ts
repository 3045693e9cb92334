/** `doctor`: what this machine offers, and what to do when it is too little. */
import { findAdapter, isSoftware, NO_ADAPTER, openGpu } from "../kernels/runtime/device.ts";
import { UserError } from "../base/errors.ts";
import { compile, constant, conv2d, Variable } from "../ops/mod.ts";
import { checkNetwork } from "./shared/check_network.ts";
import { NETWORK_OPTIONS } from "./shared/model.ts";
import type { Command } from "./shared/options.ts";
import { VERSION } from "../base/version.ts";
import { print } from "./shared/progress.ts";

/** Limits that decide what fits. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxTextureDimension2D",
  "maxStorageTexturesPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupStorageSize",
] as const;

/** The command. */
export const doctorCommand: Command = {
  summary: "Say which GPU is used, whether it computes correctly, and what a network sees.",
  permissions: "--allow-read --allow-write=CACHE",
  usage: "[--model NAME|FILE.onnx] [--image PHOTO] [options]",
  positionals: [],
  options: {
    ...NETWORK_OPTIONS,
    size: { type: "string", value: "PIXELS", help: "Side of the photo (default: the network's)" },
    image: { type: "string", value: "PHOTO", help: "A photo whose classes you know" },
    "classes-file": { type: "string", value: "FILE", help: "Names of the classes, one a line" },
  },
  notes:
    `With a network it tells how it is given its pictures. With a photo too it tells what the network
takes it for, and how sure it would be if its pictures were given otherwise: a wrong choice shows.`,
  async run(args) {
    const lines: string[] = [
      `mindseye ${VERSION}, deno ${Deno.version.deno}, ${Deno.build.target}`,
    ];
    const flush = () => print(lines.splice(0).join("\n"));
    const adapter = await findAdapter();
    if (!adapter) {
      flush();
      throw new UserError(NO_ADAPTER);
    }
    const { info, limits, features } = adapter;
    const software = isSoftware(adapter.info);
    lines.push(
      `adapter      ${info.description || info.device || "unknown"}`,
      `vendor       ${info.vendor || "unknown"}`,
      `driver       ${info.architecture || "not told by this driver"}`,
      `kind         ${software ? "software: computes on the CPU" : "GPU"}`,
      `features     ${[...features].sort().join(", ")}`,
      ...LIMITS.map((name) => `${name.padEnd(36)} ${limits[name]}`),
    );
    {
      using gpu = await openGpu();
      lines.push(`tensors live in ${gpu.storage}s`);
      lines.push(`self-test    ${await selfTest(gpu)}`);
    }
    if (software) {
      lines.push(
        "",
        "No GPU was found, so the CPU does the work: right, but slow. If this machine has a GPU,",
        "install its Vulkan driver (NVIDIA: the vendor's driver; AMD, Intel: mesa-vulkan-drivers)",
        "and see that /dev/dri or /dev/nvidia0 can be opened by you; in a container, pass the GPU in.",
      );
    }
    flush();
    if (args.text("model") === undefined && args.text("weights") === undefined) return;
    using gpu = await openGpu();
    await checkNetwork(gpu, args);
  },
};

/** A small convolution with a known answer. */
async function selfTest(gpu: Awaited<ReturnType<typeof openGpu>>): Promise<string> {
  using x = new Variable(gpu, [1, 4, 9, 9]);
  x.write(new Float32Array(4 * 81).fill(1));
  const weight = constant([4, 4, 3, 3], () => new Float32Array(144).fill(0.5));
  const y = conv2d(x.tensor, weight, undefined, { padding: 1 });
  using program = await compile(gpu, { outputs: [y] });
  program.run();
  const values = await program.read(y);
  const wrong = values.filter((value, i) => {
    const [row, column] = [Math.floor(i / 9) % 9, i % 9];
    const inside = (at: number) => at === 0 || at === 8 ? 2 : 3;
    return Math.abs(value - 4 * 0.5 * inside(row) * inside(column)) > 1e-5;
  });
  return wrong.length === 0
    ? "passed"
    : `FAILED: ${wrong.length} of ${values.length} values are wrong; update the GPU's driver`;
}
