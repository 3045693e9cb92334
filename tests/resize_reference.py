"""OpenCV's, PyTorch's and SciPy's resizing and pooling for ops_resize_test.ts.

usage: resize_reference.py CASES OUT
CASES is JSON: a list of {"how": name, "x": [h, w], "y": [h, w]} or {"how": "maxPool2d", "x": [h, w], "options": ...}.
Writes OUT/<i>_x.f32 and OUT/<i>_y.f32 for each, and for maxPool2d OUT/<i>_gx.f32, the gradient of sum(y * y) / 2.
"""
import json, os, sys
import cv2, numpy as np, torch
import torch.nn.functional as F
from scipy.ndimage import zoom

CASES, OUT = json.loads(sys.argv[1]), sys.argv[2]
RANDOM = np.random.RandomState(5)


def spline(x, size):
    # mode: the default, 'constant', is this one too but for rounding at the far edge, where it may put 0.
    y = zoom(x, [b / a for a, b in zip(x.shape, size)], order=3, mode='mirror')
    assert y.shape == tuple(size)
    return y


def torched(f):
    return lambda x, size: f(torch.from_numpy(x)[None, None], size)[0, 0].numpy()


HOW = {
    'area': lambda x, size: cv2.resize(x, (size[1], size[0]), interpolation=cv2.INTER_AREA).reshape(size),
    'bilinear': torched(lambda x, size: F.interpolate(x, size, mode='bilinear', align_corners=False)),
    'bilinear, corners aligned': torched(lambda x, size: F.interpolate(x, size, mode='bilinear', align_corners=True)),
    'cubicSpline': spline,
    'adaptive': torched(F.adaptive_avg_pool2d),
}


def put(name, array):
    np.ascontiguousarray(array, np.float32).tofile(os.path.join(OUT, name + '.f32'))


for i, case in enumerate(CASES):
    x = RANDOM.standard_normal(case['x']).astype(np.float32).astype(np.float64)
    put(f'{i}_x', x)
    if case['how'] == 'maxPool2d':
        o = case['options']
        x = torch.from_numpy(x)[None, None].requires_grad_(True)
        y = F.max_pool2d(x, o['kernel'], o['stride'], o['padding'], o['dilation'], o['ceilMode'])
        put(f'{i}_gx', torch.autograd.grad((y * y / 2).sum(), x)[0].numpy())
        y = y.detach().numpy()
    else:
        y = HOW[case['how']](x, case['y'])
    put(f'{i}_y', y)
