/** Photos that the program draws itself. */
import { planar } from "../vis/drawings.ts";
import { drawClass } from "../models/motifs/draw.ts";
import { writePng } from "../vis/photos/png.ts";
import { pictureToRgba } from "../vis/photos/rgba.ts";

/** Puts drawings into a folder, which is made. */
export async function drawPhotos(
  folder: string,
  { count, size }: { count: number; size: number },
): Promise<void> {
  for (const { name, pixels } of drawClass({ count, size })) {
    const rgba = pictureToRgba(planar(pixels, size * size), size, size);
    await writePng(folder, `${name}.png`, { rgba, width: size, height: size });
  }
}
