/** Command-line options: parsing with errors a person can act on. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { nearest } from "../../base/nearest.ts";
import type { JsonSchema } from "../../vis/parameters.ts";

/** The command line makes no sense; exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** An option of a command. */
export interface OptionSpec {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** The value's name in the help, such as `FILE`. */
  readonly value?: string;
  readonly help: string;
  /** What a config file may say, where that is not any text, for editors. */
  readonly schema?: JsonSchema;
}

/** The whole numbers that an option may be. */
export interface WholeNumbers {
  readonly min: number;
  readonly max: number;
}

/** What seeds may be. */
export const SEEDS: WholeNumbers = { min: 0, max: 2 ** 32 - 1 };
/** Sides of pictures, in pixels. */
export const SIDES: WholeNumbers = { min: 8, max: 4096 };
/** Numbers of facets. */
export const FACETS: WholeNumbers = { min: 1, max: 100 };
/** Numbers of iterations, or of images. */
export const COUNTS: WholeNumbers = { min: 1, max: 1e6 };

/** Whole numbers, as such or as text, or one of some words. */
export function wholeNumber({ min, max }: WholeNumbers, ...words: string[]): JsonSchema {
  return {
    anyOf: [
      { type: "integer", minimum: min, maximum: max },
      ...(words.length > 0 ? [{ enum: words }] : []),
      { type: "string", pattern: "^[0-9]+$" },
    ],
  };
}

/** A command of the program. */
export interface Command {
  /** One line for the table of commands. */
  readonly summary: string;
  /** What follows the command's name. */
  readonly usage: string;
  /**
   * What Deno must allow, besides to read {@linkcode ENVIRONMENT}: exactly that. OUT is the folder of the
   * results, CACHE that of what is kept between runs.
   */
  readonly permissions: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Whether it does a run, whose events can be told. */
  readonly tells?: boolean;
  /** Names of positional arguments. */
  readonly positionals: readonly string[];
  /** Whether they may be left out. */
  readonly optional?: boolean;
  /** Whether there may be more of the last one. */
  readonly more?: boolean;
  run(args: Arguments): Promise<void>;
  /** More help, below the options. */
  readonly notes?: string;
}

/** Environment variables that the program reads, what it imports included, and what they do. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  XDG_CACHE_HOME: "where what can be made again is kept, else ~/.cache",
  HOME: "the same",
  LOCALAPPDATA: "the same, on Windows",
  DENO_WEBGPU_BACKEND: "which of the machine's graphics systems to use: vulkan, metal, dx12 or gl",
  XDG_RUNTIME_DIR: "set where it is not, as Mesa complains without it",
  MINDSEYE_WEIGHTS_URL: "where weights are fetched from, else download.pytorch.org",
  NO_COLOR: "no colours, in the output of Deno",
  IMAGESCRIPT_WASM_SIMD: "asked for by imagescript; leave it unset",
};

/** Parsed arguments of a command. */
export class Arguments {
  constructor(
    readonly positionals: readonly string[],
    readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>,
  ) {}

  /** The value of a text option. */
  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === "string" ? value : undefined;
  }

  /** All values of an option that may be repeated. */
  list(name: string): string[] {
    const value = this.values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** Whether a flag is set. */
  flag(name: string): boolean {
    return this.values[name] === true;
  }

  /**
   * A whole number.
   *
   * @throws {UsageError} when it is none, or outside its range.
   */
  integer(name: string, range: WholeNumbers): number | undefined {
    const text = this.text(name);
    if (text === undefined) return;
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < range.min || value > range.max) {
      throw new UsageError(
        `--${name}: expected a whole number from ${range.min} to ${range.max}, got "${text}"`,
      );
    }
    return value;
  }
}

/**
 * Parses what follows a command's name.
 *
 * @throws {UsageError} for unknown options (the nearest are named), missing or spare arguments.
 */
export function parse(name: string, command: Command, args: string[]): Arguments {
  const options = optionsOf(command);
  const config: ParseArgsConfig["options"] = {};
  for (const [key, { type, short, multiple }] of Object.entries(options)) {
    config[key] = { type, ...(short ? { short } : {}), ...(multiple ? { multiple } : {}) };
  }
  const known = (option: string) => Object.hasOwn(options, option);
  for (const arg of args) {
    const option = /^--([^=]+)/.exec(arg)?.[1];
    if (option && !known(option)) {
      const close = nearest(option, Object.keys(options), 2).map((o) => `--${o}`).join(" or ");
      throw new UsageError(`${name}: no option --${option}; did you mean ${close}?`);
    }
  }
  try {
    const parsed = parseArgs({ args, options: config, allowPositionals: true, strict: true });
    const { positionals } = parsed;
    if (!parsed.values.help) {
      const missing = command.positionals[positionals.length];
      if (missing && !command.optional) {
        throw new UsageError(`${name}: missing ${missing}; see: ${name} --help`);
      }
      if (positionals.length > command.positionals.length && !command.more) {
        const spare = positionals[command.positionals.length];
        throw new UsageError(`${name}: unexpected "${spare}"; see: ${name} --help`);
      }
    }
    return new Arguments(positionals, parsed.values);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${name}: ${(error as Error).message.split(". ")[0]}`);
  }
}

/** Where a page is served. */
export const PORT_OPTION: OptionSpec = {
  type: "string",
  value: "PORT",
  help: "Where the page is served (default: any port that is free)",
};

/** The port that was given, or any. */
export function portOf(args: Arguments): number {
  return args.integer("port", { min: 0, max: 65535 }) ?? 0;
}

/** Options that every command has, and those of commands that do runs. */
const COMMON: Readonly<Record<string, OptionSpec>> = {
  quiet: { type: "boolean", short: "q", help: "Say nothing but results and errors" },
  help: { type: "boolean", short: "h", help: "Show this help" },
};
const TELL_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: {
    type: "boolean",
    help: "Tell the run's events on stdout, a line of JSON each; results go to stderr",
  },
  serve: {
    type: "boolean",
    help: "Show the run while it goes on, on a page that only this machine can open",
  },
  port: PORT_OPTION,
};

/** All options of a command. */
export function optionsOf({ options, tells }: Command): Readonly<Record<string, OptionSpec>> {
  return { ...options, ...(tells ? TELL_OPTIONS : {}), ...COMMON };
}

/** How a command speaks. */
export interface Voice {
  readonly quiet: boolean;
  readonly json: boolean;
  /** Where it serves a page; nothing where it does not. */
  readonly port: number | undefined;
}

/**
 * How a command is to speak, and the arguments without what is about that.
 *
 * @throws {UsageError} when that makes no sense.
 */
export function voiceOf(command: Command, args: Arguments): { voice: Voice; rest: Arguments } {
  const { quiet: _, ...values } = args.values;
  const quiet = args.flag("quiet");
  if (!command.tells) {
    const rest = new Arguments(args.positionals, values);
    return { voice: { quiet, json: false, port: undefined }, rest };
  }
  const { json: _json, serve: _serve, port: _port, ...others } = values;
  const serves = args.flag("serve");
  if (!serves && args.text("port") !== undefined) throw new UsageError("--port goes with --serve");
  const voice = { quiet, json: args.flag("json"), port: serves ? portOf(args) : undefined };
  return { voice, rest: new Arguments(args.positionals, others) };
}

/** What it must allow besides a command that serves its page. */
const SERVE_PERMISSION = "--allow-net=127.0.0.1";

/** All that Deno must allow a command, as its options. */
export function permissionsOf({ permissions }: Command): string {
  return `${permissions} --allow-env=${Object.keys(ENVIRONMENT).join(",")}`.trim();
}

/** The help of a command. */
export function help(program: string, name: string, command: Command): string {
  const rows = Object.entries(optionsOf(command)).map(([key, spec]) => {
    const short = spec.short ? `-${spec.short}, ` : "    ";
    const value = spec.type === "string" ? ` ${spec.value ?? "VALUE"}` : "";
    return [`  ${short}--${key}${value}`, spec.help] as const;
  });
  const column = 2 + Math.max(...rows.map(([option]) => option.length));
  return [
    `${command.summary}`,
    "",
    `Usage: ${program} ${name} ${command.usage}`.trimEnd(),
    "",
    "Options:",
    ...rows.map(([option, text]) => option.padEnd(column) + text),
    "",
    `Permissions: ${permissionsOf(command)}`,
    ...(command.tells ? [`With --serve also: ${SERVE_PERMISSION}`] : []),
    ...(command.notes ? ["", command.notes] : []),
  ].join("\n");
}
