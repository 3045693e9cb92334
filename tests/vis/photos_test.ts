import assert from "node:assert/strict";
import { join } from "node:path";
import { Image } from "imagescript";
import { UserError } from "../../base/errors.ts";
import { listPhotos, readPhoto, readPhotos } from "../../vis/photos/photos.ts";
import { decodeWebp } from "../../vis/photos/webp.ts";
import { encodeWebp } from "../../vis/photos/webp_encode.ts";
import { decodePng, encodePng, pictureToRgba } from "../../vis/photos/png.ts";
import { SMALL_PHOTOS, type SmallPhoto } from "./small_photos.ts";
import { findPython, runReference, WANTED_PYTHON } from "../python.ts";
import { PNG_KINDS, smallPng } from "./small_png.ts";
import { golden, readSafetensors, sharedPath, testWithShared } from "../goldens.ts";

const IMAGES = "goldens/loop_images_ants60_128_rgb_u8.safetensors";

/** Runs `body` with a fresh folder that holds these files. */
async function withFolder(
  files: Record<string, Uint8Array | string>,
  body: (folder: string) => void | Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? Uint8Array.from(content, byteOf) : content;
      Deno.writeFileSync(join(folder, name), bytes);
    }
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const byteOf = (character: string) => character.charCodeAt(0);

/** 32x16: the top left quarter red, top right green, bottom left blue, bottom right white. */
function quarters(): Image {
  const colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]];
  const image = new Image(32, 16);
  for (let y = 0; y < 16; y++) {
    for (let x = 0; x < 32; x++) {
      const colour = colours[(y < 8 ? 0 : 2) + (x < 16 ? 0 : 1)]!;
      image.bitmap.set([...colour, 255], 4 * (y * 32 + x));
    }
  }
  return image;
}

/** The colours of the quarters of [3, 8, 8] pixels, as letters, row by row. */
function look(pixels: Float32Array): string {
  return [[2, 2], [6, 2], [2, 6], [6, 6]].map(([x, y]) => {
    const [r, g, b] = [0, 1, 2].map((c) => pixels[c * 64 + y! * 8 + x!]! > 128);
    return r && g && b ? "W" : r ? "R" : g ? "G" : b ? "B" : "?";
  }).join("");
}

/** A JPEG with an EXIF segment put behind its first two bytes. */
function withOrientation(jpeg: Uint8Array, orientation: number, littleEndian: boolean): Uint8Array {
  const segment = new DataView(new ArrayBuffer(36));
  segment.setUint16(0, 0xffe1);
  segment.setUint16(2, 34);
  [..."Exif\0\0"].forEach((character, i) => segment.setUint8(4 + i, byteOf(character)));
  segment.setUint16(10, littleEndian ? 0x4949 : 0x4d4d);
  segment.setUint16(12, 42, littleEndian);
  segment.setUint32(14, 8, littleEndian); // the directory follows at once
  segment.setUint16(18, 1, littleEndian); // one entry:
  segment.setUint16(20, 0x0112, littleEndian); // orientation,
  segment.setUint16(22, 3, littleEndian); // a short,
  segment.setUint32(24, 1, littleEndian); // just one
  segment.setUint16(28, orientation, littleEndian);
  return Uint8Array.from([
    ...jpeg.slice(0, 2),
    ...new Uint8Array(segment.buffer),
    ...jpeg.slice(2),
  ]);
}

testWithShared("real photos come out as OpenCV reads them", [IMAGES, "images/ants"], async () => {
  const theirs = golden(readSafetensors(sharedPath(IMAGES)), "images");
  const limit = 12;
  const { photos, skipped } = await readPhotos(sharedPath("images", "ants"), { size: 128, limit });
  assert.equal(photos.length, limit);
  assert.deepEqual(skipped, []);
  const length = 3 * 128 * 128;
  photos.forEach(({ name, pixels }, k) => {
    let [sum, worst] = [0, 0];
    for (let i = 0; i < length; i++) {
      const difference = Math.abs(pixels[i]! - theirs[k * length + i]!);
      sum += difference;
      worst = Math.max(worst, difference);
    }
    // 0.25 is what their rounding to whole levels makes; decoders differ by up to 2 levels.
    assert.ok(sum / length < 0.4, `${name}: mean difference ${sum / length}`);
    assert.ok(worst < 3, `${name}: largest difference ${worst}`);
  });
});

Deno.test("all eight EXIF orientations stand upright", async () => {
  const jpeg = await quarters().encodeJPEG(100);
  // What is seen when the stored R G / B W is turned as the orientation says.
  const seen = ["RGBW", "GRWB", "WBGR", "BWRG", "RBGW", "BRWG", "WGBR", "GWRB"];
  for (const [i, expected] of seen.entries()) {
    for (const littleEndian of [true, false]) {
      const file = withOrientation(jpeg, i + 1, littleEndian);
      await withFolder({ "a.jpg": file }, async (folder) => {
        const photo = await readPhoto(join(folder, "a.jpg"), 8);
        assert.equal(look(photo.pixels), expected, `orientation ${i + 1}`);
        assert.deepEqual([photo.width, photo.height], i < 4 ? [32, 16] : [16, 32]);
      });
    }
  }
});

Deno.test("a damaged EXIF note counts as none", async () => {
  const jpeg = await quarters().encodeJPEG(100);
  const broken = [withOrientation(jpeg, 9, true), withOrientation(jpeg, 0, true)];
  const past = withOrientation(jpeg, 6, true);
  past.fill(0xff, 16, 20); // the directory lies past the end
  for (const file of [...broken, past]) {
    await withFolder({ "a.jpg": file }, async (folder) => {
      assert.equal(look((await readPhoto(join(folder, "a.jpg"), 8)).pixels), "RGBW");
    });
  }
});

Deno.test("PNG, GIF and transparency are read", async () => {
  const clear = quarters();
  for (let i = 0; i < 8 * 32; i++) clear.bitmap[4 * i + 3] = 0; // the upper half
  const gif = Uint8Array.from( // 2x1, red and blue
    "GIF89a\x02\x00\x01\x00\x80\x00\x00\xff\x00\x00\x00\x00\xff,\x00\x00\x00\x00\x02\x00\x01" +
      "\x00\x00\x02\x02\x44\x0a\x00;",
    byteOf,
  );
  await withFolder({
    "a.png": await quarters().encode(),
    "b.png": await clear.encode(),
    "c.GIF": gif,
  }, async (folder) => {
    const { photos } = await readPhotos(folder, { size: 8 });
    assert.deepEqual(photos.map((photo) => photo.name), ["a.png", "b.png", "c.GIF"]);
    assert.deepEqual(photos.map((photo) => look(photo.pixels)), ["RGBW", "WWBW", "RBRB"]);
  });
});

/** An AVIF file turned by 90° as often as said and then mirrored, if at all. */
function turnedAvif(turns: number, mirror?: number): Uint8Array<ArrayBuffer> {
  const file = SMALL_PHOTOS["b.avif"];
  const text = new TextDecoder("latin1").decode(file);
  const box = (kind: string, value: number) => [0, 0, 0, 9, ...[...kind].map(byteOf), value];
  const added = [...box("irot", turns), ...(mirror === undefined ? [] : box("imir", mirror))];
  const at = text.indexOf("ipma") - 4; // behind the last property
  const grown = Uint8Array.from([...file.slice(0, at), ...added, ...file.slice(at)]);
  const view = new DataView(grown.buffer);
  for (const kind of ["meta", "iprp", "ipco"]) {
    const length = text.indexOf(kind) - 4;
    view.setUint32(length, view.getUint32(length) + added.length);
  }
  // What the picture is made of lies as much further back.
  const iloc = text.indexOf("iloc") + 4 + 4 + 2 + 2 + 2 + 2 + 4 + 2;
  view.setUint32(iloc, view.getUint32(iloc) + added.length);
  return grown;
}

/** Those that WebP's and AVIF's own decoders read. */
const MODERN = Object.fromEntries(
  Object.entries(SMALL_PHOTOS).filter(([name]) => !name.endsWith(".gif")),
);

Deno.test("WebP and AVIF are read, turned as they say; of an animation the first picture", async () => {
  await withFolder(MODERN, async (folder) => {
    const { photos, skipped } = await readPhotos(folder, { size: 8 });
    assert.deepEqual(skipped, []);
    // EXIF 6: what was stored left stands above.
    assert.deepEqual(photos.map((photo) => look(photo.pixels)), ["BRWG", "RGBW", "RGBW"]);
    assert.deepEqual(photos.map(({ width, height }) => [width, height]), [
      [16, 32],
      [32, 16],
      [32, 16],
    ]);
  });
  // Anticlockwise; then 1: left and right change places, 0: above and below.
  const turned: (readonly [number, number | undefined, string])[] = [
    ...[[0, undefined, "RGBW"], [1, undefined, "GWRB"], [2, undefined, "WBGR"]] as const,
    ...[[3, undefined, "BRWG"], [0, 1, "GRWB"], [0, 0, "BWRG"], [1, 1, "WGBR"]] as const,
    ...[[1, 0, "RBGW"], [2, 1, "BWRG"], [3, 0, "WGBR"]] as const,
  ];
  for (const [turns, mirror, expected] of turned) {
    await withFolder({ "a.avif": turnedAvif(turns, mirror) }, async (folder) => {
      const { pixels } = await readPhoto(join(folder, "a.avif"), 8);
      assert.equal(look(pixels), expected, `turned ${turns}, mirrored ${mirror}`);
    });
  }
});

/** A file that says it is as large as can be. */
function bombOf(name: SmallPhoto, box: string, offset: number, bytes: number): Uint8Array {
  const file = SMALL_PHOTOS[name].slice();
  const at = new TextDecoder("latin1").decode(file).indexOf(box) + offset;
  return file.fill(0xff, at, at + bytes);
}

Deno.test("what cannot be read is skipped, with the file's name and why", async () => {
  const jpeg = await quarters().encodeJPEG(90);
  const bomb = jpeg.slice();
  const frame = bomb.findIndex((byte, i) => byte === 0xff && bomb[i + 1] === 0xc0);
  bomb.fill(0xff, frame + 5, frame + 9); // 65535 x 65535
  const thin = jpeg.slice();
  thin.set([0x20, 0, 0x20, 0], frame + 5); // 8192 x 8192
  const frameBomb = SMALL_PHOTOS["d.gif"].slice();
  const at = frameBomb.indexOf(0x2c, 13 + 8 * 3); // behind the screen and its colours
  frameBomb.fill(0xff, at + 5, at + 9);
  const seen: string[] = [];
  await withFolder({
    "a_cut.jpg": jpeg.slice(0, 300),
    "b_empty.png": "",
    "c_text.jpeg": "not a photo",
    "d.webp": "RIFF\x10\x00\x00\x00WEBPVP8 ",
    "e_named_wrong.jpg": "II*\0\x08\0\0\0",
    "f.bmp": "BM\0\0",
    "g_bomb.png": "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\xff\0\0\0\xff\0\0\x08\x06\0\0\0",
    "h_bomb.jpg": bomb,
    "i_bomb.webp": bombOf("a.webp", "VP8X", 12, 6),
    "j_bomb.avif": bombOf("b.avif", "ispe", 8, 8),
    "k_heic.heic": "\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "l_thin.jpg": thin,
    "m_frame.gif": frameBomb,
    "ignored.txt": "hello",
    ".hidden.jpg": "",
    "z.jpg": jpeg,
  }, async (folder) => {
    const { photos, skipped } = await readPhotos(folder, {
      size: 8,
      onProgress: (done, total) => seen.push(`${done}/${total}`),
    });
    assert.deepEqual(photos.map((photo) => photo.name), ["z.jpg"]);
    assert.deepEqual(skipped.map(({ file, reason }) => `${file}: ${reason}`), [
      "a_cut.jpg: a damaged JPEG file (jpg: failed to decode)",
      "b_empty.png: an empty file",
      "c_text.jpeg: not a picture",
      "d.webp: a damaged WebP file (Decoding error)",
      "e_named_wrong.jpg: TIFF is not supported, save it as JPEG or PNG",
      "f.bmp: BMP is not supported, save it as JPEG or PNG",
      "g_bomb.png: a damaged PNG file (279280248422400 pixels are too many)",
      "h_bomb.jpg: a damaged JPEG file (4294836225 pixels are too many)",
      "i_bomb.webp: a damaged WebP file (281474976710656 pixels are too many)",
      "j_bomb.avif: a damaged AVIF file (18446744065119617000 pixels are too many)",
      "k_heic.heic: HEIC is not supported, save it as JPEG or PNG",
      `l_thin.jpg: a damaged JPEG file (67108864 pixels in ${jpeg.length} bytes)`,
      "m_frame.gif: a damaged GIF file (4294836225 pixels are too many)",
    ]);
    assert.equal(seen.at(-1), "14/14");
  });
});

Deno.test("pipes, devices and files too large for a photo are skipped unopened", async () => {
  await withFolder({ "a.png": await quarters().encode(), "large.jpg": "" }, async (folder) => {
    Deno.truncateSync(join(folder, "large.jpg"), 2 ** 29 + 1); // takes no room on the disk
    new Deno.Command("mkfifo", { args: [join(folder, "pipe.jpg")] }).outputSync();
    Deno.symlinkSync("/dev/zero", join(folder, "zero.jpg"));
    Deno.symlinkSync(join(folder, "a.png"), join(folder, "link.png"));
    const { photos, skipped } = await readPhotos(folder, { size: 8 });
    assert.deepEqual(photos.map(({ name }) => name), ["a.png", "link.png"]);
    const pipe = "no regular file but a pipe, socket or device";
    assert.deepEqual(skipped, [
      { file: "large.jpg", reason: "its 536870913 bytes are too many; at most 536870912" },
      { file: "pipe.jpg", reason: pipe },
      { file: "zero.jpg", reason: pipe },
    ]);
  });
});

Deno.test("folders without a readable photo are refused in plain words", async () => {
  await withFolder({ "a.txt": "x" }, (folder) => {
    assert.throws(() => listPhotos(folder), UserError);
    assert.throws(
      () => listPhotos(folder),
      /no photos in .*should hold JPEG, PNG, WebP, AVIF or GIF/,
    );
    assert.throws(() => listPhotos(join(folder, "nowhere")), /there is no folder .*nowhere/);
    assert.throws(() => listPhotos(join(folder, "a.txt")), /a\.txt is a file/);
  });
  await withFolder({ "a.jpg": "x", "b.jpg": "" }, async (folder) => {
    await assert.rejects(readPhotos(folder, { size: 8 }), UserError);
    await assert.rejects(
      readPhotos(folder, { size: 8 }),
      /none of 2 photos could be read; the first, a\.jpg: not a picture/,
    );
    await assert.rejects(readPhoto(join(folder, "b.jpg"), 8), /cannot read the photo .*empty file/);
  });
});

Deno.test("float pictures become bytes by rounding and clamping, and PNG keeps them", async () => {
  const picture = Float32Array.of(-3, 12.4, 12.6, 300, 0, 1, 2, 3, 4, 5, 6, 7);
  const rgba = pictureToRgba(picture, 2, 2);
  assert.deepEqual([...rgba], [
    ...[0, 0, 4, 255],
    ...[12, 1, 5, 255],
    ...[13, 2, 6, 255],
    ...[255, 3, 7, 255],
  ]);
  const back = await decodePng(await encodePng(rgba, 2, 2));
  assert.deepEqual([back.width, back.height, [...back.rgba]], [2, 2, [...rgba]]);
  assert.throws(() => pictureToRgba(picture, 3, 2), /18 values, got 12/);
  await assert.rejects(encodePng(rgba, 3, 2), /24 bytes/);
});

const python = findPython();
// deno-lint-ignore no-console
if (!python) console.warn(`SKIPPED photos beside Pillow: no ${WANTED_PYTHON}`);

/** Most that levels may differ from Pillow's, by kind: decoders of JPEG round in their own ways. */
const LEVELS: readonly (readonly [name: RegExp, levels: number])[] = [
  [/420/, 12],
  [/^j_/, 3],
  // Colour and alpha are each cut to 8 bits.
  [/^k_[46]_16/, 2],
  [/./, 1.01],
];

Deno.test({ name: "photos of all kinds are what Pillow reads", ignore: !python }, async (t) => {
  const kinds = PNG_KINDS.flatMap((kind) =>
    [false, true].map((interlaced) => [
      `k_${kind.join("_")}${interlaced ? "_interlaced" : ""}.png`,
      smallPng(kind, interlaced, [16, 16]),
    ])
  );
  await withFolder(Object.fromEntries(kinds), async (folder) => {
    const expected = await runReference(python!, "vis/photo_zoo.py", [folder], (out) =>
      new Map(
        [...Deno.readDirSync(out)].map(({ name }) => [name, Deno.readFileSync(join(out, name))]),
      ));
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
    assert.ok(names.length > 50, names.join());
    for (const name of names) {
      await t.step(name, async () => {
        const theirs = expected.get(`${name}.rgb`)!;
        const side = Math.sqrt(theirs.length / 3);
        const { pixels, width, height } = await readPhoto(join(folder, name), side);
        assert.deepEqual([width, height], [side, side]);
        let worst = 0;
        for (let i = 0; i < side * side; i++) {
          for (let c = 0; c < 3; c++) {
            worst = Math.max(worst, Math.abs(pixels[c * side * side + i]! - theirs[3 * i + c]!));
          }
        }
        const [, levels] = LEVELS.find(([kind]) => kind.test(name))!;
        assert.ok(worst <= levels, `differs by ${worst} levels`);
      });
    }
  });
});

Deno.test("a picture as WebP is nearly the same, in the same bytes each time", async () => {
  const { bitmap, width, height } = quarters();
  const picture = { rgba: Uint8ClampedArray.from(bitmap), width, height };
  const bytes = await encodeWebp(picture, 90);
  const back = await decodeWebp(bytes);
  assert.deepEqual([back.width, back.height], [width, height]);
  const away = back.rgba.map((v, i) => Math.abs(v - bitmap[i]!));
  const mean = away.reduce((a, b) => a + b, 0) / away.length;
  assert.ok(mean < 8, `${mean}`);
  assert.deepEqual(await encodeWebp(picture, 90), bytes);
  await assert.rejects(() => encodeWebp({ ...picture, width: 31 }, 90), RangeError);
});
