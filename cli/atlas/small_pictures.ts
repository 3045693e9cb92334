/**
 * Small copies of a run's pictures, and what they look like: made once, by whoever did the run, or by
 * `gather` where that was not so.
 */
import { join } from "node:path";
import { likenessOf } from "../../atlas/likeness.ts";
import { RUNS, SMALL } from "../../atlas/site.ts";
import { writeWholeSync } from "../../base/atomic_file.ts";
import { UserError } from "../../base/errors.ts";
import { resizeArea } from "../../vis/photos/area_resize.ts";
import { encodeWebp } from "../../vis/photos/codecs/webp_encode.ts";
import { decodePng } from "../../vis/photos/png.ts";
import { pictureToRgba, type Rgba } from "../../vis/photos/rgba.ts";
import { isObject, type Manifest } from "../../vis/report/manifest.ts";

/** Longest side of a copy. */
const SIDE = 128;
/** Of WebP. */
const QUALITY = 75;
/** What is known of a run's copies. */
const KNOWN = "known.json";
/** Grows when copies or what they look like are made otherwise. */
const FORMAT = 1;

/** A copy that was made. */
export interface Small {
  /** Of the picture in its run. */
  readonly folder: string;
  /** Of the picture's own file: another is another picture. */
  readonly bytes: number;
  /** What it looks like, in base64. */
  readonly likeness: string;
}

/** Pictures of a run, by its manifest. */
export function picturesIn(manifest: Manifest): Record<string, unknown>[] {
  return [manifest.facets ?? manifest.pictures].flat().filter(isObject);
}

/**
 * Makes the copies of a run that are not there yet.
 *
 * @param atlas its folder
 * @param folders of the pictures in the run
 * @returns in the order of these, and how many had to be made; nothing for a picture that is not there
 * @throws {UserError} when one cannot be read or written.
 */
export async function smallPictures(
  atlas: string,
  run: string,
  folders: readonly string[],
): Promise<{ copies: (Small | undefined)[]; made: number }> {
  const before = readKnown(atlas, run);
  let made = 0;
  const copies = [];
  for (const folder of folders) {
    const file = join(atlas, RUNS, run, folder, "final.png");
    const bytes = sizeOf(file);
    const known = before.find((each) => each.folder === folder && each.bytes === bytes);
    if (known || bytes === undefined) {
      copies.push(known);
      continue;
    }
    copies.push({ folder, bytes, likeness: await makeSmall(atlas, run, folder, file) });
    made++;
  }
  if (made > 0) {
    const pictures = copies.filter((copy) => copy !== undefined);
    writeWholeSync(join(atlas, SMALL, run, KNOWN), JSON.stringify({ format: FORMAT, pictures }));
  }
  return { copies, made };
}

function sizeOf(file: string): number | undefined {
  try {
    return Deno.statSync(file).size;
  } catch {
    return undefined;
  }
}

/** What an earlier call left; nothing where that is not there, or cannot be understood. */
function readKnown(atlas: string, run: string): readonly Small[] {
  try {
    const known = JSON.parse(Deno.readTextFileSync(join(atlas, SMALL, run, KNOWN)));
    return known.format === FORMAT ? known.pictures : [];
  } catch {
    return [];
  }
}

/** Makes one copy, and says what it looks like. */
async function makeSmall(
  atlas: string,
  run: string,
  folder: string,
  file: string,
): Promise<string> {
  let picture: Rgba;
  try {
    picture = await decodePng(await Deno.readFile(file));
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}`);
  }
  const { width, height, rgba } = picture;
  const [count, scale] = [width * height, Math.min(1, SIDE / Math.max(width, height))];
  const planes = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    for (let plane = 0; plane < 3; plane++) planes[plane * count + i] = rgba[4 * i + plane]!;
  }
  const size = {
    width: Math.max(1, Math.round(scale * width)),
    height: Math.max(1, Math.round(scale * height)),
  };
  const small = resizeArea(planes, { width, height }, size);
  const copy = { ...size, rgba: pictureToRgba(small, size.width, size.height) };
  writeWholeSync(join(atlas, SMALL, run, `${folder}.webp`), await encodeWebp(copy, QUALITY));
  return new Uint8Array(likenessOf(small, size).buffer).toBase64();
}
