/** The work that `bench:peers` gives every library, and that this project's part of it is right. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { filterToLast, transpose } from "../../bench/peers/layout.ts";
import type { Line } from "../../bench/peers/peer.ts";
import {
  makeWork,
  readNumbers,
  readWeights,
  weightCount,
  writeWork,
} from "../../bench/peers/work.ts";
import { conv2d, gradients, mul } from "../../ops/mod.ts";
import { assertClose, evaluate, gpuForTests, tensorOf, values } from "../compare.ts";
import { reference } from "../reference.ts";

const PEERS = join(import.meta.dirname!, "..", "..", "bench", "peers");
const gpu = await gpuForTests();

Deno.test("the trunk is ResNet-18's: 20 convolutions with 11.2 million weights, one after the other", () => {
  const { convolutions } = makeWork().trunk;
  assert.equal(convolutions.length, 20);
  let offset = 0;
  for (const c of convolutions) {
    assert.equal(c.offset, offset, c.name);
    offset += weightCount(c) + c.outputs;
  }
  // torchvision's 11,689,512 parameters, less the classifier's 513,000 and a scale for each channel.
  assert.equal(offset, 11_689_512 - 513_000 - 4800);
});

Deno.test("layouts for channels last", () => {
  assert.deepEqual([...transpose(new Float32Array([1, 2, 3, 4, 5, 6]), 2, 3)], [1, 4, 2, 5, 3, 6]);
  const [o, i, k] = [2, 3, 2];
  const filters = Float32Array.from({ length: o * i * k * k }, (_, at) => at);
  const last = filterToLast(filters, o, i, k);
  for (let m = 0; m < o; m++) {
    for (let c = 0; c < i; c++) {
      for (let ky = 0; ky < k; ky++) {
        for (let kx = 0; kx < k; kx++) {
          const at = ((ky * k + kx) * i + c) * o + m;
          assert.equal(last[at], ((m * i + c) * k + ky) * k + kx);
        }
      }
    }
  }
});

Deno.test("this project's process computes the convolutions it was given", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const work = makeWork(8);
    writeWork(folder, work);
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", join(PEERS, "mindseye.ts"), folder, "convolutions", "0"],
      env: { XDG_RUNTIME_DIR: "/tmp" },
      stdin: "null",
    });
    const { success, stdout, stderr } = await command.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.ok(success, text(stderr));
    const lines: Line[] = text(stdout).trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map((line) => line.kind === "result" ? `${line.work} ${line.what}` : line.kind),
      work.convolutions.flatMap(({ name }) => [`${name} forward`, `${name} gradient`]),
    );
    for (const line of lines) {
      if (line.kind === "result") assert.ok(line.wall > 0 && line.processor > 0);
    }
    for (const c of work.convolutions) {
      const { name, inputs, outputs, size, kernel, padding } = c;
      const x = values([1, inputs, size, size], readNumbers(folder, `${name}.x`));
      const dy = values([1, outputs, size, size], readNumbers(folder, `${name}.dy`));
      const { weight } = readWeights(folder, name, c);
      const w = values([outputs, inputs, kernel, kernel], weight);
      const y = reference.conv2d(x, w, undefined, { padding });
      assertClose(values(y.shape, readNumbers(folder, `mindseye.${name}.y`)), y, `${name} forward`);
      const input = tensorOf(x);
      const product = mul(conv2d(input, tensorOf(w), undefined, { padding }), tensorOf(dy));
      const [dx] = await evaluate(gpu, gradients(product, [input]));
      const given = readNumbers(folder, `mindseye.${name}.dx`);
      assertClose(values(x.shape, given), dx!, `${name} gradient`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
