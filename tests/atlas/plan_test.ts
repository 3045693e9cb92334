/** What jobs a plan makes, and what they are estimated to cost. */
import assert from "node:assert/strict";
import { costOf, workOf } from "../../atlas/cost.ts";
import { configOf, digestOf, type Job, jobsOf, type Plan } from "../../atlas/plan.ts";

const PLAN: Plan = {
  format: 1,
  folders: [
    { name: "ants", path: "../ants", photos: 10, digest: "a" },
    { name: "bees", path: "../bees", photos: 9, limit: 9, digest: "b" },
  ],
  networks: [{
    name: "net",
    options: { model: "net", weights: "../net.safetensors" },
    digest: "n",
    layers: [{ name: "one", channels: 4, work: 100 }, { name: "two", channels: 10, work: 1000 }],
  }],
  objectives: [
    { photos: true, each: 8, options: { facets: 3 }, digest: "f" },
    { photos: false, each: 4, options: { channels: "all" }, digest: "c" },
    { photos: true, each: 8, options: { like: "../x.png" }, digest: "l" },
  ],
  presets: [{
    ...{ name: "soft", options: { preset: "soft" }, octaves: [{ iterations: 5 }], digest: "p" },
    ...{ seen: [32], prepared: "none", sights: 5 },
  }],
  options: { seed: 3 },
  shard: 5,
};

const grows = (jobs: readonly Job[]) => jobs.filter((job) => job.kind === "grow");

Deno.test("a plan makes a job of everything with everything", () => {
  const jobs = jobsOf(PLAN);
  const looks = jobs.filter((job) => job.kind === "look");
  // Parts of a folder are of as many photos each as will do.
  assert.deepEqual(looks.map(({ photos }) => photos), [[0, 5], [5, 10], [0, 4], [4, 9]]);
  assert.deepEqual(looks[0]!.layers, ["one", "two"]);
  // Facets of two folders in two layers; 4 and 10 channels in fours; a photo in two folders and layers.
  assert.equal(grows(jobs).length, 4 + (1 + 3) + 4);
  assert.deepEqual(
    grows(jobs).flatMap(({ channels, pictures }) => channels ? [[channels, pictures]] : []),
    [["0-3", 4], ["0-3", 4], ["4-7", 4], ["8-9", 2]],
  );
  const [facets] = grows(jobs);
  assert.deepEqual(facets!.needs, looks.slice(0, 2).map(({ name }) => name));
  assert.match(facets!.name, /^ants-net-one-facets_3-soft-[0-9a-f]{12}$/);
  assert.equal(grows(jobs).find(({ objective }) => objective === 2)!.needs, undefined);
  assert.deepEqual(configOf(PLAN, facets!, (path) => `/here/${path}`), {
    ...{ seed: 3, model: "net", weights: "/here/../net.safetensors", layer: "one", facets: 3 },
    ...{ preset: "soft", octaves: [{ iterations: 5 }], images: "/here/../ants" },
  });
});

Deno.test("a larger plan keeps the names of the smaller one's runs; what changes pictures changes them", () => {
  const names = (plan: Plan) => new Set(jobsOf(plan).map(({ name }) => name));
  const [before, folder] = [names(PLAN), PLAN.folders[0]!];
  const more = names({
    ...PLAN,
    folders: [...PLAN.folders, { ...folder, name: "c", digest: "c" }],
  });
  assert.ok([...before].every((name) => more.has(name)));
  const [preset, network] = [PLAN.presets[0]!, PLAN.networks[0]!];
  for (
    const change of [
      { presets: [{ ...preset, octaves: [{ iterations: 6 }] }] },
      { networks: [{ ...network, digest: "other weights" }] },
      { options: { seed: 4 } },
    ]
  ) {
    const after = names({ ...PLAN, ...change });
    const runs = grows(jobsOf(PLAN)).filter(({ name }) => after.has(name));
    assert.deepEqual(runs, [], JSON.stringify(change));
  }
  const [job] = grows(jobsOf({ ...PLAN, folders: [{ ...folder, digest: "other photos" }] }));
  assert.ok(!before.has(job!.name));
  assert.equal(digestOf({ a: 1, b: { c: 2, d: 3 } }), digestOf({ b: { d: 3, c: 2 }, a: 1 }));
});

Deno.test("what is left is estimated from what was measured, by how much there is to compute", () => {
  const jobs = jobsOf(PLAN);
  assert.equal(costOf(PLAN, jobs, new Map()).left, undefined);
  const look = jobs.find(({ kind }) => kind === "look")!;
  const [run] = grows(jobs);
  const second = 1e6; // of these units
  const outcomes = new Map([look, run!].map((job) => [job.name, {
    ...{ job: job.name, seconds: workOf(PLAN, job) / second, bytes: 100 },
  }]));
  const cost = costOf(PLAN, jobs, outcomes);
  assert.equal(cost.done, 2);
  const rest = jobs.filter(({ name }) => !outcomes.has(name));
  const expected = rest.reduce((sum, job) => sum + workOf(PLAN, job) / second, 0);
  assert.ok(Math.abs(cost.left!.seconds / expected - 1) < 1e-9);
  // 3 pictures left 100 bytes.
  const pictures = grows(rest).reduce((sum, { pictures }) => sum + pictures, 0);
  assert.ok(cost.left!.bytes > pictures * 100 / 3);
});
