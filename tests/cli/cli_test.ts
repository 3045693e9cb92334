import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { folderName } from "../../cli/shared/examine.ts";
import { encodePng } from "../../vis/photos/png.ts";
import { MODELS } from "../../models/registry.ts";
import { allowed, optionName, PARAMETER_NAMES, PARAMETERS } from "../../vis/parameters.ts";
import { PRESETS } from "../../vis/presets.ts";
import { mindseye, type Outcome, ROOT } from "./mindseye.ts";

/** A folder with some noise pictures in it, gone afterwards. */
async function withFolder(
  pictures: number,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (let i = 0; i < pictures; i++) {
      const rgba = Uint8ClampedArray.from(
        { length: 40 * 40 * 4 },
        (_, j) => j % 4 === 3 ? 255 : (j * (i + 3) * 37) % 251,
      );
      await Deno.writeFile(join(folder, `photo_${i}.png`), await encodePng(rgba, 40, 40));
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** One clear line on stderr, the exit code, and nothing on stdout. */
function assertRefused(outcome: Outcome, code: number, ...patterns: RegExp[]): void {
  assert.equal(outcome.code, code, outcome.err);
  assert.equal(outcome.out, "");
  // The adapter's name and progress may stand above it.
  const line = outcome.err.trimEnd().split("\n").at(-1)!;
  for (const pattern of patterns) assert.match(line, pattern);
  assert.doesNotMatch(outcome.err, /^\s+at /m, "a stack trace reached the user");
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

const NET = ["--model", "motifs", "--layer", "features.20", "--size", "64"];

Deno.test("wrong usage is one line on stderr and exit code 2", async (t) => {
  const cases: [string[], RegExp][] = [
    [["visualise"], /no command "visualise"; did you mean visualize/],
    [["visualize"], /missing IMAGES/],
    [["visualize", "x", "--layer", "l"], /missing --model/],
    [["visualize", "x", "--model", "motifs"], /missing --layer/],
    [["visualize", "x", "y", ...NET], /unexpected "y"/],
    [["visualize", "x", ...NET, "--facet", "3"], /no option --facet; did you mean --facets/],
    [["visualize", "x", ...NET, "--facets", "0"], /--facets: expected a whole number from 1/],
    [["visualize", "x", ...NET, "--facets", "two"], /--facets: .* got "two"/],
    [["visualize", "x", ...NET, "--octave", "start_lr"], /--octave: expected NAME=VALUE/],
    [["visualize", "x", ...NET, "--embedding", "lle"], /--embedding: expected one of tsne, umap/],
    [["facets", "x", ...NET, "--perplexity", "1"], /--perplexity: .* from 2 to 1000, got "1"/],
    [["facets", "x", ...NET, "--embedding", "pca", "--perplexity", "9"], /embedding pca has none/],
    [["facets", "x", ...NET, "--facets", "many"], /--facets: .* or auto, got "many"/],
    [
      ["visualize", "x", ...NET, "--layer", "features.4", "--penalty", "features.0"],
      /--penalty goes with one --layer/,
    ],
    [["tune", "--layer", "features.0"], /missing --model/],
    [["tune", "--model", "motifs"], /missing --layer/],
    [["layers", "--model", "motifs", "--size", "big"], /--size: .* got "big"/],
  ];
  for (const [args, pattern] of cases) {
    await t.step(args.join(" "), async () => assertRefused(await mindseye(args), 2, pattern));
  }
});

/** The program's cache in another folder; Deno and the driver keep theirs where they are. */
function cacheIn(folder: string): Record<string, string> {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "", ".cache");
  return {
    XDG_CACHE_HOME: folder,
    LOCALAPPDATA: folder,
    DENO_DIR: Deno.env.get("DENO_DIR") ?? join(home, "deno"),
    MESA_SHADER_CACHE_DIR: Deno.env.get("MESA_SHADER_CACHE_DIR") ?? home,
  };
}

Deno.test("tune measures a network's convolutions, remembers them, and forgets", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const env = cacheIn(folder);
    const kept = () => [...Deno.readDirSync(join(folder, "mindseye"))].map(({ name }) => name);
    const net = ["--model", "motifs", "--layer", "features.0", "--size", "16", "--facets", "1"];
    const { code, out, err } = await mindseye(["tune", ...net], env);
    assert.equal(code, 0, err);
    const lines = out.trimEnd().split("\n");
    assert.match(lines[0]!, /^convolution +usual +ms +fastest +ms$/);
    assert.ok(lines.length >= 4, out);
    for (const line of lines.slice(1, -1)) {
      assert.match(line, /^1 × \d+→\d+ @\d+×\d+, .* \d+×\d+, \d+.* [\d.]+ .* [\d.]+$/);
    }
    assert.match(lines.at(-1)!, /^kept in .*mindseye.tuning-\w+\.json$/);
    assert.equal(kept().length, 1);
    assert.equal((await mindseye(["tune", "--clear"], env)).code, 0);
    assert.deepEqual(kept(), []);
    const nothing = await mindseye(["tune", "--clear"], env);
    assert.match(nothing.out, /^nothing to delete: .*tuning-\w+\.json\n$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("--no-tune leaves measurements alone", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const env = cacheIn(folder);
    // A file that says so when it is read.
    const tuned = await mindseye(["tune", "--clear"], env);
    const path = /nothing to delete: (.*)\n/.exec(tuned.out)![1]!;
    await Deno.mkdir(join(folder, "mindseye"));
    await Deno.writeTextFile(path, "damaged");
    await withFolder(2, async (photos) => {
      const args = ["visualize", photos, ...NET, "--facets", "1", "--iterations", "1"];
      const reads = await mindseye([...args, "--out", join(photos, "a")], env);
      assert.match(reads.err, /tuning-\w+\.json is damaged/);
      const leaves = await mindseye([...args, "--no-tune", "--out", join(photos, "b")], env);
      assert.equal(leaves.code, 0, leaves.err);
      assert.doesNotMatch(leaves.err, /tuning/);
      assert.equal(await Deno.readTextFile(path), "damaged");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("no command at all shows the commands on stderr", async () => {
  const { code, out, err } = await mindseye([]);
  assert.equal(code, 2);
  assert.equal(out, "");
  assert.match(err, /visualize .*\n.*facets .*\n.*activations .*\n.*demo/);
});

Deno.test("help goes to stdout and names every option", async () => {
  const { code, out } = await mindseye(["visualize", "--help"]);
  assert.equal(code, 0);
  for (const option of ["--model", "--weights", "--layer", "--penalty", "--facets", "--seed"]) {
    assert.ok(out.includes(option), option);
  }
});

Deno.test("what cannot be done is one line on stderr, exit code 1, and writes nothing", async (t) => {
  await withFolder(2, async (folder) => {
    const out = join(folder, "out");
    const text = join(folder, "notes.txt");
    await Deno.writeTextFile(text, "no weights");
    const empty = join(folder, "empty");
    await Deno.mkdir(empty);
    const broken = join(folder, "broken");
    await Deno.mkdir(broken);
    await Deno.writeTextFile(join(broken, "a.jpg"), "not a jpeg");
    const piped = join(folder, "piped");
    await Deno.mkdir(piped);
    const pipe = join(piped, "pipe.jpg");
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const cases: [string, string[], RegExp][] = [
      ["no such folder", [join(folder, "nowhere"), ...NET], /nowhere/],
      ["a file for a folder", [text, ...NET], /notes\.txt/],
      ["no images in it", [empty, ...NET], /no (images|photos)/],
      ["none readable", [broken, ...NET], /none of 1 photos could be read.*a\.jpg/],
      ["fewer images than facets", [folder, ...NET, "--facets", "5"], /2 images cannot make 5/],
      [
        "no such model",
        [folder, "--model", "resnet81", "--layer", "x"],
        /resnet81.*resnet18.*; list all with: models$/m,
      ],
      [
        "no such layer",
        [folder, ...NET.with(3, "feature.18")],
        /feature\.18.*features\.18.*; list all with: layers --model motifs$/m,
      ],
      ["no such penalty", [folder, ...NET, "--penalty", "foo"], /no module "foo"/],
      [
        "no weights",
        [folder, "--model", "resnet18", "--layer", "layer1"],
        /resnet18 needs weights.*--weights/,
      ],
      [
        "not safetensors",
        [folder, "--model", "resnet18", "--layer", "layer1", "--weights", text],
        /notes\.txt: of no known format; expected safetensors, a PyTorch checkpoint/,
      ],
      [
        "weights of another network",
        [folder, "--model", "resnet18", "--layer", "layer1", "--weights", motifs()],
        /only 0 of the 102 tensors of resnet18 are there; they are those of motifs/,
      ],
      [
        "weights that never end",
        [folder, ...NET, "--weights", "/dev/zero"],
        /zero: no regular file/,
      ],
      [
        "a pipe as weights",
        [folder, ...NET, "--weights", pipe],
        /\.jpg: no regular file but a pipe/,
      ],
      [
        "a pipe as config",
        [folder, ...NET, "--config", pipe],
        /--config .*: no regular file but a/,
      ],
      [
        "a pipe as start",
        [folder, ...NET, "--init", pipe],
        /--init: .*: no regular file but a pipe/,
      ],
      [
        "only a pipe",
        [piped, ...NET],
        /none of 1 photos could be read.*no regular file but a pipe/,
      ],
      ["no such preset", [folder, ...NET, "--preset", "best"], /no preset "best"; .*default/],
      ["no such parameter", [folder, ...NET, "--octave", "lr=1"], /no parameter "lr"; nearest: /],
      ["parameter out of range", [folder, ...NET, "--octave", "momentum=2"], /momentum: expected/],
      ["parameter no number", [folder, ...NET, "--octave", "start_lr=abc"], /start_lr: expected/],
    ];
    for (const [name, args, pattern] of cases) {
      await t.step(name, async () => {
        assertRefused(await mindseye(["visualize", ...args, "--out", out]), 1, pattern);
        assert.ok(!await exists(out), "something was written");
      });
    }
  });
});

Deno.test("results that cannot be written are told before anything is computed", async (t) => {
  await withFolder(3, async (folder) => {
    const taken = join(folder, "taken");
    await Deno.writeTextFile(taken, "");
    const cases: [string, string[]][] = [
      ["visualize", [folder, ...NET]],
      ["facets", [folder, ...NET]],
      ["quality", [folder, "--net", "motifs:features.20", "--size", "32"]],
      ["demo", []],
    ];
    for (const [command, args] of cases) {
      await t.step(command, async () => {
        const outcome = await mindseye([command, ...args, "--out", join(taken, "out")]);
        assertRefused(outcome, 1, /nothing can be written into the folder .*taken.out/);
        assert.equal(outcome.err.trimEnd().split("\n").length, 1, "the adapter was opened first");
      });
    }
  });
});

Deno.test("a folder given as a dot is called by its own name", () => {
  const here = Deno.cwd();
  assert.equal(folderName("."), basename(here));
  assert.equal(folderName("a/b/.."), "a");
  assert.equal(folderName("photos/ants/"), "ants");
  assert.equal(folderName("/"), "root");
});

function motifs(): string {
  return join(ROOT, "models", "motifs", "motifs.safetensors");
}

Deno.test("without an adapter the error says what to install", async () => {
  await withFolder(2, async (folder) => {
    // A kind of driver this system does not have: no adapter answers.
    const nowhere = { DENO_WEBGPU_BACKEND: Deno.build.os === "windows" ? "metal" : "dx12" };
    const out = join(folder, "out");
    const run = ["visualize", folder, ...NET, "--facets", "2", "--out", out];
    assertRefused(await mindseye(run, nowhere), 1, /no WebGPU adapter.*mesa-vulkan-drivers/);
    assert.ok(!await exists(out));
    const doctor = await mindseye(["doctor"], nowhere);
    assert.equal(doctor.code, 1);
    assert.match(doctor.err, /mesa-vulkan-drivers/);
  });
});

Deno.test("an unreadable image is skipped, counted and named, and the run leaves all its files", async () => {
  await withFolder(4, async (folder) => {
    await Deno.writeTextFile(join(folder, "broken.jpg"), "not a jpeg");
    const out = join(folder, "out");
    const args = ["visualize", folder, ...NET, "--facets", "2", "--iterations", "12"];
    const run = await mindseye([...args, "--save-every", "5", "--seed", "3", "--out", out]);
    assert.equal(run.code, 0, run.err);
    assert.match(run.err, /skipped broken\.jpg: /);
    assert.match(run.err, /1 of 5 skipped/);
    assert.match(run.out, /facet 2 .*own channels/);
    for (const file of ["facets.svg", "overview.png", "sheet.svg", "losses.csv"]) {
      assert.ok(await exists(join(out, file)), file);
    }
    for (const facet of ["facet_01", "facet_02"]) {
      for (
        const file of ["iteration_0005.png", "iteration_0010.png", "final.png", "progress.png"]
      ) {
        assert.ok(await exists(join(out, facet, file)), `${facet}/${file}`);
      }
    }
    const csv = (await Deno.readTextFile(join(out, "losses.csv"))).trimEnd().split("\n");
    assert.equal(csv.length, 1 + 12 * 2);
    assert.ok(csv.slice(1).every((row) => row.split(",").every((v) => Number.isFinite(Number(v)))));
    const manifest = JSON.parse(await Deno.readTextFile(join(out, "manifest.json")));
    assert.match(manifest.command, /^mindseye visualize .*--seed 3/);
    assert.equal(manifest.seed, 3);
    assert.equal(manifest.octaves.length, 1);
    assert.equal(manifest.octaves[0].start_lr, 0.034);
    assert.equal(manifest.facets.length, 2);
    assert.equal(manifest.facets[0].channels.length, 50);
    assert.equal(manifest.skipped[0].file, "broken.jpg");
    assert.ok(manifest.adapter.name && manifest.versions.deno && manifest.version);

    // The same seed gives the same bytes.
    const again = join(folder, "again");
    assert.equal((await mindseye([...args, "--seed", "3", "--out", again])).code, 0);
    const final = (run: string) => Deno.readFile(join(run, "facet_01", "final.png"));
    assert.deepEqual(await final(again), await final(out));
  });
});

Deno.test("facets analyses each layer by itself, and a run afterwards knows the activations", async () => {
  await withFolder(12, async (folder) => {
    const out = join(folder, "out");
    const layers = ["--layer", "features.4"];
    const first = await mindseye(["facets", folder, ...NET, ...layers, "--out", out]);
    assert.equal(first.code, 0, first.err);
    for (const layer of ["features.20", "features.4"]) {
      for (const file of ["facets.svg", "contact.svg", "facets.json"]) {
        assert.ok(await exists(join(out, layer, file)), `${layer}/${file}`);
      }
      const json = JSON.parse(await Deno.readTextFile(join(out, layer, "facets.json")));
      assert.equal(json.layer, layer);
      assert.equal(json.images.length, 12);
      assert.ok(json.facets.every((facet: { chosen: unknown[] }) => facet.chosen.length > 0));
      const { structure, stability, silhouette, candidates, verdict } = json.facet_structure;
      assert.ok(["clear", "weak", "none"].includes(structure));
      assert.ok(stability > -1 && stability <= 1 && silhouette <= 1);
      assert.deepEqual(candidates.map((c: { facets: number }) => c.facets), [2, 3]);
      assert.ok(first.out.includes(verdict));
    }
    assert.match(first.out, /stability: five seeds agree to/);

    const run = ["visualize", folder, ...NET, ...layers, "--facets", "auto", "--iterations", "10"];
    const second = await mindseye([...run, "--embedding", "none", "--out", out]);
    assert.equal(second.code, 0, second.err);
    assert.match(second.err, /12\/12 .*12 known/);
    for (const layer of ["features.20", "features.4"]) {
      assert.ok(await exists(join(out, layer, "facet_02", "final.png")), layer);
      const json = JSON.parse(await Deno.readTextFile(join(out, layer, "manifest.json")));
      assert.equal(json.layer, layer);
      assert.equal(json.embedding.embedding, "none");
      assert.ok(second.out.includes(json.facet_structure.verdict));
    }
  });
});

Deno.test("a config file sets options, parameters and octaves; the command line goes before", async () => {
  await withFolder(4, async (folder) => {
    const config = join(folder, "run.json");
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        ...{
          model: "motifs",
          layer: "features.20",
          size: 64,
          facets: 2,
          seed: 7,
          optimizer: "adam",
        },
        parameters: { channels: 9, start_lr: 0.02 },
        octaves: [{ size: 32, iter_n: 6 }, { iter_n: 5, gradient_bands: [0, 2], start_lr: 0.01 }],
      }),
    );
    const out = join(folder, "out");
    const init = ["--init", join(folder, "photo_1.png")];
    const args = ["visualize", folder, "--config", config, "--seed", "3", ...init, "--out", out];
    const run = await mindseye([...args, "--set", "channels=8", "--distance", "huber"]);
    assert.equal(run.code, 0, run.err);
    assert.match(run.err, /octave 1 of 2, 32 px compiled/);
    const manifest = JSON.parse(await Deno.readTextFile(join(out, "manifest.json")));
    assert.equal(manifest.seed, 3);
    assert.equal(manifest.init, init[1]);
    const of = (name: string) =>
      manifest.octaves.map((octave: Record<string, unknown>) => octave[name]);
    assert.deepEqual(of("channels"), [8, 8]);
    assert.deepEqual(of("distance"), ["huber", "huber"]);
    assert.deepEqual(of("optimizer"), ["adam", "adam"]);
    assert.deepEqual(of("iterations"), [6, 5]);
    assert.deepEqual(of("size"), [32, 0]);
    assert.deepEqual(of("start_lr"), [0.02, 0.01]);
    assert.deepEqual(of("gradient_bands"), [[0, 1, 2, 4], [0, 2]]);
    const csv = (await Deno.readTextFile(join(out, "losses.csv"))).trimEnd().split("\n");
    assert.equal(csv.length, 1 + 11 * 2);
    const side = (await Deno.readFile(join(out, "facet_01", "final.png"))).subarray(16, 20);
    assert.deepEqual([...side], [0, 0, 0, 64]);

    // Octaves on the command line take the place of the file's.
    const again = join(folder, "again");
    const typed = ["--octave", "iterations=4", "--octave", "iterations=3,size=48"];
    const second = await mindseye([...args.with(-1, again), ...typed, "--init", "noise"]);
    assert.equal(second.code, 0, second.err);
    const { octaves, init: start } = JSON.parse(
      await Deno.readTextFile(join(again, "manifest.json")),
    );
    assert.deepEqual(octaves.map((o: { iterations: number }) => o.iterations), [4, 3]);
    assert.deepEqual(octaves.map((o: { channels: number }) => o.channels), [9, 9]);
    assert.equal(start, "noise");
  });
});

Deno.test("what a config file has wrong is told with its name, and nothing is written", async (t) => {
  await withFolder(2, async (folder) => {
    const out = join(folder, "out");
    const cases: [string, RegExp][] = [
      ["{", /bad\.json is no JSON/],
      ["3", /bad\.json: expected \{"octaves"/],
      ["[]", /"octaves": expected a list of at least one/],
      ['{"octaves": {}}', /"octaves": expected a list of at least one/],
      ["[1]", /octave 1: expected \{"NAME": VALUE/],
      ['{"parameters": [1]}', /"parameters": expected/],
      ['{"start_lr": 1}', /no "start_lr"; nearest: .*belong into "parameters" or "octaves"/],
      ['{"config": "x"}', /no "config"/],
      ['{"facets": [3]}', /"facets": expected text or a number, got \[3\]/],
      ['{"layer": [[]]}', /"layer": expected text or a list of texts/],
      ['{"octaves": [{"start_lr": "fast"}]}', /start_lr: expected a number from 0 to/],
      ['[{}, {"start_lr": -1}]', /octave 2: start_lr: expected/],
      ['[{"size": 12}]', /12/],
    ];
    for (const [text, pattern] of cases) {
      await t.step(text, async () => {
        const config = join(folder, "bad.json");
        await Deno.writeTextFile(config, text);
        const args = ["visualize", folder, ...NET, "--facets", "2", "--config", config];
        assertRefused(await mindseye([...args, "--out", out]), 1, pattern);
        assert.ok(!await exists(out), "something was written");
      });
    }
    await t.step("no such file", async () => {
      const args = ["visualize", folder, ...NET, "--config", join(folder, "none.json")];
      assertRefused(await mindseye(args), 1, /cannot read --config .*none\.json/);
    });
    await t.step("no such start", async () => {
      const args = ["visualize", folder, ...NET, "--facets", "2", "--init", "nois"];
      assertRefused(
        await mindseye([...args, "--out", out]),
        1,
        /--init: expected mean, noise or a/,
      );
      assert.ok(!await exists(out), "something was written");
    });
  });
});

Deno.test("layers lists every network, and every module with type and shape", async () => {
  const all = await mindseye(["layers"]);
  for (const model of Object.keys(MODELS)) assert.ok(all.out.includes(model), model);
  const { code, out } = await mindseye(["layers", "--model", "resnet18", "--size", "64"]);
  assert.equal(code, 0);
  assert.match(out, /^layer3\.0\.downsample\.0 +Conv2d +256×4×4$/m);
  assert.match(out, /^fc +Linear +1000×1×1$/m);
});

Deno.test("doctor names the adapter and tests it", async () => {
  const { code, out } = await mindseye(["doctor"]);
  assert.equal(code, 0);
  assert.match(out, /adapter +\S+/);
  assert.match(out, /self-test +passed/);
});

Deno.test("presets and the help list every parameter with range and unit", async () => {
  const { out } = await mindseye(["presets"]);
  const { out: help } = await mindseye(["visualize", "--help"]);
  const header = ["parameter", ...Object.keys(PRESETS), "may be"].join(" +");
  assert.match(out, new RegExp(`^${header}$`, "m"));
  assert.match(
    out,
    /^start_lr +0\.034 +0\.034 +0\.5 \* +0\.5 \* +0\.068 \* +0\.034 .*a number from 0 to /m,
  );
  assert.match(out, /^mask_radius .*share of the side/m);
  for (const key of PARAMETER_NAMES) {
    const name = new RegExp(`^ *${optionName(key)} `, "m");
    assert.match(out, name);
    assert.match(help, name);
    assert.ok(help.includes(PARAMETERS[key].help) && help.includes(allowed(key)), key);
  }
});

Deno.test("names of files are no orders to the terminal", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "clear\x1b[2J.jpg"), "no picture");
    const { code, err } = await mindseye([
      ...["facets", folder, "--model", "motifs", "--layer", "features.12", "--size", "32"],
      ...["--out", join(folder, "out")],
    ]);
    assert.equal(code, 1, err);
    assert.match(err, /clear\\x1b\[2J\.jpg/);
    assert.ok(!err.includes("\x1b"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("--json tells events on stdout, --quiet leaves results and errors", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const wish = ["--model", "motifs", "--layer", "features.12", "--channels", "3", "--size", "32"];
    const short = ["--iterations", "2", "--no-tune", "--out"];
    const told = await mindseye(["visualize", ...wish, ...short, join(folder, "a"), "--json"]);
    assert.equal(told.code, 0, told.err);
    const events = told.out.trim().split("\n").map((line) => JSON.parse(line));
    const kinds = events.map(({ kind }) => kind).filter((kind) => kind !== "stage");
    assert.deepEqual([kinds[0], kinds[1], kinds.at(-1)], ["events", "started", "finished"]);
    assert.equal(events[0].format, 1);
    for (const kind of ["ready", "pictures", "iterations"]) assert.ok(kinds.includes(kind), kind);
    const iterations = events.filter(({ kind }) => kind === "iterations")
      .flatMap(({ results }) => results.map((each: { iteration: number }) => each.iteration));
    assert.deepEqual(iterations, [1, 2]);
    assert.match(told.err, /channel 3: activation/);
    const quiet = await mindseye(["visualize", ...wish, ...short, join(folder, "b"), "-q"]);
    assert.equal(quiet.err, "");
    assert.match(quiet.out, /^channel 3: activation .*\n.*report\.html/);
    const wrong = await mindseye(["layers", "--model", "nonesuch", "--quiet"]);
    assert.match(wrong.err, /no model "nonesuch"/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("bash completes commands, their second words and their options", async () => {
  const { out, code } = await mindseye(["completions", "bash"]);
  assert.equal(code, 0);
  const complete = (...words: string[]) => {
    const script = `${out}\nCOMP_WORDS=(mindseye ${words.map((word) => `'${word}'`).join(" ")})\n` +
      `COMP_CWORD=${words.length}\n_mindseye\nprintf '%s ' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = new Deno.Command("bash", { args: ["-c", script] }).outputSync();
    assert.equal(new TextDecoder().decode(stderr), "");
    return new TextDecoder().decode(stdout).trim();
  };
  assert.equal(complete("vis"), "visualize");
  assert.equal(complete("weights", ""), "fetch inspect convert");
  assert.equal(complete("weights", "fetch", "--u"), "--url");
  assert.equal(complete("visualize", "--model", "motifs", "--facet"), "--facets");
  assert.equal(complete("nonesuch", "--x"), "");
  assert.match(
    (await mindseye(["completions", "fish"])).out,
    /-l facets -s k -r -d 'Number of facets/,
  );
  const zsh = (await mindseye(["completions", "zsh"])).out;
  assert.match(zsh, /^#compdef mindseye\n/);
  assert.equal((await mindseye(["completions", "csh"])).code, 2);
});
