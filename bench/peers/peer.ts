/**
 * A peer's process: it is told the folder and what to do, and answers in lines of JSON.
 *
 *     deno run -A PEER.ts FOLDER convolutions|trunk|nothing SECONDS
 *
 * `first` says that the first gradient is there; results lie as FOLDER/PEER.WORK.f32, [C,H,W].
 */
import { join } from "node:path";
import process from "node:process";
import type { ConvolutionWork, TrunkWork, Work } from "./work.ts";

/** One thing to compute again and again. */
export interface Task {
  /** Starts one computation. */
  start(): unknown;
  /** Waits until what was started is computed, and frees it. */
  finish(started: unknown[]): Promise<void>;
  /** Computes it once and gives the result, [C,H,W]. */
  read(): Promise<Float32Array>;
}

/** A library under test. */
export interface Peer {
  readonly name: string;
  forward(work: ConvolutionWork): Promise<Task> | Task;
  /** Forward, and back to the input; the result is that of the way back. */
  gradient(work: ConvolutionWork): Promise<Task> | Task;
  trunk(work: TrunkWork): Promise<Task> | Task;
}

/** A line of a peer's process. */
export type Line =
  | { readonly kind: "first"; readonly processor: number }
  | {
    readonly kind: "result";
    readonly work: string;
    readonly what: string;
    readonly wall: number;
    readonly processor: number;
  }
  | { readonly kind: "memory"; readonly bytes: number };

// deno-lint-ignore no-console
const say = (line: Line) => console.log(JSON.stringify(line));

function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The most memory this process ever had resident. */
function peakMemory(): number {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)![1]);
  } catch {
    return process.memoryUsage().rss;
  }
}

/**
 * Seconds of one computation: the best of some batches, each of `batch` computations and one wait.
 *
 * @param seconds how long to go on, at least three batches
 */
async function time(task: Task, batch: number, seconds: number) {
  await task.finish([task.start()]);
  const best = { wall: Infinity, processor: Infinity };
  const begun = performance.now();
  for (let tries = 0; tries < 3 || performance.now() - begun < 1e3 * seconds; tries++) {
    const [wall, processor] = [performance.now(), processorSeconds()];
    await task.finish(Array.from({ length: batch }, () => task.start()));
    best.wall = Math.min(best.wall, (performance.now() - wall) / 1e3 / batch);
    best.processor = Math.min(best.processor, (processorSeconds() - processor) / batch);
  }
  return best;
}

/** The whole process of a peer. */
export async function runPeer(open: (folder: string) => Promise<Peer>): Promise<never> {
  const [folder, what, seconds] = Deno.args as [string, string, string];
  const work: Work = JSON.parse(Deno.readTextFileSync(join(folder, "work.json")));
  const peer = await open(folder);
  const keep = (name: string, values: Float32Array) =>
    Deno.writeFileSync(
      join(folder, `${peer.name}.${name}.f32`),
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
  const result = async (name: string, what: string, task: Task, batch: number) =>
    say({ kind: "result", work: name, what, ...await time(task, batch, Number(seconds)) });
  if (what === "trunk") {
    const task = await peer.trunk(work.trunk);
    keep("W4.dx", await task.read());
    say({ kind: "first", processor: processorSeconds() });
    if (Number(seconds) > 0) await result("W4", "gradient", task, 3);
    say({ kind: "memory", bytes: peakMemory() });
  } else if (what === "convolutions") {
    for (const convolution of work.convolutions) {
      const forward = await peer.forward(convolution);
      keep(`${convolution.name}.y`, await forward.read());
      await result(convolution.name, "forward", forward, 10);
      const gradient = await peer.gradient(convolution);
      keep(`${convolution.name}.dx`, await gradient.read());
      await result(convolution.name, "gradient", gradient, 10);
    }
  }
  Deno.exit(0);
}
