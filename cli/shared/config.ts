/** `--config FILE`: a run's options, parameters and octaves as JSON. */
import { UserError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { unfitToRead } from "../../base/regular_file.ts";
import { isObject, parseManifest } from "../../vis/report/manifest.ts";
import { Arguments, type Command, type OptionSpec, UsageError } from "./options.ts";

/** Parameters by name, as text or as values. */
export type Changes = Readonly<Record<string, unknown>>;

/** What a config file holds. */
export interface Config {
  /** The folder of images, where the command line names none. */
  readonly images?: string | undefined;
  /** Options of the command by their long names; the command line's go before. */
  readonly options: Readonly<Record<string, string | boolean | string[]>>;
  /** Parameters for all octaves. */
  readonly parameters: Changes;
  /** Parameters for each octave. */
  readonly octaves: readonly Changes[];
}

/** A config file of more bytes is none. */
const MOST_BYTES = 2 ** 24;

const EMPTY: Config = { options: {}, parameters: {}, octaves: [] };

/**
 * Reads a config file: `{"preset": "paper", "facets": 5, "parameters": {"channels": 20},
 * "octaves": [{"size": 112}, {"start_lr": 0.02}]}`, or just the list of octaves, or the manifest of a
 * run. What `$schema` names is for editors.
 *
 * @param command whose options it may hold
 * @throws {UserError} naming the file and what is wrong with it.
 */
export function readConfig(path: string | undefined, command: Command): Config {
  if (path === undefined) return EMPTY;
  let text: string;
  try {
    const unfit = unfitToRead(path, MOST_BYTES);
    if (unfit) throw new Error(unfit);
    text = Deno.readTextFileSync(path);
  } catch (error) {
    throw new UserError(`cannot read --config ${path}: ${(error as Error).message}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} is no JSON: ${(error as Error).message}`);
  }
  if (isObject(json) && "format" in json) {
    json = parseManifest(text, path).config;
    if (!isObject(json)) throw new UserError(`${path} is of a run that no config makes again`);
  }
  return parseConfig(json, path, command);
}

/**
 * Reads what a config file holds.
 *
 * @param path what to call it in messages
 * @param command whose options it may hold
 * @throws {UserError} naming the path and what is wrong.
 */
export function parseConfig(json: unknown, path: string, command: Command): Config {
  const wrong = (message: string) => new UserError(`${path}: ${message}`);
  const changesOf = (value: unknown, what: string): Changes => {
    if (!isObject(value)) throw wrong(`${what}: expected {"NAME": VALUE, …}`);
    return value;
  };
  const octavesOf = (value: unknown): Changes[] => {
    if (!Array.isArray(value) || value.length === 0) {
      throw wrong(`"octaves": expected a list of at least one {"NAME": VALUE, …}`);
    }
    return value.map((octave, i) => changesOf(octave, `octave ${i + 1}`));
  };
  if (Array.isArray(json)) return { ...EMPTY, octaves: octavesOf(json) };
  if (!isObject(json)) throw wrong(`expected {"octaves": [{"NAME": VALUE, …}, …], …}`);

  const options: Record<string, string | boolean | string[]> = {};
  for (const [name, value] of Object.entries(json)) {
    if (["$schema", "parameters", "octaves", "images"].includes(name)) continue;
    const spec = optionsInAFile(command)[name];
    if (!spec) {
      const known = ["images", "parameters", "octaves", ...Object.keys(optionsInAFile(command))];
      throw wrong(
        `there is no "${name}"; nearest: ${
          nearest(name, known, 2).join(", ")
        }; parameters of the ` +
          `method belong into "parameters" or "octaves"`,
      );
    }
    options[name] = optionValue(spec, value, (expected) => {
      throw wrong(`"${name}": expected ${expected}, got ${JSON.stringify(value)}`);
    });
  }
  const { images } = json;
  if (images !== undefined && typeof images !== "string") {
    throw wrong(`"images": expected a folder, got ${JSON.stringify(images)}`);
  }
  return {
    images,
    options,
    parameters: json.parameters === undefined ? {} : changesOf(json.parameters, `"parameters"`),
    octaves: json.octaves === undefined ? [] : octavesOf(json.octaves),
  };
}

/** Options that mean nothing in the file itself. */
const NOT_IN_A_FILE = ["config", "octave", "set", "force", "resume"];

/** The options that a config file of a command may hold. */
export function optionsInAFile({ options }: Command): Readonly<Record<string, OptionSpec>> {
  const held = Object.entries(options).filter(([name]) => !NOT_IN_A_FILE.includes(name));
  return Object.assign(Object.create(null), Object.fromEntries(held));
}

function optionValue(
  spec: OptionSpec,
  value: unknown,
  refuse: (expected: string) => never,
): string | boolean | string[] {
  const isText = (v: unknown) => typeof v === "string" || typeof v === "number";
  if (spec.type === "boolean") return typeof value === "boolean" ? value : refuse("true or false");
  if (!spec.multiple) return isText(value) ? String(value) : refuse("text or a number");
  const list = Array.isArray(value) ? value : [value];
  return list.every(isText) ? list.map(String) : refuse("text or a list of texts");
}

/** Arguments with a config file's images and options where the command line has none. */
export function withConfig(args: Arguments, config: Config): Arguments {
  const named = args.positionals.length > 0 || config.images === undefined;
  return new Arguments(named ? args.positionals : [config.images!], {
    ...config.options,
    ...args.values,
  });
}

/** `key=value,key=value` as an object. */
export function keyValues(option: string, list: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const item of list.split(",").filter((item) => item !== "")) {
    const at = item.indexOf("=");
    if (at < 1) throw new UsageError(`--${option}: expected NAME=VALUE, got "${item}"`);
    pairs[item.slice(0, at).trim()] = item.slice(at + 1).trim();
  }
  return pairs;
}

/** Several such lists as one object; the later ones win. */
export function mergedKeyValues(option: string, lists: readonly string[]): Record<string, string> {
  return Object.assign({}, ...lists.map((list) => keyValues(option, list)));
}
