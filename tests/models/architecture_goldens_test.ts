/** Networks with weights by formula compute what torchvision's compute with the same. */
import { openGpu } from "../../kernels/runtime/device.ts";
import { createModel } from "../../models/registry.ts";
import { compareArchitecture } from "./architecture.ts";
import { readSafetensors, sharedPath, testWithShared } from "../goldens.ts";

/** One of each family; those whose many weights take long to make are compared by the task alone. */
const NAMES = [
  ...["resnet18", "resnet50", "squeezenet1_0", "mobilenet_v2", "inception_v3"],
  ...["googlenet", "mnasnet1_0", "mobilenet_v3_large", "shufflenet_v2_x1_0", "efficientnet_b0"],
  ...["regnet_y_400mf", "convnext_tiny"],
];

for (const name of NAMES) {
  const path = `goldens/arch_${name}.safetensors`;
  testWithShared(`${name}: activations and gradient are torchvision's`, [path], async () => {
    using gpu = await openGpu();
    const kwargs: Record<string, unknown> = name === "inception_v3" ? { aux_logits: "true" } : {};
    const options = Object.fromEntries(Object.entries(kwargs).map(([k, v]) => [k, String(v)]));
    await compareArchitecture(gpu, createModel(name, options), readSafetensors(sharedPath(path)));
  });
}
