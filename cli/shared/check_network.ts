/** Whether a network is given its pictures as it wants them, seen by what it takes a photo for. */
import type { Gpu } from "../../kernels/runtime/device.ts";
import { BYTES, HALF, IMAGENET, type Normalisation, UNIT } from "../../models/normalisation.ts";
import { classify } from "../../vis/classifier.ts";
import { Network } from "../../vis/network.ts";
import { readPhoto } from "../../vis/photos/photos.ts";
import { classNamesOf } from "./class_names.ts";
import { openModelFor } from "./model.ts";
import { type Arguments, SIDES } from "./options.ts";
import { print } from "./progress.ts";

/** Classes that are listed. */
const LISTED = 5;

/** What one might have chosen. */
const CHOICES: Readonly<Record<string, Normalisation>> = {
  imagenet: IMAGENET,
  half: HALF,
  none: UNIT,
  bytes: BYTES,
};

/** A normalisation in words. */
export function describeNormalisation({ mean, std, order, channels }: Normalisation): string {
  const list = (values: readonly number[]) => {
    const texts = values.map((value) => String(Number(value.toPrecision(4))));
    return new Set(texts).size === 1 ? texts[0]! : texts.join(", ");
  };
  const colours = channels === 1
    ? "without colours"
    : order === "bgr"
    ? "blue, green, red"
    : "red, green, blue";
  return `${colours}, (pixel/255 − ${list(mean)}) / ${list(std)}`;
}

/** The classes a network is surest of. */
function surest(
  shares: Float32Array,
  names: readonly string[] | undefined,
  count: number,
): string[] {
  return [...shares.keys()].sort((a, b) => shares[b]! - shares[a]!).slice(0, count).map((index) => {
    const name = names?.[index];
    const share = (100 * shares[index]!).toFixed(1).padStart(5);
    return `${share} %  ${index}${name === undefined ? "" : ` ${name}`}`;
  });
}

/**
 * Prints how the network that the options name is given its pictures, and what it takes a photo for.
 *
 * @throws {UserError} when there is no such network or photo.
 */
export async function checkNetwork(gpu: Gpu, args: Arguments): Promise<void> {
  const wanted = args.integer("size", SIDES);
  const names = await classNamesOf(args.text("classes-file"));
  const { model, weights } = await openModelFor(args);
  using _ = weights;
  const size = wanted ?? model.inputSize;
  print("");
  print(`network      ${model.name}, weights ${weights.name}`);
  print(`pictures     ${size}×${size}, ${describeNormalisation(model.normalisation)}`);
  const path = args.text("image");
  if (path === undefined) {
    print("classes      give a photo whose classes you know with --image");
    return;
  }
  const { pixels } = await readPhoto(path, size);
  const shares = async (normalisation: Normalisation) => {
    const network = new Network({ ...model, normalisation }, weights);
    return (await classify(gpu, network, size, [pixels]))[0]!;
  };
  const own = await shares(model.normalisation);
  surest(own, names, LISTED).forEach((line, i) => {
    print(`${(i === 0 ? "classes" : "").padEnd(13)}${line}`);
  });
  const { channels } = model.normalisation;
  const orders = channels === 1 ? [undefined] : [undefined, "bgr"] as const;
  for (const [name, { mean, std }] of Object.entries(CHOICES)) {
    for (const order of orders) {
      const [first] = surest(await shares({ mean, std, order, channels }), names, 1);
      const choice = `with ${name}${order === "bgr" ? ", bgr" : ""}`;
      print(`${choice.padEnd(20)}${first}`);
    }
  }
}
