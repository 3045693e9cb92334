/** The thread of a pulse: beats until its process ends. */
/// <reference lib="deno.worker" />
import { beat } from "./beat.ts";
import type { PulseOptions } from "./pulse.ts";

self.addEventListener("message", ({ data: { path, every } }: MessageEvent<PulseOptions>) => {
  let count = 1;
  setInterval(() => {
    try {
      beat(path, ++count);
    } catch { /* a full disk may have room again before anyone gives the worker up */ }
  }, every);
});
