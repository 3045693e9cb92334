/** Disks that are full, become read-only or lose the run's folder: a clear line, and nothing is lost. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { decodePng } from "../../vis/photos/png.ts";
import { begin, mindseye, type Outcome, outcomeOf } from "./mindseye.ts";
import { exists, filesOf, inFolder, until } from "./run_files.ts";

/** A run of some seconds that writes half a megabyte. */
const RUN = [
  ...["visualize", "--model", "motifs", "--layer", "features.12", "--size", "64"],
  ...["--channels", "8,11", "--preset", "noise", "--iterations", "60", "--save-every", "10"],
];

/** A file system of its own in memory, where one may be made. */
class Tmpfs implements Disposable {
  readonly path = Deno.makeTempDirSync();

  constructor(options: string) {
    mount("-t", "tmpfs", "-o", options, "tmpfs", this.path);
  }

  [Symbol.dispose](): void {
    new Deno.Command("umount", { args: [this.path] }).outputSync();
    Deno.removeSync(this.path);
  }
}

function mount(...args: string[]): void {
  const { success, stderr } = new Deno.Command("mount", { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

const canMount = (() => {
  try {
    using _made = new Tmpfs("size=64k");
    return true;
  } catch {
    return false;
  }
})();
// deno-lint-ignore no-console
if (!canMount) console.warn("SKIPPED full and read-only disks: no tmpfs can be mounted here");

function assertClear({ code, err }: Outcome, said: RegExp): void {
  assert.equal(code, 1, err);
  assert.match(err, said);
  assert.doesNotMatch(err, /^\s+at /m);
}

/** That every file is whole, or not there under its name. */
async function assertWhole(folder: string): Promise<void> {
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    assert.doesNotMatch(name, /\.part$/);
    if (name.endsWith(".png")) await decodePng(await Deno.readFile(join(folder, name)));
    if (name.endsWith(".svg")) {
      assert.match(await Deno.readTextFile(join(folder, name)), /^<svg [^]*<\/svg>\n$/);
    }
    if (name.endsWith(".json")) JSON.parse(await Deno.readTextFile(join(folder, name)));
  }
}

Deno.test({ name: "a run on a bad disk goes on elsewhere", ignore: !canMount }, async (t) => {
  await inFolder(async (folder) => {
    const whole = join(folder, "whole");
    assert.equal((await mindseye([...RUN, "--out", whole])).code, 0);
    const expected = filesOf(whole);

    /** Takes it to a good disk. */
    const goOn = async (name: string, out: string) => {
      await assertWhole(out);
      const moved = join(folder, name);
      assert.ok((await new Deno.Command("cp", { args: ["-r", out, moved] }).output()).success);
      const { code, err } = await mindseye(["resume", moved]);
      assert.equal(code, 0, err);
      assert.deepEqual(filesOf(moved), expected);
    };

    for (const kilobytes of [60, 300]) {
      await t.step(`full at ${kilobytes} KB`, async () => {
        using disk = new Tmpfs(`size=${kilobytes}k`);
        const out = join(disk.path, "out");
        const run = await mindseye([...RUN, "--out", out]);
        assertClear(run, /^error: .* cannot be written: No space left on device/m);
        assert.match(run.err, /go on with: mindseye resume/);
        assertClear(await mindseye(["resume", out]), /No space left on device/);
        await goOn(`full-${kilobytes}`, out);
      });
    }

    await t.step("read-only from the start", async () => {
      using disk = new Tmpfs("size=1m,ro");
      assertClear(
        await mindseye([...RUN, "--out", join(disk.path, "out")]),
        /nothing can be written into the folder .*Read-only.*name another one/,
      );
    });

    await t.step("read-only in the middle", async () => {
      using disk = new Tmpfs("size=4m");
      const out = join(disk.path, "out");
      const child = begin([...RUN, "--out", out]);
      await until(() => exists(join(out, ".run", "state.safetensors")));
      // The disk itself cannot become so while a file is open; what is laid over it can.
      mount("--bind", disk.path, disk.path);
      try {
        mount("-o", "remount,bind,ro", disk.path);
        assertClear(await outcomeOf(child), /cannot be written: Read-only file system/);
      } finally {
        new Deno.Command("umount", { args: [disk.path] }).outputSync();
      }
      await goOn("read-only", out);
    });
  });
});

Deno.test("a folder that is removed while a run is at work in it is not made again", async () => {
  await inFolder(async (folder) => {
    const out = join(folder, "out");
    const child = begin([...RUN, "--out", out]);
    await until(() => exists(join(out, ".run", "state.safetensors")));
    Deno.removeSync(out, { recursive: true });
    assertClear(await outcomeOf(child), /out was removed or replaced while the run was at work/);
    assert.ok(!exists(out));
  });
});
