/** `activations`: files that others read, with what the layers say. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openSafetensors } from "../../models/formats/open_safetensors.ts";
import { maxDifference } from "../goldens.ts";
import { drawPhotos } from "../draw_photos.ts";
import { findPython, WANTED_PYTHON } from "../python.ts";
import { mindseye } from "./mindseye.ts";
import { inFolder } from "./run_files.ts";

const python = findPython();
// deno-lint-ignore no-console
if (!python) console.warn(`SKIPPED .npy files beside numpy: no ${WANTED_PYTHON}`);

/** Shape, numbers and names as numpy and json give them. */
const READ = "import json, sys, numpy as np\na = np.load(sys.argv[1])\n" +
  "print(json.dumps([a.shape, a.ravel().tolist(), json.load(open(sys.argv[2]))]))";

Deno.test("what layers answer is written for others: maps, their means, one pass for all", async () => {
  await inFolder(async (folder) => {
    const images = join(folder, "drawings");
    await drawPhotos(images, { count: 5, size: 32 });
    const run = async (out: string, ...args: string[]) => {
      const path = join(folder, out);
      const common = ["activations", images, "--model", "motifs", "--size", "32", "--out", path];
      const outcome = await mindseye([...common, ...args]);
      return { path, ...outcome };
    };
    const layers = ["--layer", "features.12", "--layer", "features.20"];
    const whole = await run("whole.safetensors", ...layers, "--whole");
    assert.equal(whole.code, 0, whole.err);
    using maps = openSafetensors(whole.path);
    assert.deepEqual(maps.names, ["features.12", "features.20"]);
    assert.deepEqual(maps.shape("features.20"), [5, 112, 2, 2]);
    assert.equal(JSON.parse(maps.metadata.images!).length, 5);
    const values = maps.read("features.20");
    const means = Float32Array.from({ length: 5 * 112 }, (_, i) => {
      return values.subarray(4 * i, 4 * (i + 1)).reduce((a, b) => a + b) / 4;
    });
    const pooled = await run("pooled.npy", "--layer", "features.20");
    assert.equal(pooled.code, 0, pooled.err);
    if (python) {
      const names = join(folder, "pooled.images.json");
      const { stdout, stderr } = await new Deno.Command(python, {
        args: ["-c", READ, pooled.path, names],
      }).output();
      const said = new TextDecoder().decode(stdout);
      assert.ok(said, new TextDecoder().decode(stderr));
      const [shape, numbers, read] = JSON.parse(said);
      assert.deepEqual(shape, [5, 112]);
      assert.ok(maxDifference(numbers, means) < 1e-6);
      assert.deepEqual(read, JSON.parse(maps.metadata.images!));
    }
    const both = await run("both.npy", ...layers);
    assert.equal(both.code, 2);
    assert.match(both.err, /a \.npy file holds one layer/);
    assert.match(
      (await run("x.txt", ...layers)).err,
      /expected --out NAME\.safetensors or NAME\.npy/,
    );
  });
});
