/** How long a run still takes, from how fast it went on of late. */

/** Seconds between what is remembered, and of what is remembered. */
const STEP = 0.5;
const WINDOW = 30;

/** Seconds of watching before anything is said. */
const LEAST = 3;

/** Watches shares of work done at times. */
export class TimeLeft {
  #stage = "";
  #seen: { readonly time: number; readonly share: number }[] = [];

  /**
   * Seconds left.
   *
   * @param stage what the share is of: another one begins anew
   * @param time in seconds, from anywhere
   */
  watch(stage: string, share: number, time: number): number | undefined {
    const last = this.#seen.at(-1);
    if (stage !== this.#stage || !last || share < last.share || time < last.time) {
      this.#stage = stage;
      this.#seen = [{ time, share }];
      return undefined;
    }
    // What comes at once was done before anyone watched.
    if (this.#seen.length === 1 && time - last.time < STEP) this.#seen[0] = { time, share };
    else if (time - last.time >= STEP) this.#seen.push({ time, share });
    while (this.#seen.length > 2 && time - this.#seen[1]!.time > WINDOW) this.#seen.shift();
    const first = this.#seen[0]!;
    const [passed, done] = [time - first.time, share - first.share];
    return passed < LEAST || done <= 0 ? undefined : (1 - share) * passed / done;
  }
}
