/** What takes minutes in a browser, most of it for compiling: `deno task test:browser:slow`. */
import { note } from "../compare.ts";
import { STAGES } from "../reliability/lost_gpu.ts";
import { testInBrowser } from "./browser.ts";
import { compareLosses } from "./compare_losses.ts";
import { SLOW_CASES } from "./slow_cases.ts";

const RESNET = ["goldens/models_resnet18.safetensors", "weights/resnet18.safetensors"];

testInBrowser("in a browser, resnet18 computes what PyTorch computes", RESNET, async (page) => {
  note("resnet18", { gradient: await page.ask("compareNetwork", "resnet18") });
});

testInBrowser("in a browser, resnet18 as GPUs compute it", RESNET, async (page) => {
  note("resnet18 as a GPU", { gradient: await page.ask("compareNetwork", "resnet18", "nvidia") });
});

testInBrowser("in a browser, operations of slow kernels", [], async (page, t) => {
  for (const name of SLOW_CASES) {
    await t.step(name, async () => note(name, await page.ask("compareCase", name, { count: 20 })));
  }
});

testInBrowser("in a browser, a device is lost at any stage", [], async (page) => {
  await compareLosses(page, STAGES);
});
