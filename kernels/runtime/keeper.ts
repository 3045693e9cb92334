/** A GPU that is opened again when it is lost: its driver was restarted, or it was unplugged. */
import { UserError } from "../../base/errors.ts";
import type { Gpu } from "./device.ts";

/** Losses in one piece of work after which it is given up. */
const MOST_LOSSES = 5;

/** Keeps a GPU open. Owns it, unless it is lent. */
export class GpuKeeper implements Disposable {
  readonly #open: () => Promise<Gpu>;
  readonly #onLoss: (reason: string) => void;
  /** The GPU that is open now, for all to whom it is lent. */
  readonly #now: { gpu: Gpu };
  readonly #lent: boolean;

  private constructor(
    now: { gpu: Gpu },
    open: () => Promise<Gpu>,
    onLoss: (reason: string) => void,
    lent = false,
  ) {
    this.#now = now;
    this.#open = open;
    this.#onLoss = onLoss;
    this.#lent = lent;
  }

  /**
   * Opens a GPU.
   *
   * @param onLoss is told each time it was lost, before it is opened again
   * @throws what `open` throws.
   */
  static async open(
    open: () => Promise<Gpu>,
    onLoss: (reason: string) => void = () => {},
  ): Promise<GpuKeeper> {
    return new GpuKeeper({ gpu: await open() }, open, onLoss);
  }

  /** The one that is open. */
  get gpu(): Gpu {
    return this.#now.gpu;
  }

  /** The same GPU for somebody who is done with it before we are. */
  lend(): GpuKeeper {
    return new GpuKeeper(this.#now, this.#open, this.#onLoss, true);
  }

  /**
   * Does some work; when the GPU is lost meanwhile, all of it again on the one that is opened then. Work
   * that takes long should begin where it was.
   *
   * @throws {UserError} when the GPU is lost again and again, and all else that the work throws.
   */
  async use<T>(work: (gpu: Gpu) => Promise<T>): Promise<T> {
    for (let losses = 0;; losses++) {
      try {
        return await work(this.gpu);
      } catch (error) {
        // Chromium 113 takes more than 100 ms to say so. What a person can act on need not wait as long.
        const reason = await this.gpu.lossReason(error instanceof UserError ? 100 : 1000);
        if (reason === undefined) throw error;
        if (losses >= MOST_LOSSES) {
          throw new UserError(
            `the GPU was lost ${
              losses + 1
            } times in a row (${reason}); its driver may give up on ` +
              "what takes too long: ask for smaller pictures or fewer of them",
          );
        }
        this.#onLoss(reason);
        this.gpu[Symbol.dispose]();
        this.#now.gpu = await this.#open();
      }
    }
  }

  /** Gives the GPU back. */
  [Symbol.dispose](): void {
    if (!this.#lent) this.gpu[Symbol.dispose]();
  }
}
