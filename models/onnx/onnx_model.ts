/** A network in an ONNX file as a model: how it wants its pictures, and which layer is its last map. */
import { UserError } from "../../base/errors.ts";
import type { OnnxFile } from "../formats/onnx/onnx_file.ts";
import type { Model } from "../model.ts";
import { BYTES, HALF, IMAGENET, type Normalisation, UNIT } from "../normalisation.ts";
import { traceModel } from "../trace.ts";
import type { NamedNode } from "./graph.ts";
import { OnnxNetwork } from "./onnx_network.ts";

/** Side of the pictures where a file leaves it open, in pixels. */
const USUAL_SIZE = 224;

/** Families whose authors trained them with pixels from −1 to 1, by how their layers are called. */
const HALVED = /(^|\/)(MobilenetV[123]|InceptionV[34]|InceptionResnetV2|Xception|NASNet)/i;

/**
 * The network of an ONNX file. Nothing is computed.
 *
 * @throws {UserError} If its graph is broken, or it takes no pictures of one or three channels.
 */
export function onnxModel(file: OnnxFile): Model {
  const root = new OnnxNetwork(file);
  const { graph, channelsLast } = root;
  const dims = graph.picture.dims ?? [];
  const [channelAxis, rowAxis] = channelsLast ? [3, 1] : [1, 2];
  const channels = channelsOf(root, dims[channelAxis]);
  if (channels !== 3 && channels !== 1) {
    throw new UserError(
      `${file.name}: its input "${graph.picture.name}" has ${channels} channels; pictures have 3 or 1`,
    );
  }
  const sides = [dims[rowAxis], dims[rowAxis + 1]].filter((side): side is number =>
    typeof side === "number" && side > 0
  );
  const inputSize = sides.length > 0 ? Math.max(...sides) : USUAL_SIZE;
  const normalisation = normalisationOf(root);
  const model: Model = {
    name: file.name,
    root,
    normalisation: channels === 1 ? { ...normalisation, channels } : normalisation,
    inputSize,
    minSize: 1,
    lastMap: "",
    options: {},
  };
  return { ...model, lastMap: lastMapOf(model, channels) };
}

/** Channels of the pictures: as the file says, or as the first convolution's weights do. */
function channelsOf(root: OnnxNetwork, said: number | string | undefined): number {
  if (typeof said === "number" && said > 0) return said;
  const { nodes, picture } = root.graph;
  const first = nodes.find(({ type, inputs }) => type === "Conv" && inputs[0] === picture.name);
  return (first && root.known(first.inputs[1]!)?.dims[1]) ?? 3;
}

/** The last layer that still is a map. */
function lastMapOf(model: Model, channels: number): string {
  const size = model.inputSize;
  const { modules } = traceModel(model, [1, channels, size, size]);
  const maps = [...modules].filter(([path, { type, output }]) =>
    path !== "" && type !== "Part" && output && output.shape[2] * output.shape[3] > 1
  );
  return maps.at(-1)?.[0] ?? [...modules.keys()].at(-1) ?? "";
}

/**
 * What the file says of its pictures. A graph that begins by subtracting and dividing does so itself:
 * from the size of its numbers one sees whether it expects pixels to 1 or to 255. Some families are
 * known by their names. Else it is what most networks were trained with.
 */
function normalisationOf(root: OnnxNetwork): Normalisation {
  const { nodes, picture } = root.graph;
  const users = (name: string) => nodes.filter(({ inputs }) => inputs.includes(name));
  const arithmetic = ["Sub", "Div", "Mul", "Add"];
  let name = picture.name;
  let largest: number | undefined;
  for (let steps = 0; steps < 6; steps++) {
    const [only, ...others] = users(name);
    if (!only || others.length > 0) break;
    if (arithmetic.includes(only.type)) largest = Math.max(largest ?? 0, numbersOf(root, only));
    else if (!["Transpose", "Cast", "Identity"].includes(only.type)) break;
    name = only.outputs[0]!;
  }
  if (largest !== undefined) return largest > 2 ? BYTES : UNIT;
  return nodes.some((node) => HALVED.test(node.name)) ? HALF : IMAGENET;
}

/** The largest number that an operator adds, subtracts, or divides by. */
function numbersOf(root: OnnxNetwork, { type, inputs }: NamedNode): number {
  const known = inputs.map((input) => root.known(input)).find((value) => value);
  if (!known || known.size > 3) return 0;
  const numbers = [...known.numbers].map(Math.abs);
  // Multiplying by 1/255 is dividing by 255.
  return type === "Mul"
    ? Math.max(...numbers.map((k) => k > 0 && k < 0.05 ? 1 / k : 0))
    : Math.max(...numbers);
}
