import assert from "node:assert/strict";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { configSchema } from "../../cli/schema.ts";
import { readConfig } from "../../cli/shared/config.ts";
import { describeOctaves } from "../../vis/presets.ts";
import { visualizeCommand } from "../../cli/visualize.ts";
import { optionName, PARAMETER_NAMES, PARAMETERS } from "../../vis/parameters.ts";
import { chooseOctaves, PRESETS } from "../../vis/presets.ts";
import { mindseye, ROOT } from "./mindseye.ts";

const PUBLISHED = join(ROOT, "docs", "config.schema.json");

function validator(): ValidateFunction {
  return new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(
    JSON.parse(Deno.readTextFileSync(PUBLISHED)),
  );
}

Deno.test("the published schema is that of the tables", () => {
  const made = JSON.stringify(configSchema(), null, 2) + "\n";
  assert.equal(
    Deno.readTextFileSync(PUBLISHED),
    made,
    "docs/config.schema.json is of other tables; run: deno task docs:schema",
  );
});

/** What the program makes of a config's text: what is wrong with it, if anything is. */
async function refusal(text: string): Promise<string | undefined> {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(path, text);
    const { options, parameters, octaves } = readConfig(path, visualizeCommand);
    chooseOctaves(options.preset as string | undefined, parameters, octaves);
  } catch (error) {
    return (error as Error).message;
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("the schema takes what the program takes", async (t) => {
  const validate = validator();
  const [, help] = /before:\n( +\{[\s\S]*?\]\})\n\n/.exec(visualizeCommand.notes!)!;
  const good: Record<string, unknown> = {
    "the example of the help": JSON.parse(help!),
    "nothing": {},
    "only octaves": [{ size: 112 }, { start_lr: 0.02, gradient_bands: [0, 2] }],
    "a place of the schema": { $schema: "docs/config.schema.json", facets: "auto" },
    "options as text": { facets: "3", size: "224", layer: ["features.7", "features.12"] },
    "wishes": { model: "vgg16", classes: 310, weigh: "like=0.5", "cosine-power": "2" },
    ...Object.fromEntries(
      Object.entries(PRESETS).flatMap(([name, preset]) => [
        [`preset ${name}`, { preset: name }],
        [`preset ${name}, written out`, { octaves: describeOctaves([preset]) }],
      ]),
    ),
  };
  for (const [name, config] of Object.entries(good)) {
    await t.step(name, async () => {
      assert.ok(validate(config), JSON.stringify(validate.errors));
      assert.equal(await refusal(JSON.stringify(config)), undefined);
    });
  }
});

Deno.test("the schema refuses what the program refuses", async (t) => {
  const validate = validator();
  const bad: unknown[] = [
    ...[3, "x", [], [1], { octaves: {} }, { octaves: [] }, { parameters: [1] }, { images: 3 }],
    ...[{ facet: 3 }, { facets: [3] }, { layer: [[]] }, { config: "x" }, { force: true }],
    { start_lr: 0.1 },
    { parameters: { start_lrs: 0.1 } },
    { parameters: { start_lr: -1 } },
    { parameters: { channels: 2.5 } },
    { parameters: { distance: "far" } },
    { parameters: { view_side: [0.5] } },
    { octaves: [{}, { gradient_bands: [0, 11] }] },
    { preset: "papers" },
    { format: 1, status: "finished" },
    { format: 2, config: {} },
    { format: 1, status: "done", config: {} },
    { format: 1, config: { facet: 3 } },
  ];
  for (const config of bad) {
    await t.step(JSON.stringify(config), async () => {
      assert.equal(validate(config), false);
      assert.notEqual(await refusal(JSON.stringify(config)), undefined);
    });
  }
});

Deno.test("the schema and the table agree on every parameter", () => {
  const validate = validator();
  const order = /smaller one first/; // no schema can say that
  for (const key of PARAMETER_NAMES) {
    const { schema, standard, accepts, allowed } = PARAMETERS[key];
    const { minimum, maximum, enum: choices } = (schema.items ?? schema) as Record<string, unknown>;
    const ends = [minimum, maximum].filter((end) => typeof end === "number");
    const numbers = [...ends, ...ends.flatMap((end) => [end - 1, end + 1, end + 0.5]), 0.25];
    const probes: unknown[] = [
      ...[standard, true, null, {}, []],
      ...numbers,
      ...numbers.flatMap((
        value,
      ) => [[value], [value, value], Array(8).fill(value), Array(9).fill(0)]),
      ...(choices as unknown[] | undefined ?? []),
    ];
    for (const probe of probes) {
      const config = { parameters: { [optionName(key)]: probe } };
      assert.equal(validate(config), accepts(probe), `${optionName(key)} ${JSON.stringify(probe)}`);
    }
    assert.ok(probes.some((probe) => accepts(probe)) && probes.some((probe) => !accepts(probe)));
    if (order.test(allowed)) assert.ok(!accepts([maximum, minimum]));
  }
});

Deno.test("a run's manifest fits the schema, and a config that names its schema runs", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const out = join(folder, "out"), config = join(folder, "config.json");
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        ...{ $schema: PUBLISHED, model: "motifs", layer: "features.20", channels: 8, size: 32 },
        ...{ seed: 1, out, parameters: { iterations: 2 } },
      }),
    );
    const { code, err } = await mindseye(["visualize", "--config", config]);
    assert.equal(code, 0, err);
    const text = await Deno.readTextFile(join(out, "manifest.json"));
    const manifest: Record<string, Record<string, unknown>> = JSON.parse(text);
    const validate: (value: unknown) => boolean = validator();
    assert.ok(validate(manifest), text);
    assert.ok(!validate({ ...manifest, config: { ...manifest.config, siz: 32 } }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
