import assert from "node:assert/strict";
import gif from "imagescript/wasm/node/gif.js";
import { join } from "node:path";
import { createModel } from "../../models/registry.ts";
import type { Listener } from "../../vis/events.ts";
import { channels } from "../../vis/objectives/channels.ts";
import { Network } from "../../vis/network.ts";
import { chooseParameters } from "../../vis/presets.ts";
import { Film, filmSide } from "../../vis/report/film.ts";
import { Report } from "../../vis/report/report.ts";
import { growWishes } from "../../vis/wishes.ts";
import { openGpu } from "../../kernels/runtime/device.ts";
import { filesOf, inFolder } from "../cli/run_files.ts";

interface GifFrame {
  readonly width: number;
  readonly height: number;
  /** In hundredths of a second. */
  readonly delay: number;
  readonly buffer: Uint8Array;
}

/** All frames of a GIF file, by another program than wrote it. */
async function framesOf(bytes: Uint8Array): Promise<GifFrame[]> {
  const { Decoder } = await (gif as unknown as {
    init(): Promise<{ Decoder: new (bytes: Uint8Array) => { frames(): Iterable<GifFrame> } }>;
  }).init();
  return [...new Decoder(bytes).frames()];
}

/** A square whose colours go from the left to the right, from a level on. */
const ramp = (level: number, side: number) =>
  Uint8ClampedArray.from(
    { length: 3 * side * side },
    (_, i) => level + (i % side) + 20 * Math.floor(i / side / side),
  );

Deno.test("a film shows each frame, and stays at its last", async () => {
  const film = new Film(16);
  film.add(0, ramp(0, 16));
  film.add(2, ramp(60, 8)); // of a smaller octave
  film.add(4, ramp(0, 16));
  film.add(4, ramp(120, 16)); // once more: what the run was ended with
  const bytes = film.end();
  assert.equal(new TextDecoder().decode(bytes.subarray(0, 6)), "GIF89a");
  assert.ok(new TextDecoder("latin1").decode(bytes).includes("NETSCAPE2.0"), "it begins anew");
  const frames = await framesOf(bytes);
  assert.deepEqual(frames.map(({ delay }) => delay), [60, 8, 300]);
  for (const [i, level] of [0, undefined, 120].entries()) {
    const { width, height, buffer } = frames[i]!;
    assert.deepEqual([width, height], [16, 16]);
    if (level === undefined) continue;
    const wanted = ramp(level, 16);
    for (let p = 0; p < 256; p++) {
      for (let c = 0; c < 3; c++) {
        const away = Math.abs(buffer[4 * p + c]! - wanted[256 * c + p]!);
        assert.ok(away <= 8, `frame ${i}, pixel ${p}: ${away} levels off`);
      }
    }
  }
  assert.deepEqual([filmSide(64), filmSide(4096)], [64, 448]);
  const still = new Film(8);
  still.add(0, ramp(9, 8));
  assert.equal((await framesOf(still.end())).length, 1);
});

Deno.test("with a film a run leaves the same files, and the films", () =>
  inFolder(async (parent) => {
    using gpu = await openGpu();
    const model = createModel("motifs");
    using weights = await model.builtInWeights!();
    const network = new Network(model, weights);
    const run = async (name: string, film: boolean) => {
      const folder = join(parent, name);
      const report = new Report({
        ...{ folder, size: 24, images: [], title: "test", film: film ? 24 : undefined },
      });
      let handedOut = 0;
      const tell: Listener = async (event) => {
        if (event.kind === "pictures") handedOut++;
        await report.take(event);
      };
      const grown = await growWishes(gpu, {
        ...{ network, objective: channels("features.2", [0, 1]), size: 24, seed: 1, film },
        ...{ parameters: chooseParameters("noise", { iterations: 13 }), saveEvery: 5 },
      }, tell);
      await report.finish(grown);
      return { files: filesOf(folder), folder, handedOut };
    };
    const plain = await run("plain", false);
    const filmed = await run("filmed", true);
    const films = ["channel_00/film.gif", "channel_01/film.gif"];
    assert.deepEqual([...filmed.files.keys()].filter((file) => !plain.files.has(file)), films);
    for (const film of films) {
      const frames = await framesOf(await Deno.readFile(join(filmed.folder, film)));
      assert.equal(frames.length, filmed.handedOut);
      filmed.files.delete(film);
    }
    assert.deepEqual(filmed.files, plain.files);
    assert.ok(filmed.handedOut > plain.handedOut + 3, `${filmed.handedOut} frames`);
  }));
