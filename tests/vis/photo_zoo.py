"""Writes photos of many kinds, and what Pillow (or OpenCV, of 16 bits) makes of all photos of a folder.

usage: photo_zoo.py FOLDER OUT: photos are added to FOLDER; OUT/NAME.rgb gets [height, width, 3] bytes.
"""
import os
import sys

import cv2
import numpy as np
from PIL import Image, ImageOps, features

folder, out = sys.argv[1:]
SIZE = 16
rng = np.random.default_rng(1)
ramp = np.linspace(0, 255, SIZE)
# Smooth, so that what decoders do between pixels of colour matters little.
rgb = np.stack([np.tile(ramp, (SIZE, 1)), np.tile(ramp[:, None], (1, SIZE)), 255 - np.tile(ramp, (SIZE, 1))], 2)
rgb = Image.fromarray(rgb.astype(np.uint8))
alpha = Image.fromarray(np.tile(ramp[:, None], (1, SIZE)).astype(np.uint8))
rgba = rgb.copy()
rgba.putalpha(alpha)
grey = rgb.convert("L")


def save(image, name, **options):
    image.save(os.path.join(folder, name), **options)


save(rgb, "j_444.jpg", quality=95, subsampling=0)
save(rgb, "j_420.jpg", quality=95, subsampling=2)
save(rgb, "j_progressive.jpg", quality=95, subsampling=0, progressive=True)
save(grey, "j_grey.jpg", quality=95)
save(rgb.convert("CMYK"), "j_cmyk.jpg", quality=95, subsampling=0)
save(rgb.resize((1, 1)), "j_one.jpg", quality=95)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(rgb, f"j_exif{orientation}.jpg", quality=95, subsampling=0, exif=exif)
save(rgb, "p_rgb.png")
save(rgba, "p_alpha.png")
save(grey, "p_grey.png")
save(Image.merge("LA", (grey, alpha)), "p_grey_alpha.png")
save(rgb.quantize(8), "p_palette.png")
save(rgb.quantize(8), "p_see_through.png", transparency=3)
save(grey.convert("1"), "p_bits.png")
save(rgb.resize((1, 1)), "p_one.png")
save(rgb.quantize(8), "g_still.gif")
save(rgb.quantize(8), "g_see_through.gif", transparency=3)
save(rgb.quantize(8), "g_moving.gif", save_all=True, append_images=[grey.quantize(8)], duration=100)
if features.check("webp"):
    save(rgb, "w_lossless.webp", lossless=True)
    save(rgba, "w_alpha.webp", lossless=True, exact=True)
    save(rgb, "w_moving.webp", lossless=True, save_all=True, append_images=[grey.convert("RGB")], duration=100)

for name in sorted(os.listdir(folder)):
    path = os.path.join(folder, name)
    deep = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if deep is not None and deep.dtype == np.uint16:
        deep = deep / 65535 * 255
        if deep.ndim == 2:
            deep = np.stack([deep] * 3, 2)
        seen = deep[..., 2::-1]
        if deep.shape[2] == 4:
            a = deep[..., 3:] / 255
            seen = 255 + (seen - 255) * a
    else:
        image = ImageOps.exif_transpose(Image.open(path))
        image.seek(0)
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        seen = np.asarray(Image.alpha_composite(white, image).convert("RGB"))
    np.asarray(np.rint(seen), np.uint8).tofile(os.path.join(out, name + ".rgb"))
