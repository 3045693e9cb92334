/** The program as a person watches it who does not wait for its end. */
import assert from "node:assert/strict";
import { begin } from "./mindseye.ts";

/** Where a page is, as it is said. */
export const ADDRESS = /http:\/\/127\.0\.0\.1:\d+\/\S*(?=\n)/;

/** A process whose output is looked at while it works. */
export class Watched {
  readonly process: Deno.ChildProcess;
  #text = "";
  #heard = Promise.withResolvers<void>();
  readonly #ends: Promise<unknown>;

  constructor(...args: Parameters<typeof begin>) {
    this.process = begin(...args);
    const { stdout, stderr } = this.process;
    this.#ends = Promise.all([stdout, stderr].map(async (stream) => {
      for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
        this.#text += piece;
        this.#heard.resolve();
        this.#heard = Promise.withResolvers();
      }
    })).then(() => this.#heard.resolve());
  }

  /** Waits until it says something. */
  async says(what: RegExp): Promise<string> {
    let over = false;
    this.#ends.then(() => over = true);
    for (;;) {
      const found = what.exec(this.#text);
      if (found) return found[0];
      assert.ok(!over, `it never said ${what}: ${this.#text}`);
      await this.#heard.promise;
    }
  }

  /** Ends it, if it is not over. */
  async end(signal: Deno.Signal): Promise<number> {
    try {
      this.process.kill(signal);
    } catch { /* it is over */ }
    return await this.code();
  }

  /** Its exit code, when it is over. */
  async code(): Promise<number> {
    const { code } = await this.process.status;
    await this.#ends;
    return code;
  }
}
