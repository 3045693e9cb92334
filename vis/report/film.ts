/** Films: a picture over the iterations, as a GIF that plays everywhere. */
// @ts-types="./gifenc.d.ts"
import gifenc from "gifenc";
import { atSide, type Square, squareRgba } from "./tiles.ts";

/** Side of a film, at most: 48 frames of 224 pixels are 1.5 MB already, and of 448 four times that. */
const MOST_SIDE = 448;

/** Milliseconds that a frame is shown, the first and the last. */
const FRAME = 80;
const FIRST = 600;
const LAST = 3000;

/** Colours that a GIF's frame may have. */
const COLOURS = 256;

/** The side of a film of pictures of a side. */
export function filmSide(size: number): number {
  return Math.min(size, MOST_SIDE);
}

/** A film to which frames are added; each is coded at once, with colours of its own. */
export class Film {
  readonly #side: number;
  readonly #file = gifenc.GIFEncoder();
  /** The last frame, of which it is not known yet for how long it is shown. */
  #held: { iteration: number; picture: Square } | undefined;
  #frames = 0;

  /** @param side of the film in pixels; frames of other sides are brought to it */
  constructor(side: number) {
    this.#side = side;
  }

  /** Adds the picture after an iteration; given again, it replaces what was there. */
  add(iteration: number, picture: Square): void {
    if (this.#held && this.#held.iteration !== iteration) {
      this.#write(this.#held.picture, this.#frames === 0 ? FIRST : FRAME);
    }
    this.#held = { iteration, picture };
  }

  /**
   * Ends it, and stays at the last frame for a while before it begins anew.
   *
   * @returns the file
   */
  end(): Uint8Array {
    if (this.#held) this.#write(this.#held.picture, LAST);
    this.#held = undefined;
    this.#file.finish();
    return this.#file.bytes();
  }

  #write(picture: Square, delay: number): void {
    const { rgba } = squareRgba(atSide(picture, this.#side));
    const palette = gifenc.quantize(rgba, COLOURS);
    const pixels = gifenc.applyPalette(rgba, palette);
    this.#file.writeFrame(pixels, this.#side, this.#side, { palette, delay });
    this.#frames++;
  }
}
