/**
 * This project beside TensorFlow.js, jax-js and, where a python3 has it, PyTorch on the CPU: the same
 * work, each in processes of its own, on the same machine in one go.
 *
 *     deno task bench:peers [--only NAME,...] [--seconds S] [--shrink N] [--json]
 */
// deno-lint-ignore-file no-console
import { join } from "node:path";
import { parseArgs } from "node:util";
import { table } from "../../cli/shared/bench_report.ts";
import type { Line } from "./peer.ts";
import { makeWork, writeWork } from "./work.ts";

const HERE = import.meta.dirname!;

const { values: args } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string" },
    seconds: { type: "string", default: "4" },
    shrink: { type: "string", default: "1" },
    json: { type: "boolean" },
  },
});

/** How each peer's process is started; PyTorch's, by its threads, where there is one. */
const PEERS: Record<string, readonly string[]> = {
  mindseye: deno("mindseye.ts"),
  tfjs: deno("tfjs.ts"),
  jaxjs: deno("jaxjs.ts"),
};

function deno(file: string): string[] {
  // Each peer's own packages: nothing of them goes into this project's lock file.
  return [Deno.execPath(), "run", "-A", "--no-check", "--no-lock", join(HERE, file)];
}

/** What was found of a peer. */
interface Result {
  /** Seconds by work and way, such as `W1 forward`. */
  readonly times: Record<string, { wall: number; processor: number }>;
  /** Seconds until the first gradient, from the start of the process. */
  readonly first: Record<"cold" | "warm", { wall: number; processor: number }>;
  /** Peak resident bytes of the process that computes the trunk's gradient. */
  readonly memory: number;
  /** Cosine with this project's results. */
  readonly cosines: Record<string, number>;
}

/** Runs a peer's process and calls back for every line it says. */
async function run(
  command: readonly string[],
  args: readonly string[],
  env: Record<string, string>,
  onLine: (line: Line) => void,
): Promise<void> {
  const [program, ...rest] = command;
  const child = new Deno.Command(program!, {
    args: [...rest, ...args],
    env: { XDG_RUNTIME_DIR: "/tmp", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  let text = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) if (line.startsWith("{")) onLine(JSON.parse(line));
  }
  const { code } = await child.status;
  if (code !== 0) throw new Error(`${command.at(-1)}: exit code ${code}\n${await errors}`);
}

/** Everything about one peer. */
async function measure(name: string, folder: string): Promise<Result> {
  const command = PEERS[name]!;
  // Compiled shaders, and what this project remembers, go into a folder that is empty at first.
  const caches = await Deno.makeTempDir({ dir: folder });
  const env = { MESA_SHADER_CACHE_DIR: caches, XDG_CACHE_HOME: caches, ...denoDir() };
  const result: Result = {
    times: {},
    first: { cold: { wall: NaN, processor: NaN }, warm: { wall: NaN, processor: NaN } },
    memory: NaN,
    cosines: {},
  };
  // Packages are fetched and modules parsed once before anything is measured.
  await run(command, [folder, "nothing", "0"], env, () => {});
  for (const state of ["cold", "warm"] as const) {
    // A process may end before its last shaders are on disk: once more, so that warm is warm.
    if (state === "warm") await run(command, [folder, "trunk", "0"], env, () => {});
    const started = performance.now();
    const seconds = state === "cold" ? "0" : args.seconds;
    await run(command, [folder, "trunk", seconds], env, (line) => {
      if (line.kind === "first") {
        const wall = (performance.now() - started) / 1e3;
        result.first[state] = { wall, processor: line.processor };
      } else if (line.kind === "memory") (result as { memory: number }).memory = line.bytes;
      else result.times[`${line.work} ${line.what}`] = line;
    });
  }
  await run(command, [folder, "convolutions", args.seconds], env, (line) => {
    if (line.kind === "result") result.times[`${line.work} ${line.what}`] = line;
  });
  return result;
}

/** Deno's own cache stays where it is, whatever XDG_CACHE_HOME says. */
function denoDir(): Record<string, string> {
  const home = Deno.env.get("HOME");
  const folder = Deno.env.get("DENO_DIR") ??
    (Deno.build.os === "linux" && home
      ? join(Deno.env.get("XDG_CACHE_HOME") ?? join(home, ".cache"), "deno")
      : undefined);
  return folder ? { DENO_DIR: folder } : {};
}

/** A python3 that has torch. */
async function pythonWithTorch(): Promise<string | undefined> {
  for (const python of ["python3", "/usr/bin/python3"]) {
    try {
      const { success } = await new Deno.Command(python, {
        args: ["-c", "import torch, numpy"],
        stdout: "null",
        stderr: "null",
      }).output();
      if (success) return python;
    } catch {
      // There is no such program.
    }
  }
}

/** Cosine of two results, in float64. */
function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} numbers beside ${b.length}`);
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

const RESULTS = ["W1.y", "W1.dx", "W2.y", "W2.dx", "W3.y", "W3.dx", "W4.dx"];
const TIMES = [
  "W1 forward",
  "W1 gradient",
  "W2 forward",
  "W2 gradient",
  "W3 forward",
  "W3 gradient",
  "W4 gradient",
];

/** Reads a result that a peer left. */
async function kept(folder: string, peer: string, result: string): Promise<Float32Array> {
  const bytes = await Deno.readFile(join(folder, `${peer.split(" ")[0]}.${result}.f32`));
  return new Float32Array(bytes.buffer, 0, bytes.length / 4);
}

/** Times, and in brackets the ratio to the first peer's. */
function timeTable(
  results: Record<string, Result>,
  clock: "wall" | "processor",
): string {
  const reference = Object.values(results)[0]!;
  const shown = (value: number, own: number, digits: number) =>
    `${value.toFixed(digits)}${value === own ? "" : ` (${(value / own).toFixed(1)})`}`;
  return table(
    [
      clock === "wall" ? "ms by the wall clock" : "ms of processor time",
      ...TIMES,
      "first, cold s",
      "first, warm s",
      "peak MB",
    ],
    Object.entries(results).map(([name, { times, first, memory }]) => [
      name,
      ...TIMES.map((key) => shown(1e3 * times[key]![clock], 1e3 * reference.times[key]![clock], 2)),
      shown(first.cold[clock], reference.first.cold[clock], 2),
      shown(first.warm[clock], reference.first.warm[clock], 2),
      shown(memory / 1e6, reference.memory / 1e6, 0),
    ]),
    1,
  );
}

const folder = await Deno.makeTempDir();
try {
  const only = args.only?.split(",");
  const python = await pythonWithTorch();
  if (python) {
    // More threads than idle cores are much slower than one: both are measured.
    for (const threads of new Set([1, navigator.hardwareConcurrency])) {
      PEERS[`torch ${threads}`] = [
        "env",
        `THREADS=${threads}`,
        python,
        join(HERE, "torch_peer.py"),
      ];
    }
  } else console.error("torch is left out: there is no python3 here that has it");
  const names = Object.keys(PEERS).filter((name) => !only || only.includes(name.split(" ")[0]!));
  writeWork(folder, makeWork(Number(args.shrink)));
  const results: Record<string, Result> = {};
  for (const name of names) {
    console.error(name);
    results[name] = await measure(name, folder);
  }
  const [first] = Object.keys(results) as [string];
  for (const [name, { cosines }] of Object.entries(results)) {
    for (const result of RESULTS) {
      cosines[result] = cosine(await kept(folder, first, result), await kept(folder, name, result));
    }
  }
  const wrong = Object.entries(results).flatMap(([name, { cosines }]) =>
    Object.entries(cosines).filter(([, value]) => !(value > 0.999)).map((entry) => [name, ...entry])
  );
  if (args.json) console.log(JSON.stringify(results, null, 2));
  else {
    const adapter = await navigator.gpu?.requestAdapter();
    console.log(
      `${adapter?.info.description || "no adapter"}, ${navigator.hardwareConcurrency} cores`,
    );
    console.log(`\n${timeTable(results, "wall")}\n\n${timeTable(results, "processor")}\n`);
    console.log(table(
      [`cosine with ${first}`, ...RESULTS],
      Object.entries(results).map(([name, { cosines }]) => [
        name,
        ...RESULTS.map((result) => cosines[result]!.toFixed(6)),
      ]),
      1,
    ));
  }
  if (wrong.length > 0) throw new Error(`the peers disagree: ${wrong.join("; ")}`);
} finally {
  await Deno.remove(folder, { recursive: true });
}
