/** `weights convert`: any file of weights as safetensors. */
import { basename } from "node:path";
import { UserError } from "../../base/errors.ts";
import { writeSafetensors } from "../../models/formats/write_safetensors.ts";
import { openWeights } from "../../models/formats/open_weights.ts";
import { type Command, UsageError } from "../shared/options.ts";
import { say } from "../shared/progress.ts";

/** The command. */
export const weightsConvertCommand: Command = {
  summary: "Write any file of weights as safetensors, in float32.",
  permissions: "--allow-read --allow-write=OUT",
  usage: "FILE --out FILE.safetensors",
  positionals: ["FILE"],
  options: {
    out: { type: "string", short: "o", value: "FILE", help: "Where to; must not be there yet" },
  },
  // deno-lint-ignore require-await
  async run(args) {
    const [path] = args.positionals as [string];
    const out = args.text("out");
    if (out === undefined) throw new UsageError("weights convert: missing --out");
    using file = openWeights(path);
    try {
      Deno.lstatSync(out);
      throw new UserError(`${out} is there already; name a new file`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    writeSafetensors(out, file, { made_from: basename(path) });
    say(`${out}: ${file.names.length} tensors`);
  },
};
