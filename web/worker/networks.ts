/** Networks that a page was given: the built-in one, or one in files. */
import { UserError } from "../../base/errors.ts";
import type { ByteSource } from "../../models/formats/byte_source.ts";
import { OnnxFile } from "../../models/formats/onnx/onnx_file.ts";
import { isIndex, readWeights } from "../../models/formats/read_weights.ts";
import { parseSafetensors } from "../../models/formats/safetensors.ts";
import { channelsOf, parseNormalisation } from "../../models/normalisation.ts";
import { networkIn, networkOf, type OpenModel } from "../../models/network_of.ts";
import { traceModel } from "../../models/trace.ts";
import { usualSide } from "../../vis/loop/schedule.ts";
import { PRESETS } from "../../vis/presets.ts";
import type { NetworkChoice, Opened } from "./protocol.ts";

/** A network that is open, and how a config names it. */
export interface TabNetwork extends OpenModel {
  /** Options that make the command line open the same. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Reads a file at once, as only workers may. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** A file's bytes, read where they are asked for. */
function sourceOf(file: File): ByteSource {
  const reader = new FileReaderSync();
  return {
    size: file.size,
    read(begin, end) {
      try {
        return new Uint8Array(reader.readAsArrayBuffer(file.slice(begin, end)));
      } catch (error) {
        const { message } = error as Error;
        throw new UserError(`${file.name}: cannot be read any more (${message}); choose it again`);
      }
    },
    close() {},
  };
}

/** The file of some that is the network; the others hold its weights. */
function mainOf(files: readonly File[]): File {
  const [first] = files;
  if (!first) throw new UserError("choose a file: safetensors, a PyTorch checkpoint, or ONNX");
  return files.find(({ name }) => /\.onnx$/i.test(name)) ?? first;
}

/** The network that comes with the program, beside the worker's script. */
async function builtIn(): Promise<TabNetwork> {
  const url = new URL("motifs.safetensors", import.meta.url);
  const response = await fetch(url);
  if (!response.ok) {
    throw new UserError(
      `${url}: ${response.status}; the page's folder is not whole: build it again`,
    );
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  const file = parseSafetensors(bytes, "motifs.safetensors (built in)");
  return { ...networkOf("motifs", file), config: { model: "motifs" } };
}

/**
 * Opens a network.
 *
 * @throws {UserError} when there is none in the files, or they do not make certain which it is.
 */
export async function openNetwork(choice: NetworkChoice): Promise<TabNetwork> {
  if (choice.kind === "builtin") return await builtIn();
  const { files, name, normalize, channelsOrder } = choice;
  const main = mainOf(files);
  const source = sourceOf(main);
  if (isIndex(source)) {
    throw new UserError(
      `${main.name}: the index of weights in several files, which only the command line reads; ` +
        "choose one that is whole",
    );
  }
  using opened = new DisposableStack();
  const weights = opened.use(readWeights(main.name, source, (location) => {
    const beside = files.find((file) => file.name === location.split("/").at(-1));
    if (beside) return sourceOf(beside);
    throw new UserError(
      `${main.name}: its weights are in "${location}"; choose that file together with it`,
    );
  }));
  const how = {
    normalisation: normalize ? parseNormalisation(normalize) : undefined,
    channelsOrder,
  };
  const told = {
    ...(normalize ? { normalize } : {}),
    ...(channelsOrder ? { "channels-order": channelsOrder } : {}),
  };
  const isNetwork = weights instanceof OnnxFile && !name;
  const network = isNetwork ? networkIn(weights, how) : networkOf(name || undefined, weights, how);
  opened.move();
  return {
    ...network,
    config: isNetwork
      ? { model: main.name, ...told }
      : { model: network.model.name, weights: main.name, ...told },
  };
}

/** What a page is told of a network. */
export function describeNetwork({ model, weights }: TabNetwork): Opened {
  const { inputSize, normalisation } = model;
  const trace = traceModel(model, [1, channelsOf(normalisation), inputSize, inputSize], weights);
  const [, classes = 0, height = 0, width = 0] = trace.output?.shape ?? [];
  return {
    kind: "opened",
    name: model.name,
    weights: weights.name,
    parameters: weights.names.reduce(
      (sum, key) => sum + weights.shape(key).reduce((a, b) => a * b, 1),
      0,
    ),
    inputSize,
    sizes: Object.fromEntries(
      Object.entries(PRESETS).map(([name, preset]) => [name, usualSide(preset, inputSize)]),
    ),
    lastMap: model.lastMap,
    classes: height * width === 1 ? classes : undefined,
    layers: [...trace.modules].filter(([path]) => path !== "").map(([name, { type, output }]) => ({
      name,
      type,
      shape: output?.shape.slice(1),
    })),
    stopped: trace.stopped,
  };
}
