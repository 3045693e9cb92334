/** The engine of the page, in a worker: protocol.ts says how to talk to it. */
/// <reference lib="dom" />
import "../older_browsers.ts";
import { UserError } from "../../base/errors.ts";
import { VERSION } from "../../base/version.ts";
import { findAdapter, openGpu } from "../../kernels/runtime/device.ts";
import { GpuKeeper } from "../../kernels/runtime/keeper.ts";
import { MODELS } from "../../models/registry.ts";
import { EMBEDDINGS } from "../../vis/facets/embedding.ts";
import { WISH_NAMES, WISHES } from "../../vis/objectives/kinds.ts";
import { allowed, optionName, PARAMETER_GROUPS, type ParameterName } from "../../vis/parameters.ts";
import { describeOctaves, PRESETS } from "../../vis/presets.ts";
import { Keep } from "./keep.ts";
import { describeNetwork, openNetwork, type TabNetwork } from "./networks.ts";
import type { Hello, NetworkChoice, Reply, Request, RunRequest } from "./protocol.ts";
import { type KeptState, TabRun } from "./run.ts";

const say = (reply: Reply) => postMessage(reply);

/**
 * What to do where there is no WebGPU.
 *
 * @param refusal what the browser says instead of giving an adapter
 */
function unusable(refusal?: string): string {
  if (!isSecureContext) {
    return "browsers allow WebGPU only to pages of https:// and of this machine itself " +
      "(http://localhost): open the page by such an address";
  }
  if (!navigator.gpu) {
    return "this browser has no WebGPU: take a current Chrome, Edge, Firefox or Safari; on Linux " +
      "Chrome may want the switch enable-unsafe-webgpu (chrome://flags). Without one, the program " +
      "does the same in a terminal";
  }
  if (refusal) {
    return `this browser refuses WebGPU (${
      refusal.replace(/\.$/, "")
    }): take a current Chrome, Edge, ` +
      "Firefox or Safari. Without one, the program does the same in a terminal";
  }
  return "this browser finds no graphics adapter for WebGPU: switch hardware acceleration on in its " +
    "settings, or update the graphics driver; on Linux Chrome may want the switches " +
    "enable-unsafe-webgpu and enable-vulkan (chrome://flags). Without one, the program does the " +
    "same in a terminal";
}

function hello({ gpu }: GpuKeeper): Hello {
  const presets = Object.entries(PRESETS).map(([name, preset]) => [
    name,
    describeOctaves([preset])[0]!,
  ]);
  return {
    kind: "hello",
    version: VERSION,
    adapter: { name: gpu.name, software: gpu.software },
    presets: Object.fromEntries(presets),
    parameters: Object.entries(PARAMETER_GROUPS).flatMap(([group, rows]) =>
      Object.entries(rows).map(([key, { help }]) => ({
        name: optionName(key),
        group,
        allowed: allowed(key as ParameterName),
        help,
      }))
    ),
    embeddings: EMBEDDINGS,
    wishes: WISH_NAMES.map((name) => {
      const { value, help, layered, alone } = WISHES[name];
      return { name, value, help, layered, alone };
    }),
    networks: Object.keys(MODELS),
  };
}

/** What is open and what goes on. */
class Engine {
  readonly #keeper: GpuKeeper;
  readonly #keep: Keep;
  #choice: NetworkChoice | undefined;
  #network: TabNetwork | undefined;
  #run: TabRun | undefined;
  #ending: AbortController | undefined;
  /** What is being done. */
  #last: Promise<void> = Promise.resolve();

  constructor(keeper: GpuKeeper, keep: Keep) {
    this.#keeper = keeper;
    this.#keep = keep;
  }

  /** Tells of a run that was left unfinished. */
  async greet(): Promise<void> {
    const kept = await this.#keep.read();
    if (!kept) return;
    const iterations = kept.lines.map((line) => JSON.parse(line))
      .findLast(({ kind }) => kind === "iterations");
    if (!iterations) return;
    const { results, total } = iterations;
    say({ kind: "kept", title: kept.title, iteration: results.at(-1).iteration, total });
  }

  /** Does what the page asks, one thing after the other; only the end of a run goes before. */
  take(request: Request): void {
    if (request.kind === "stop") {
      this.#ending?.abort();
      return;
    }
    if (this.#ending) {
      this.#fail(request, new UserError("a run goes on; stop it first"), false);
      return;
    }
    this.#last = this.#last.then(async () => {
      try {
        await this.#do(request);
      } catch (error) {
        this.#fail(request, error, this.#run?.resumable ?? false);
      }
    });
  }

  #fail({ kind }: Request, error: unknown, resumable: boolean): void {
    const text = error instanceof Error ? error.message : String(error);
    say({ kind: "failed", during: kind, text, bug: !(error instanceof UserError), resumable });
  }

  async #do(request: Request): Promise<void> {
    if (request.kind === "open") await this.#open(request.network);
    else if (request.kind === "forget") await this.#keep.forget();
    else if (request.kind === "run" || request.kind === "resume") {
      const { signal } = this.#ending = new AbortController();
      try {
        if (request.kind === "run") await this.#begin(request.run, signal);
        else await this.#resume(signal);
      } finally {
        this.#ending = undefined;
      }
    }
  }

  async #open(choice: NetworkChoice): Promise<void> {
    const network = await openNetwork(choice);
    this.#run = undefined;
    this.#network?.weights.close();
    [this.#choice, this.#network] = [choice, network];
    say(describeNetwork(network));
  }

  async #begin(request: RunRequest, signal: AbortSignal): Promise<void> {
    if (!this.#network) throw new UserError("open a network first");
    this.#run = undefined;
    const run = this.#made(this.#network, request);
    await run.prepare();
    await this.#keep.begin({ network: this.#choice!, request, title: run.title });
    this.#run = run;
    say({ kind: "begun", resumed: false });
    await this.#go(run, signal);
  }

  async #resume(signal: AbortSignal): Promise<void> {
    if (this.#run) {
      say({ kind: "begun", resumed: true });
      await this.#go(this.#run, signal);
      return;
    }
    const kept = await this.#keep.read();
    if (!kept) throw new UserError("there is no run to go on with");
    await this.#open(kept.network);
    const run = this.#run = this.#made(this.#network!, kept.request, kept.state);
    say({ kind: "begun", resumed: true });
    for (const line of kept.lines) say({ kind: "line", line });
    await this.#go(run, signal);
  }

  #made(network: TabNetwork, request: RunRequest, kept?: KeptState): TabRun {
    return new TabRun(network, request, {
      line: (line) => {
        say({ kind: "line", line });
        this.#keep.line(line);
      },
      kept: (state) => void this.#keep.state(state),
    }, kept);
  }

  async #go(run: TabRun, signal: AbortSignal): Promise<void> {
    const ended = await run.go(this.#keeper, signal);
    if (!ended.aborted) {
      this.#run = undefined;
      await this.#keep.forget();
    }
    say(ended);
  }
}

// What is asked before all is open waits.
const waiting: Request[] = [];
let engine: Engine | undefined;
addEventListener("message", ({ data }: MessageEvent<Request>) => {
  if (engine) engine.take(data);
  else waiting.push(data);
});

// Firefox has the door to WebGPU before it opens it.
let refusal: string | undefined;
const adapter = await findAdapter().catch((error: Error) => void (refusal = error.message));
if (adapter) {
  try {
    const keeper = await GpuKeeper.open(
      () => openGpu(),
      (reason) => {
        const text = `the GPU was lost (${reason}); it is opened again`;
        say({ kind: "line", line: JSON.stringify({ kind: "note", text }) + "\n" });
      },
    );
    engine = new Engine(keeper, await Keep.open());
    say(hello(keeper));
    await engine.greet();
    waiting.forEach((request) => engine!.take(request));
  } catch (error) {
    say({ kind: "unusable", text: (error as Error).message });
  }
} else say({ kind: "unusable", text: unusable(refusal) });
