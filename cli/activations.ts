/** `activations`: what layers answer to photos, for those who go on elsewhere. */
import { writeInPiecesSync } from "../base/atomic_file.ts";
import { UserError } from "../base/errors.ts";
import { megabytes } from "../base/megabytes.ts";
import { npyHead } from "../models/formats/npy.ts";
import { safetensorsHead } from "../models/formats/safetensors.ts";
import { Network } from "../vis/network.ts";
import { askFolder } from "../vis/photos/look.ts";
import { listPhotos } from "../vis/photos/photos.ts";
import { GPU_OPTIONS, keepGpuFor } from "./shared/gpu.ts";
import { NETWORK_OPTIONS, openModelFor, requireModel } from "./shared/model.ts";
import { type Arguments, type Command, SIDES, UsageError } from "./shared/options.ts";
import { print, Progress, say } from "./shared/progress.ts";

/** Bytes of all answers, at most: they are held until they are written. */
const MOST_BYTES = 2 ** 32;

/** What a layer answered to all photos. */
interface Answered {
  readonly layer: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The command. */
export const activationsCommand: Command = {
  summary: "Write what layers answer to a folder of images, for Python and others.",
  permissions: "--allow-read --allow-write=OUT,CACHE",
  usage: "IMAGES --model NAME --layer LAYER --out FILE [options]",
  positionals: ["IMAGES, the folder of images"],
  options: {
    ...NETWORK_OPTIONS,
    layer: {
      type: "string",
      short: "l",
      multiple: true,
      value: "LAYER",
      help: "Module to look at; give it again for several layers in one pass",
    },
    whole: { type: "boolean", help: "Whole maps [n,C,H,W] instead of their means [n,C]" },
    size: { type: "string", value: "PIXELS", help: "Side of the photos (default: the network's)" },
    limit: { type: "string", value: "N", help: "Use only the first N images" },
    out: {
      type: "string",
      short: "o",
      value: "FILE",
      help: "Where to write: NAME.safetensors, or NAME.npy for one layer",
    },
    ...GPU_OPTIONS,
  },
  notes:
    `A .safetensors file has a tensor for each layer, and the images' names as JSON in its metadata
("images"). Beside a .npy file lies NAME.images.json with these names. Numbers are float32, images in
the order of their names.

Example:
  mindseye activations photos/ants --model resnet18 --layer layer3 --out ants.safetensors
  python3 -c 'from safetensors.numpy import load_file; print(load_file("ants.safetensors"))'`,

  async run(args: Arguments) {
    const [folder] = args.positionals as [string];
    requireModel("activations", args);
    const layers = args.list("layer");
    if (layers.length === 0) throw new UsageError("activations: missing --layer");
    const out = args.text("out");
    const kind = /\.(npy|safetensors)$/i.exec(out ?? "")?.[1]?.toLowerCase();
    if (out === undefined || !kind) {
      throw new UsageError("activations: expected --out NAME.safetensors or NAME.npy");
    }
    if (kind === "npy" && layers.length > 1) {
      throw new UsageError("activations: a .npy file holds one layer; write .safetensors");
    }
    const limit = args.integer("limit", { min: 1, max: 1e7 });
    const { model, weights } = await openModelFor(args);
    using _weights = weights;
    const size = args.integer("size", SIDES) ?? model.inputSize;
    const network = new Network(model, weights);
    const of = args.flag("whole") ? "output" : "pool";
    const taps = layers.map((name) => ({ module: network.resolve(name), of }) as const);
    const shapes = network.check(taps, size).map(([, ...rest]) =>
      of === "pool" ? [rest[0]!] : rest
    );
    const paths = listPhotos(folder);
    const lengths = shapes.map((shape) => shape.reduce((a, b) => a * b, 1));
    const bytes = 4 * Math.min(paths.length, limit ?? Infinity) *
      lengths.reduce((a, b) => a + b, 0);
    if (bytes > MOST_BYTES) {
      throw new UserError(
        `that would be ${megabytes(bytes)}, at most ${megabytes(MOST_BYTES)} are written; use ` +
          "fewer layers, --limit or no --whole",
      );
    }
    using keeper = await keepGpuFor(args);
    const looking = new Progress("photos");
    const { images, skipped, answers } = await keeper.use((gpu) =>
      askFolder(
        gpu,
        {
          model,
          questions: taps.map(({ module }, i) => ({ name: module, length: lengths[i]! })),
          ask(pictures, some) {
            const seen = network.see(pictures);
            return some.map(({ name }) => seen.get({ module: name, of }));
          },
        },
        paths,
        { size, limit, onProgress: (done, total) => looking.update(done, total) },
      )
    );
    for (const { file, reason } of skipped) say(`skipped ${file}: ${reason}`);
    const all = taps.map(({ module: layer }, i): Answered => ({
      layer,
      shape: [images.length, ...shapes[i]!],
      values: answers[i]!,
    }));
    write(out, kind, all, images.map(({ name }) => name));
    for (const { layer, shape } of all) print(`${layer} [${shape.join(", ")}]`);
    print(out);
  },
};

function write(
  path: string,
  kind: string,
  answered: readonly Answered[],
  images: readonly string[],
): void {
  const names = JSON.stringify(images);
  const bodies = answered.map(({ values: { buffer, byteOffset, byteLength } }) =>
    new Uint8Array(buffer, byteOffset, byteLength)
  );
  if (kind === "npy") {
    writeInPiecesSync(path, [npyHead(answered[0]!.shape), ...bodies]);
    const beside = path.replace(/\.npy$/i, ".images.json");
    writeInPiecesSync(beside, [new TextEncoder().encode(names + "\n")]);
    return;
  }
  const shapes = answered.map(({ layer, shape }) => [layer, shape] as const);
  writeInPiecesSync(path, [safetensorsHead(shapes, { images: names }), ...bodies]);
}
