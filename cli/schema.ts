/** `schema`: what a config file may hold, for editors that complete and check it. */
import { type JsonSchema, optionName, PARAMETERS } from "../vis/parameters.ts";
import { RUN_FORMAT, RUN_STATUSES } from "../vis/report/manifest.ts";
import { optionsInAFile } from "./shared/config.ts";
import type { Command, OptionSpec } from "./shared/options.ts";
import { print } from "./shared/progress.ts";
import { visualizeCommand } from "./visualize.ts";

/** Every parameter by its name for people. */
function parameterSchemas(): JsonSchema {
  return Object.fromEntries(
    Object.entries(PARAMETERS).map(([key, { schema, standard, unit, help }]) => [
      optionName(key),
      { description: unit ? `${help} (${unit})` : help, ...schema, default: standard },
    ]),
  );
}

function optionSchema({ type, multiple, help, schema }: OptionSpec): JsonSchema {
  const text = schema ?? { type: ["string", "number"] };
  if (type === "boolean") return { description: help, type: "boolean" };
  if (!multiple) return { description: help, ...text };
  return { description: help, anyOf: [text, { type: "array", items: text }] };
}

/**
 * The JSON schema (draft 7, which editors know best) of what `visualize` reads as a config: options,
 * parameters and octaves, or only the octaves, or the manifest of a run.
 */
export function configSchema(): JsonSchema {
  const options = Object.fromEntries(
    Object.entries(optionsInAFile(visualizeCommand)).map((
      [name, spec],
    ) => [name, optionSchema(spec)]),
  );
  const ref = (name: string) => ({ $ref: `#/definitions/${name}` });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A config or a manifest of mindseye visualize",
    if: { type: "array" },
    then: ref("octaves"),
    else: {
      if: { type: "object", required: ["format"] },
      then: ref("manifest"),
      else: ref("config"),
    },
    definitions: {
      parameters: {
        description: "Parameters of the method",
        type: "object",
        properties: parameterSchemas(),
        additionalProperties: false,
      },
      octaves: {
        description:
          "Octaves: each goes on from the pictures of the last, and says what it changes",
        type: "array",
        minItems: 1,
        items: ref("parameters"),
      },
      config: {
        type: "object",
        properties: {
          $schema: { description: "Where this schema is", type: "string" },
          images: { description: "The folder of images", type: "string" },
          ...options,
          parameters: { description: "Parameters for all octaves", allOf: [ref("parameters")] },
          octaves: ref("octaves"),
        },
        additionalProperties: false,
      },
      manifest: {
        description: "A run: its config, and what came of it, which is not read",
        type: "object",
        properties: {
          format: {
            description: "The form of the manifest",
            type: "integer",
            minimum: 0,
            maximum: RUN_FORMAT,
          },
          status: { description: "How far the run is", enum: RUN_STATUSES },
          config: ref("config"),
        },
        required: ["format", "config"],
      },
    },
  };
}

/** The command. */
export const schemaCommand: Command = {
  summary: "Print the JSON schema of config files, for editors.",
  permissions: "",
  usage: "",
  positionals: [],
  options: {},
  notes: `Example:
  mindseye schema > mindseye.schema.json

A config that says "$schema": "mindseye.schema.json" is then completed and checked while it is typed.`,
  // deno-lint-ignore require-await
  async run() {
    print(JSON.stringify(configSchema(), null, 2));
  },
};
