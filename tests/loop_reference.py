#!/usr/bin/env python3
"""Single steps of the goldens' loop for loop_goldens_test.ts.

    loop_reference.py SHARED OUT

Follows facet 2 of `lr_div1024` in float64 with the goldens' own script and writes, as raw float32:
pictures.bin [41,3,128,128], the picture before iteration 1 and after iterations 1..40 (0..255), and
apart.bin [40], how far a float32 step from each picture ends from the float64 one (largest, levels).
"""
import os, sys
import numpy as np, torch

shared, out = sys.argv[1:3]
scripts = os.path.join(shared, 'goldens', 'scripts')
sys.path.insert(0, scripts)
sys.argv = ['gen_loop_fixed.py', shared, out]
source = open(os.path.join(scripts, 'gen_loop_fixed.py')).read()
exec(source[:source.index('net = Net()')])

FACET, LAST = 2, 40
golden, _ = load_st(os.path.join(shared, 'goldens', 'loop_fixed_lr_default.safetensors'))
K = 1                                              # the script's functions read this global
one = slice(FACET, FACET + 1)
target = golden['target_maps'][one]
channels = torch.from_numpy(golden['target_channels'][one].astype(int))
low, high = (norm(np.full((1, 3, 1, 1), v)) for v in (0.0, 255.0))
net = Net()


def step(px, i, dtype):
    """Iteration i from the picture px (0..255, float64)."""
    v = {k: ramp(p, i, N) for k, p in OCT.items() if isinstance(p, tuple)}
    m = radial_mask(SIDE, v['mask_sigma'])
    if i % 10 == 0:
        px = np.clip(blur(px, v['blur_sigma']) * m + px * (1 - m), 0, 255)
    x = torch.from_numpy(norm(px)).to(dtype)
    g, _ = evaluate(net.to(dtype), x, torch.from_numpy(target).to(dtype), channels, v['l1_lambda'], dtype)
    moved = norm(px) - 1.9 * v['lr'] / 1024 * g.double().numpy() * m
    px = np.clip(pixels(np.clip(moved, low, high)), 0, 255)
    if i % 10 == 0:
        px = tv(px / 255.0, v['denoise_weight']) * 255.0 * m + px * (1 - m)
    return px


pictures, apart = [golden['start'][one].astype(np.float64)], []
for i in range(1, LAST + 1):
    # Both steps start from what a float32 reader of the file will see.
    pictures[-1] = pictures[-1].astype(np.float32).astype(np.float64)
    exact = step(pictures[-1], i, torch.float64)
    apart.append(np.abs(step(pictures[-1], i, torch.float32) - exact).max())
    pictures.append(exact)
np.concatenate(pictures).astype(np.float32).tofile(os.path.join(out, 'pictures.bin'))
np.array(apart, np.float32).tofile(os.path.join(out, 'apart.bin'))
