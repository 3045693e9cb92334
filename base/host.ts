/**
 * What the program that runs us offers beside WebGPU: Deno on a machine, or a browser in a page. The
 * one file of its kind that both can load: it looks before it asks.
 */

/** Whether this is Deno. */
const inDeno = "Deno" in globalThis;

/**
 * The bytes of a file that comes with the program.
 *
 * @throws {Error} when it is not there.
 */
export async function readBeside(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  // A compiled program holds its files where `fetch` does not look.
  if (inDeno) return await Deno.readFile(url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return await response.bytes();
}

const process = (globalThis as { process?: Partial<NodeJS.Process> }).process;

/** What unpacks and checks archives at once, not by and by as browsers do; nothing where it is not. */
export const zlib: typeof import("node:zlib") | undefined = process?.getBuiltinModule?.(
  "node:zlib",
);

/** Seconds the processors have worked for us, all cores together; nothing where nobody counts them. */
export function processorSeconds(): number | undefined {
  const usage = process?.cpuUsage?.();
  return usage && (usage.user + usage.system) / 1e6;
}

/** What Deno reads, before its first adapter, of the interfaces to look for adapters in. */
export const BACKENDS = "DENO_WEBGPU_BACKEND";

/**
 * Asks for an adapter. Deno would open OpenGL too, which costs 13 MB with Mesa's driver; a machine
 * that has nothing else must say so, because Deno looks for interfaces only once.
 */
export async function withoutOpenGl<T>(request: () => Promise<T>): Promise<T> {
  if (!inDeno) return await request();
  const { state } = Deno.permissions.querySync({ name: "env", variable: BACKENDS });
  if (state !== "granted" || Deno.env.get(BACKENDS) !== undefined) return await request();
  Deno.env.set(BACKENDS, "vulkan,metal,dx12");
  try {
    return await request();
  } finally {
    Deno.env.delete(BACKENDS);
  }
}
