/** `visualize` for wishes: what it leaves behind, and what it says when it cannot be done. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { planar } from "../../vis/drawings.ts";
import { drawClass } from "../../models/motifs/draw.ts";
import { encodePng } from "../../vis/photos/png.ts";
import { pictureToRgba } from "../../vis/photos/rgba.ts";

const ROOT = join(import.meta.dirname!, "..", "..");
const NET = ["--model", "motifs", "--layer", "features.20", "--size", "32", "-n", "3", "--no-tune"];

/** Runs the program. */
async function mindseye(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", join(ROOT, "cli/main.ts"), ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes some drawings as photos. */
async function draw(folder: string, count: number): Promise<string[]> {
  await Deno.mkdir(folder);
  const paths: string[] = [];
  for (const { name, pixels } of drawClass({ size: 32 }).slice(0, count)) {
    const rgba = pictureToRgba(planar(pixels, 32 * 32), 32, 32);
    paths.push(join(folder, `${name}.png`));
    await Deno.writeFile(paths.at(-1)!, await encodePng(rgba, 32, 32));
  }
  return paths;
}

/** What a folder's manifest says. */
const manifestOf = (folder: string) =>
  JSON.parse(Deno.readTextFileSync(join(folder, "manifest.json"))) as {
    pictures: { name: string; folder: string; photos: { image: string }[] }[];
    preset: string;
    init: string;
    wishes: Record<string, string>;
  };

Deno.test("channels and neurons need no photos, and leave their files", () =>
  withFolder(async (parent) => {
    for (
      const [option, value, folders] of [
        ["--channels", "8,11-12", ["channel_08", "channel_11", "channel_12"]],
        ["--neurons", "8@1,0,11", ["channel_08_at_01_00", "channel_11"]],
      ] as const
    ) {
      const out = join(parent, option);
      const { code, out: said, err } = await mindseye(
        "visualize",
        ...NET,
        option,
        value,
        "-o",
        out,
      );
      assert.equal(code, 0, err);
      assert.match(said, /^channel 8.*: activation .* → /m);
      for (const folder of folders) {
        assert.ok(existsSync(join(out, folder, "final.png")), folder);
        assert.ok(existsSync(join(out, folder, "progress.png")), folder);
      }
      assert.ok(existsSync(join(out, "overview.png")));
      assert.ok(
        Deno.readTextFileSync(join(out, "sheet.svg")).includes("<title>final: activation "),
      );
      const [head, ...rows] = Deno.readTextFileSync(join(out, "losses.csv")).trim().split("\n");
      assert.equal(head, "iteration,picture,loss,activation");
      assert.equal(rows.length, 3 * folders.length);
      const manifest = manifestOf(out);
      assert.equal(manifest.preset, "noise");
      assert.equal(manifest.init, "noise");
      assert.deepEqual(manifest.pictures.map(({ folder }) => folder), folders);
    }
  }));

Deno.test("with photos, pictures start from those that answer most; likeness begins with its photo", () =>
  withFolder(async (out) => {
    const photos = await draw(join(out, "photos"), 6);
    const run = await mindseye(
      ...["visualize", join(out, "photos"), ...NET, "--channels", "8", "--diverse", "2"],
      ...["-o", join(out, "a")],
    );
    assert.equal(run.code, 0, run.err);
    const { pictures, preset } = manifestOf(join(out, "a"));
    assert.equal(preset, "default");
    assert.deepEqual(pictures.map(({ name }) => name), ["channel 8, 1 of 2", "channel 8, 2 of 2"]);
    const [first, second] = pictures.map(({ photos }) => photos.map(({ image }) => image));
    assert.equal(first!.length, 3);
    assert.ok(first!.every((image) => !second!.includes(image)), "copies start from other photos");

    const accent = await mindseye(
      ...["visualize", ...NET, "--channels", "8,11", "--like", photos[0]!, "--tv", "0.1"],
      ...["--weigh", "like=0.5", "-o", join(out, "b")],
    );
    assert.equal(accent.code, 0, accent.err);
    const manifest = manifestOf(join(out, "b"));
    assert.equal(manifest.init, photos[0]);
    assert.equal(manifest.pictures.length, 2);
  }));

Deno.test("classes have names, directions come from a file", () =>
  withFolder(async (out) => {
    const names = join(out, "names.txt");
    Deno.writeTextFileSync(names, Array.from({ length: 20 }, (_, i) => `thing ${i}`).join("\n"));
    const args = ["--classes-file", names, "--classes", "thing 13,4", "-o", join(out, "a")];
    const classes = await mindseye("visualize", ...NET.slice(0, 2), ...NET.slice(4), ...args);
    assert.equal(classes.code, 0, classes.err);
    assert.match(classes.out, /^class 13 thing 13: logit .*\nclass 4 thing 4: logit/m);

    const vectors = join(out, "vectors.json");
    const vector = Array.from({ length: 112 }, (_, i) => i % 3 - 1);
    Deno.writeTextFileSync(vectors, JSON.stringify([vector, vector.map((v) => -v)]));
    const directions = await mindseye(
      ...["visualize", ...NET, "--directions", vectors, "--cosine-power", "2"],
      ...["-o", join(out, "b")],
    );
    assert.equal(directions.code, 0, directions.err);
    assert.deepEqual(manifestOf(join(out, "b")).pictures.length, 2);
  }));

Deno.test("all channels leave a picture each and one sheet of them", () =>
  withFolder(async (out) => {
    const few = [
      ...NET.slice(0, 2),
      "--layer",
      "features.2",
      "--size",
      "16",
      "-n",
      "1",
      "--no-tune",
    ];
    const { code, out: said, err } = await mindseye(
      ...["visualize", ...few, "--channels", "all", "--diverse", "2", "-o", out],
    );
    assert.equal(code, 0, err);
    assert.match(err, /16 of 48 pictures done/);
    assert.match(said, /and 36 more\n.*report.html/);
    assert.ok(existsSync(join(out, "overview.png")));
    const sheet = Deno.readTextFileSync(join(out, "sheet.svg"));
    assert.equal(sheet.match(/<image /g)!.length, 48);
    assert.ok(sheet.includes("<title>channel 23, 2 of 2</title>"));
    assert.equal([...Deno.readDirSync(out)].filter(({ isDirectory }) => isDirectory).length, 48);
  }));

Deno.test("what cannot be wished for is said in one line", () =>
  withFolder(async (folder) => {
    const bad = join(folder, "bad.json");
    Deno.writeTextFileSync(bad, "[[1, 2], [3]]");
    const short = ["--model", "motifs"];
    const cases: [args: string[], code: number, message: RegExp][] = [
      [[...NET, "--channels", "112"], 1, /0 to 111; there is no 112/],
      [[...NET, "--channels", "x"], 1, /expected such as 3,7,40-47 or all, got "x"/],
      [[...NET, "--tv", "1"], 1, /expected one of channels, neurons/],
      [[...NET, "--neurons", "3@99,0"], 1, /there is no place 99,0/],
      [[...NET, "--directions", bad], 1, /direction 1: expected 112 finite numbers.*, got 2/],
      [[...NET, "--classes", "99"], 1, /20 classes, 0 to 19; there is no class 99/],
      [[...NET, "--like", join(folder, "none.png")], 1, /cannot read the photo .*none.png/],
      [[...short, "--channels", "1"], 2, /--channels needs --layer; list the layers with/],
      [[...NET, "--channels", "1", "--facets", "2"], 2, /--facets is about facets/],
      [[...NET, "--channels", "1", "--weigh", "like=2"], 2, /expected one of channels, got "like"/],
      [[...NET, "--channels", "1", "--init", "mean"], 1, /only where there are photos/],
      [[...NET, "--channels", "1", "--set", "magnitude=images"], 1, /needs photos/],
      [[...NET, "--channels", "1", "-o", join(bad, "x")], 1, /nothing can be written into/],
    ];
    for (const [args, code, message] of cases) {
      const result = await mindseye(
        "visualize",
        ...args,
        ...(args.includes("-o") ? [] : ["-o", folder]),
      );
      assert.equal(result.code, code, `${args}: ${result.err}`);
      assert.match(result.err, message);
      const lines = result.err.trim().split("\n").filter((line) => !line.startsWith("llvmpipe"));
      assert.ok(lines.length <= 2 && !/ at .*\.ts:/.test(result.err), result.err);
    }
  }));
