/**
 * What the engine uses of a browser that the oldest ones with WebGPU lack, put there before anything
 * else runs; what is there is left as it is. Behind each: since when browsers have it.
 */
/// <reference lib="dom" />
import "core-js/modules/es.symbol.dispose.js"; // Chrome 134, Firefox 141, no Safari 26
import "core-js/modules/es.disposable-stack.constructor.js";
import "core-js/modules/es.promise.with-resolvers.js"; // Chrome 119
import "core-js/modules/es.array-buffer.transfer.js"; // Chrome 114
import "core-js/modules/es.uint8-array.to-base64.js"; // Chrome 140
import "core-js/modules/es.uint8-array.to-hex.js"; // Chrome 140

// Chrome 132.
Response.prototype.bytes ??= async function (this: Response) {
  return new Uint8Array(await this.arrayBuffer());
};

// Chrome 116.
AbortSignal.any ??= function (signals: Iterable<AbortSignal>) {
  const either = new AbortController();
  for (const signal of signals) {
    const abort = () => either.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true, signal: either.signal });
  }
  return either.signal;
};

/** An adapter of before Chrome 127, which had to be asked who it is. */
interface OlderAdapter {
  requestAdapterInfo(): Promise<GPUAdapterInfo>;
}

if (navigator.gpu && !("info" in GPUAdapter.prototype)) {
  const { requestAdapter } = GPU.prototype;
  GPU.prototype.requestAdapter = async function (this: GPU, options?: GPURequestAdapterOptions) {
    const adapter = await requestAdapter.call(this, options);
    if (!adapter) return adapter;
    const info = await (adapter as unknown as OlderAdapter).requestAdapterInfo();
    return Object.defineProperty(adapter, "info", { value: info });
  };
}
