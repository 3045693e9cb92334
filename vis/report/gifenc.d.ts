/** The parts of gifenc that are used; it has no declarations of its own. */
interface Gifenc {
  /** A palette for a picture: the colours that are nearest to all of its own. */
  quantize(rgba: Uint8ClampedArray, colours: number): number[][];
  /** For each pixel the number of the nearest colour. */
  applyPalette(rgba: Uint8ClampedArray, palette: number[][]): Uint8Array;
  /** Begins a file. */
  GIFEncoder(): {
    /** Adds a frame, shown for some milliseconds. */
    writeFrame(
      pixels: Uint8Array,
      width: number,
      height: number,
      options: { palette: number[][]; delay: number },
    ): void;
    /** Ends the file. */
    finish(): void;
    /** The file so far. */
    bytes(): Uint8Array<ArrayBuffer>;
  };
}
declare const gifenc: Gifenc;
export default gifenc;
