/** What schedulers are given: a script for Slurm, a manifest for Kubernetes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Job } from "kubernetes-models/batch/v1/Job";
import { parseWanted } from "../../atlas/plan.ts";
import { readAtlas, writePlan } from "../../cli/atlas/atlas_folder.ts";
import { findPlan, PLAN_OPTIONS } from "../../cli/atlas/find_plan.ts";
import { k8sJob } from "../../cli/atlas/k8s.ts";
import { programWords } from "../../cli/atlas/program.ts";
import { sbatchScript } from "../../cli/atlas/sbatch.ts";
import { UsageError } from "../../cli/shared/options.ts";
import { mindseye } from "../cli/mindseye.ts";
import { exists, inFolder, until } from "../cli/run_files.ts";

const OPTIONS = {
  atlas: "/data/an atlas",
  image: "example.org/mindseye:1",
  claim: "photos",
  name: "atlas",
  limits: { "nvidia.com/gpu": "1", memory: "8Gi" },
  mount: "/data",
  pods: 3,
  program: ["mindseye"],
};

/** A worker that counts to two when it is told to end, and says how it was called. */
const WORKER = `#!/bin/sh
printf '%s|' "$@" >"$HERE/called"
trap 'echo ended >>"$HERE/told"; exit 143' TERM
touch "$HERE/ready"
i=0
while [ $i -lt \${BEATS:-100} ]; do sleep 0.1; i=$((i + 1)); done
`;

Deno.test("Kubernetes' own schema takes the manifest, and not one that is wrong", async () => {
  new Job(k8sJob(OPTIONS) as never).validate();
  const { spec, ...others } = k8sJob(OPTIONS);
  assert.throws(() =>
    new Job({ ...others, spec: { ...spec, completions: "many" } } as never).validate()
  );
  assert.throws(() => new Job({ ...others, spec: { completions: 3 } } as never).validate());
  const printed = await mindseye([
    ...["atlas", "k8s", "/data/atlas", "--image", "a/b", "--claim", "photos", "--limit", "cpu=2"],
  ]);
  assert.equal(printed.code, 0, printed.err);
  new Job(JSON.parse(printed.out)).validate();
});

Deno.test("a pod's command does the atlas", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "atlas.json");
    const wanted = {
      networks: [{ model: "motifs", layers: ["features.12"] }],
      objectives: [{ channels: "1" }],
      presets: [{ preset: "noise", size: 24, parameters: { iterations: 2 } }],
    };
    const out = join(folder, "out");
    writePlan(out, await findPlan(parseWanted(wanted, file, PLAN_OPTIONS), { file, out }));
    const job = k8sJob({ ...OPTIONS, atlas: out, program: programWords(undefined) });
    const [{ command: [program, ...args] }] = job.spec.template.spec.containers;
    const { code, stdout, stderr } = await new Deno.Command(program!, { args }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.match(new TextDecoder().decode(stdout), /1 of 1 jobs done/);
    assert.ok(exists(join(out, "runs", readAtlas(out).jobs[0]!.name, "overview.png")));
  });
});

Deno.test("an element of the array ends with its program, and is queued again when its time ends", async () => {
  await inFolder(async (folder) => {
    const [worker, script] = [join(folder, "my worker"), join(folder, "atlas.sh")];
    Deno.writeTextFileSync(worker, WORKER, { mode: 0o755 });
    const scontrol = `#!/bin/sh\necho "$@" >>"$HERE/requeued"\n`;
    Deno.writeTextFileSync(join(folder, "scontrol"), scontrol, { mode: 0o755 });
    const atlas = "/data/an atlas";
    const options = { atlas, elements: 8, time: "30", options: ["--gres=gpu:1"], patience: 9 };
    Deno.writeTextFileSync(script, sbatchScript({ ...options, program: [worker] }));
    const begin = (env: Record<string, string>) =>
      new Deno.Command("sh", {
        args: [script],
        env: {
          ...{ HERE: folder, PATH: `${folder}:${Deno.env.get("PATH")}`, ...env },
          ...{ SLURM_ARRAY_JOB_ID: "7", SLURM_ARRAY_TASK_ID: "3" },
        },
      }).spawn();
    const read = (name: string) => Deno.readTextFileSync(join(folder, name));

    assert.equal((await begin({ BEATS: "1" }).status).code, 0);
    assert.equal(read("called"), `atlas|run|${atlas}|--patience|9|`);
    assert.ok(!exists(join(folder, "requeued")));
    for (const [signal, again] of [["SIGTERM", false], ["SIGUSR1", true]] as const) {
      Deno.removeSync(join(folder, "ready"));
      const element = begin({});
      await until(() => exists(join(folder, "ready")));
      element.kill(signal);
      assert.equal((await element.status).code, 143, signal);
      assert.equal(exists(join(folder, "requeued")), again, signal);
    }
    assert.equal(read("told"), "ended\nended\n");
    assert.equal(read("requeued"), "requeue 7_3\n");
    assert.throws(
      () => sbatchScript({ ...options, options: ["x\ny"], program: ["x"] }),
      UsageError,
    );
  });
});
