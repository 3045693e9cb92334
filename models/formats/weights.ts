/** Where a network's numbers come from, whatever the format. */

/** Where weights come from; a {@linkcode WeightsFile} is one. */
export interface WeightSource {
  /** What to call it in messages, usually a path. */
  readonly name: string;
  /** Whether there is a tensor of this name. */
  has(key: string): boolean;
  /** Its sizes. */
  shape(key: string): readonly number[];
  /** Its values in C order. */
  read(key: string): Float32Array;
  /** Whose names its tensors have, where networks are not quite the same there. */
  readonly naming?: "timm" | undefined;
  /** Whether numbers that are none, or infinite, may be among them; a network is not run on them else. */
  allowNonfinite?: boolean;
  /** Whether every call of `read` gives another array, which may be changed and freed. */
  readonly fresh?: boolean;
}

/** An open file of weights: tensors are read when asked for. Give it back with `using` or `close`. */
export interface WeightsFile extends WeightSource, Disposable {
  /** The tensors' names, in the order of the file. */
  readonly names: readonly string[];
  /** How the numbers of a tensor are kept in the file, in the format's own words, such as `F16`. */
  dtype(key: string): string;
  /**
   * All bytes that numbers may come from, in pieces, for those who hash them.
   *
   * @throws {UserError} If they cannot be read.
   */
  pieces(): Iterable<Uint8Array<ArrayBuffer>>;
  /** Nothing can be read afterwards. */
  close(): void;
}
