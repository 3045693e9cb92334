/** How a dispatch of a convolution sees the weights. */

/** The taps of one dispatch along an axis: number k of it is `first + step·k` of the whole kernel. */
export interface Taps {
  /** How many there are. */
  readonly count: number;
  /** The first one. */
  readonly first: number;
  /** From one to the next. */
  readonly step: number;
}

/** How a dispatch sees a weight tensor: as w[m, c, ky, kx] from its inputs c to its outputs m. */
export interface WeightView {
  /** Channels the dispatch writes. */
  readonly outputs: number;
  /** Channels it reads. */
  readonly inputs: number;
  /** Groups of channels that do not see each other. */
  readonly groups: number;
  /** Whether the stored weight is [inputs, outputs/groups, ...] and not [outputs, inputs/groups, ...]. */
  readonly transposed: boolean;
  /** The kernel rows it uses. */
  readonly rows: Taps;
  /** The kernel columns it uses. */
  readonly columns: Taps;
}
