/** `weights fetch`: torchvision's own weights, into the user's cache. */
import { fetchWeights, findOfficial } from "../../models/official/weights.ts";
import type { Command } from "../shared/options.ts";
import { Progress, say } from "../shared/progress.ts";

/** Names another place to fetch from. */
const PLACE = "MINDSEYE_WEIGHTS_URL";

/** The command. */
export const weightsFetchCommand: Command = {
  summary: "Fetch torchvision's own weights of a network.",
  permissions: "--allow-read --allow-write=CACHE --allow-net=download.pytorch.org",
  usage: "NAME[:WEIGHTS]... [--url URL]",
  positionals: ["NAME, a network such as resnet50"],
  more: true,
  options: {
    url: {
      type: "string",
      value: "URL",
      help: `A mirror: a folder of such files, or the file (default: $${PLACE}, torchvision's own)`,
    },
    force: { type: "boolean", help: "Fetch what is there already" },
  },
  notes:
    `Kept in the user's cache; from then on --weights is not needed for that network. What broke off
is gone on with. A file is kept only if its SHA-256 begins as its name says.`,
  async run(args) {
    const wanted = args.positionals.map(findOfficial);
    const from = args.text("url") ?? (Deno.env.get(PLACE) || undefined);
    for (const weights of wanted) {
      const progress = new Progress("fetching");
      const million = (bytes: number) => Number((bytes / 1e6).toFixed(1));
      const path = await fetchWeights(weights, {
        from,
        force: args.flag("force"),
        onProgress: (done, total) => {
          if (total) progress.update(million(done), million(total), `MB, ${weights.file}`);
        },
      });
      say(`${weights.network} ${weights.variant}: ${path}`);
    }
  },
};
