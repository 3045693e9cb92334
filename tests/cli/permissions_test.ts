/** Every command with exactly the permissions that its help names. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { drawPhotos } from "../draw_photos.ts";
import { encodeSafetensors } from "../../models/formats/safetensors.ts";
import { createModel } from "../../models/registry.ts";
import { mindseye, ROOT } from "./mindseye.ts";
import { inFolder } from "./run_files.ts";
import { ADDRESS, Watched } from "./watched.ts";

/** What a command's help names, with places filled in. */
async function permissionsOf(command: string, places: Record<string, string>): Promise<string[]> {
  const { out } = await mindseye([...command.split(" "), "--help"]);
  const named = /^Permissions: (.*)$/m.exec(out)?.[1];
  assert.ok(named, `${command} --help names none`);
  const also = places.serve === undefined ? "" : /^With --serve also: (.*)$/m.exec(out)?.[1];
  assert.ok(also !== undefined, `${command} --help names none for --serve`);
  return `${named} ${also}`.trim().split(" ").map((flag) =>
    flag.replace(/\b(OUT|RUN|CACHE|[\d.]+)\b/g, (name) => places[name] ?? name)
  );
}

Deno.test("commands run with exactly the permissions that their help names", async (t) => {
  await inFolder(async (folder) => {
    const images = join(folder, "drawings");
    await drawPhotos(images, { count: 8, size: 32 });
    const weights = join(folder, "motifs.safetensors");
    using known = await createModel("motifs").builtInWeights!();
    await Deno.writeFile(
      weights,
      encodeSafetensors(
        Object.fromEntries(known.names.map((name) => [name, {
          shape: known.shape(name),
          values: Float32Array.from(known.read(name)),
        }])),
      ),
    );
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response("no", { status: 404 }),
    );
    const url = `http://127.0.0.1:${server.addr.port}`;
    const motifs = ["--model", "motifs", "--layer", "features.12", "--size", "32"];
    const short = ["--iterations", "2", "--no-tune"];
    const run = join(folder, "run");
    const [plan, atlas] = [join(folder, "atlas.json"), join(folder, "atlas")];
    await Deno.writeTextFile(
      plan,
      JSON.stringify({
        folders: ["drawings"],
        networks: [{ model: "motifs", layers: ["features.12"] }],
        objectives: [{ facets: 2, embedding: "pca" }],
        presets: [{ preset: "soft", size: 32, parameters: { iterations: 2 } }],
      }),
    );
    // Those that go on from what others left come after them.
    const commands: readonly (readonly [name: string, args: string[], code?: number])[] = [
      ["presets", []],
      ["schema", []],
      ["models", []],
      ["layers", ["--model", "motifs"]],
      ["weights inspect", [weights]],
      ["weights convert", [weights, "--out", join(folder, "converted", "out.safetensors")]],
      // It is not there; that it may be asked for is what counts.
      ["weights fetch", ["squeezenet1_1", "--url", url], 1],
      ["activations", [images, ...motifs, "--out", join(folder, "numbers", "a.npy")]],
      ["facets", [images, ...motifs, "--facets", "2", "--out", join(folder, "facets")]],
      ["visualize", [images, ...motifs, "--facets", "2", ...short, "--out", run]],
      ["resume", [run]],
      ["rerun", [run, "--serve", "--out", join(folder, "again")]],
      ["compare", [run, join(folder, "again"), "--out", join(folder, "compared")]],
      ["demo", [...short, "--out", join(folder, "demo")]],
      ["atlas plan", [plan, "--out", atlas]],
      ["atlas run", [atlas, "--no-tune"]],
      ["atlas status", [atlas]],
      ["atlas gather", [atlas]],
      ["atlas sbatch", [atlas]],
      ["atlas k8s", [atlas, "--image", "a/b", "--claim", "photos"]],
      [
        "quality",
        [
          ...[images, "--net", `motifs:features.12:${weights}`, "--facets", "2", "--size", "32"],
          ...["--set", "iterations=2", "--out", join(folder, "quality")],
        ],
      ],
      ["doctor", []],
      ["tune", ["--model", "motifs", "--layer", "features.0", "--size", "32"]],
      ["bench", ["--quick", "--filter", "kernel relu"]],
    ];
    const env = { XDG_CACHE_HOME: join(folder, "cache"), MINDSEYE_WEIGHTS_URL: url };
    for (const [name, args, code = 0] of commands) {
      await t.step(name, async () => {
        const at = args.indexOf("--out");
        const out = at >= 0 ? args[at + 1]! : name === "atlas run" ? atlas : args.at(-1)!;
        const permissions = await permissionsOf(name, {
          OUT: ["weights convert", "activations"].includes(name) ? dirname(out) : out,
          CACHE: join(folder, "cache", "mindseye"),
          ...(args.includes("--serve") ? { serve: "" } : {}),
        });
        const flags = name !== "weights fetch"
          ? permissions
          : permissions.map((flag) =>
            flag.replace(/^(--allow-net)=.*/, `$1=127.0.0.1:${server.addr.port}`)
          );
        const outcome = await mindseye([...name.split(" "), ...args], env, flags);
        assert.equal(outcome.code, code, outcome.err);
        assert.doesNotMatch(outcome.err, /Requires/);
      });
    }
    for (const [name, args] of [["serve", [run]], ["web", ["--port", "0"]]] as const) {
      await t.step(name, async () => {
        const flags = await permissionsOf(name, { RUN: run });
        const serving = new Watched([name, ...args], env, flags);
        const response = await fetch(await serving.says(ADDRESS));
        assert.equal(response.status, 200);
        await response.body?.cancel();
        assert.equal(await serving.end("SIGINT"), 0);
      });
    }
  });
});

Deno.test("what is not allowed is said in a line", async () => {
  const { code, err } = await mindseye(["weights", "inspect", ROOT], {}, ["--allow-env"]);
  assert.equal(code, 1, err);
  assert.match(err, /^error: .*Requires read access/m);
  assert.doesNotMatch(err, /^\s+at /m);
});
