/** `weights inspect`: what a file of weights holds, and which network it is of. */
import { openWeights } from "../../models/formats/open_weights.ts";
import type { WeightsFile } from "../../models/formats/weights.ts";
import { type Candidate, recognise, recognised } from "../../models/recognise.ts";
import type { Command } from "../shared/options.ts";
import { print } from "../shared/progress.ts";

/** Names that are listed where there may be hundreds. */
const LISTED = 5;

/** Some names, and how many more there are. */
function some(names: readonly string[]): string {
  const more = names.length - LISTED;
  return names.slice(0, LISTED).join(", ") + (more > 0 ? `, and ${more} more` : "");
}

/** What is to be said of a network that a file may be of. */
function* describe({ name, fit, exact }: Candidate): Generator<string> {
  const { fitting, total, missing, different, unexpected, classes, naming } = fit;
  const heads = classes === undefined ? "" : `, ${classes} classes`;
  const names = naming === undefined ? "" : `, ${naming}'s names`;
  const well = exact ? `all ${total} tensors` : `${fitting} of ${total} tensors fit`;
  yield `  ${name}: ${well}${heads}${names}`;
  if (missing.length > 0) yield `    missing: ${some(missing)}`;
  if (different.length > 0 && classes === undefined) yield `    other sizes: ${some(different)}`;
  if (unexpected.length > 0) yield `    in the file only: ${some(unexpected)}`;
}

/** Which network it is, as far as its tensors tell. */
function* network(file: WeightsFile): Generator<string> {
  const candidates = recognise(file);
  const certain = recognised(candidates);
  if (certain) {
    yield "network, without doubt:";
    yield* describe(certain);
  } else if (candidates.length === 0) {
    yield "network: none that is known by name";
  } else {
    yield "network: not certain; nearest are";
    for (const candidate of candidates.slice(0, 3)) yield* describe(candidate);
  }
}

/** The command. */
export const weightsInspectCommand: Command = {
  summary: "Say what a file of weights holds, and which network it is of.",
  permissions: "--allow-read",
  usage: "FILE",
  positionals: ["FILE"],
  options: {},
  notes:
    "FILE is safetensors (or the index of several), a checkpoint of PyTorch, or an ONNX network.\n" +
    "Every number is read, so that damage is found. Nothing in the file is executed.",
  // deno-lint-ignore require-await
  async run(args) {
    const [path] = args.positionals as [string];
    using file = openWeights(path);
    let numbers = 0;
    for (const name of file.names) numbers += file.read(name).length;
    const where = "key" in file && file.key ? `, under "${file.key}"` : "";
    const rows = file.names.map((name) =>
      [name, `[${file.shape(name)}]`, file.dtype(name)] as const
    );
    const width = (column: 0 | 1) => Math.max(0, ...rows.map((row) => row[column].length));
    const lines = [
      `${path}: ${rows.length} tensors, ${(numbers / 1e6).toFixed(2)} million numbers${where}`,
      ...network(file),
      "",
      ...rows.map(([name, shape, dtype]) =>
        `${name.padEnd(width(0))}  ${shape.padEnd(width(1))}  ${dtype}`
      ),
    ];
    print(lines.join("\n"));
  },
};
