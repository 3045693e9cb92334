/** A page with nothing in it but the engine's worker, for tests to talk to. Plain JavaScript, served as it is. */

const ENDS = ["opened", "ended", "failed", "hello", "unusable"];

/** A worker and what it said. */
globalThis.engine = {
  /** Starts a worker; the one before is ended as a closed tab ends it. */
  start(script = "worker.js") {
    this.worker?.terminate();
    this.heard = [];
    this.until = [];
    this.worker = new Worker(script, { type: "module" });
    this.worker.onmessage = ({ data }) => {
      this.heard.push(data);
      this.until = this.until.filter((each) => !each());
    };
    this.worker.onerror = (event) => {
      this.heard.push({ kind: "failed", text: `the worker: ${event.message}`, bug: true });
      this.until = this.until.filter((each) => !each());
    };
    return this.answer(0);
  },

  /** The first reply after some that ends what was asked. */
  answer(from, kinds = ENDS) {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.heard.slice(from).find(({ kind }) => kinds.includes(kind));
        if (found) resolve(plain(found));
        return found !== undefined;
      };
      if (!look()) this.until.push(look);
    });
  },

  /** Asks, and waits for the answer. */
  ask(request) {
    const from = this.heard.length;
    this.worker.postMessage(request);
    return this.answer(from);
  },

  /** Asks for a run, and waits for a line of this kind, or for the run's end. */
  line(request, kind) {
    const from = this.heard.length;
    this.worker.postMessage(request);
    return new Promise((resolve) => {
      this.until.push(() => {
        const found = this.lines(from).find((line) => line.kind === kind) ??
          this.heard.slice(from).find((reply) => ENDS.includes(reply.kind));
        if (found) resolve(found);
        return found !== undefined;
      });
    });
  },

  /** Asks for a run, or to go on with one, and stops it once so many iterations are done. */
  askUntil(request, iteration) {
    const from = this.heard.length;
    this.worker.postMessage(request);
    this.until.push(() => this.reached(from, iteration, { kind: "stop" }));
    return this.answer(from);
  },

  /** The same, but when so many are done for the first time the GPU is lost. */
  askThroughLoss(request, iteration) {
    const from = this.heard.length;
    this.worker.postMessage(request);
    this.until.push(() => this.reached(from, iteration, { kind: "lose" }));
    this.until.push(() => {
      const lost = this.heard.findIndex(({ kind, line }, i) =>
        i >= from && kind === "line" && line.includes("the GPU was lost")
      );
      return lost >= 0 && this.reached(lost, iteration, { kind: "stop" });
    });
    return this.answer(from);
  },

  /** Whether so many iterations were told of after some replies; then something is asked. */
  reached(from, iteration, request) {
    const reached = this.lines(from).some((line) =>
      line.kind === "iterations" && line.results.at(-1).iteration >= iteration
    );
    if (reached) this.worker.postMessage(request);
    return reached;
  },

  /** Lines of records after some replies. */
  lines(from = 0) {
    return this.heard.slice(from).filter(({ kind }) => kind === "line")
      .map(({ line }) => JSON.parse(line));
  },

  /** Files of the server, by their names, as a person would choose them. */
  async files(...paths) {
    return await Promise.all(paths.map(async (path) => {
      const response = await fetch(path);
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return new File([await response.blob()], path.split("/").at(-1));
    }));
  },
};

/** A reply without what a test cannot take: files as base64. */
async function plain(reply) {
  if (!reply.pictures) return reply;
  const pictures = await Promise.all(reply.pictures.map(async ({ png, ...others }) => {
    const bytes = new Uint8Array(await png.arrayBuffer());
    // As browsers do that have no toBase64 yet.
    return { ...others, png: btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join("")) };
  }));
  return { ...reply, pictures };
}
