"""Runs the pieces of recipe.py for recipe_test.ts.

usage: recipe_reference.py RECIPE.PY WEIGHTS.SAFETENSORS PHOTOS OUT
Writes OUT/<name>.f32 for every array and OUT/index.json: {"arrays": {name: shape}, and plain values}.
"""
import importlib.util, json, math, os, sys
import numpy as np, torch
import torch.nn.functional as F

RECIPE, WEIGHTS, PHOTOS, OUT = sys.argv[1:5]
spec = importlib.util.spec_from_file_location('recipe', RECIPE)
R = importlib.util.module_from_spec(spec)
spec.loader.exec_module(R)
COLOUR = R.COLOUR
INDEX = {'arrays': {}}


def put(name, array):
    array = np.asarray(array.detach() if torch.is_tensor(array) else array, np.float32)
    INDEX['arrays'][name] = list(array.shape)
    array.tofile(os.path.join(OUT, name.replace('/', '.') + '.f32'))


def draws(seed, count, opt, side):
    """The numbers `visualise` draws, in its order."""
    rng, out = np.random.RandomState(seed), []
    for _ in range(count):
        zoom, turn = math.exp(rng.uniform(-1, 1) * opt['zoom']), math.radians(rng.uniform(-1, 1) * opt['turn'])
        j = opt['shift'] * side
        out.append(dict(zoom=zoom, turn=turn, dx=rng.uniform(-j, j), dy=rng.uniform(-j, j)))
    return out


def visualise(forward, start, target, mean, opt, seed, dtype):
    """recipe.visualise in float32 or float64."""
    R.COLOUR = COLOUR.to(dtype)
    x = R.visualise(forward, start.to(dtype), target.to(dtype), mean.to(dtype), opt, seed)
    R.COLOUR = COLOUR
    return x


torch.manual_seed(0)
randn = lambda *shape: torch.randn(*shape).double()

# ------------------------------------------------------------ pieces, in float64 on float32 inputs
small = torch.from_numpy(R.read_photos(PHOTOS, 48, 2)).double() / 255
put('small', small)

side = 40
x, cotangent = randn(2, 3, side, side), randn(2, 3, side, side)
put('warp/x', x)
put('warp/cotangent', cotangent)
INDEX['warps'] = [dict(zoom=1, turn=0, dx=0, dy=0)] + draws(1, 4, R.DEFAULT, side) + \
    [dict(zoom=0.37, turn=2.9, dx=17.3, dy=-19.9), dict(zoom=2.7, turn=-1.2, dx=-11, dy=8.25), dict(zoom=1, turn=0, dx=61.7, dy=-130.2)]
for i, d in enumerate(INDEX['warps']):
    p = x.clone().requires_grad_(True)
    y = R.warp(p, d['zoom'], d['turn'], d['dx'], d['dy'])
    put(f'warp/{i}/y', y)
    put(f'warp/{i}/transpose', torch.autograd.grad((y * cotangent).sum(), p)[0])

g = randn(2, 3, side, side) * torch.tensor([1e-3, 40.]).view(2, 1, 1, 1).double()
put('gradient/raw', g)
coloured = torch.einsum('ij,bjhw->bihw', COLOUR.double(), g)
put('gradient/colour', coloured)
put('gradient/rms', R.rms(g))
normalised = lambda g: g / R.rms(g)
bands = lambda g: sum(b / R.rms(b) for b in (R.gaussian(g, s) for s in R.DEFAULT['gradient_bands']))
put('gradient/normalised', normalised(g))
put('gradient/bands', bands(g))
put('gradient/all', normalised(bands(coloured)))

INDEX['sigmas'] = [0.04, 0.2, 0.34, 0.5, 1, 2, 4]
for i, s in enumerate(INDEX['sigmas']):
    put(f'blur/{i}', R.gaussian(small, s))

INDEX['masks'] = [dict(side=n, sigma=s, radius=r) for n in (48, 75, 224) for s, r in ((420, .25), (340, .25), (380, .4))]
for i, m in enumerate(INDEX['masks']):
    put(f'mask/{i}', R.radial_mask(m['side'], m['sigma'], m['radius']))

noisy = (small + 0.1 * randn(*small.shape)).clamp(0, 1).float()
put('tv/x', noisy)
INDEX['weights'] = [8, 19.5, 40]
for i, w in enumerate(INDEX['weights']):
    put(f'tv/{i}', R.tv_denoise(noisy, w))

# Facets: the weights of find_facets do not depend on what t-SNE gives, so it is told what to give.
embedding = np.random.RandomState(3).randn(30, 2).astype(np.float32)
import sklearn.manifold
class FixedTSNE:
    def __init__(self, **_): pass
    def fit_transform(self, _): return embedding
sklearn.manifold.TSNE = FixedTSNE
facets = R.find_facets(np.random.RandomState(4).randn(30, 64).astype(np.float32), 2)
from sklearn.cluster import KMeans
centres = KMeans(n_clusters=2, random_state=0, n_init=10).fit(embedding.astype(np.float64)).cluster_centers_
INDEX['facets'] = [dict(distances=[float(np.linalg.norm(embedding[n].astype(np.float64) - c)) for n in near], weights=[float(v) for v in w])
                   for c, (near, w) in zip(centres, facets)]

# ------------------------------------------------------------ the loop on a smooth little network
side, k, c = 48, 2, 12
kernel = torch.randn(c, 3, 5, 5) * 0.2
put('smooth/kernel', kernel)
def smooth(x):
    y = F.conv2d(x - 0.5, kernel.to(x.dtype), stride=2)
    return (y * y).mean((2, 3)), y
start = (small * 255).float() / 255
with torch.no_grad():
    target = smooth(1 - small.flip(3).double())[0] * torch.rand(k, c).double() * 2
mean = target.mean(0) * 0.7
put('smooth/start', start * 255)
put('smooth/target', target)
put('smooth/mean', mean)
target, mean = target.float(), mean.float()
base = dict(R.DEFAULT, channels=5)
PLAIN = dict(base, colour=False, gradient_bands=(0.,), shift=0., zoom=0., turn=0., every=1000)
INDEX['plain'], INDEX['whole'] = [1, 2, 3], [1, 3, 9, 10, 25]
for n in INDEX['plain']:
    put(f'smooth/plain/{n}', visualise(smooth, start, target, mean, dict(PLAIN, iterations=n), 0, torch.float64) * 255)
for n in INDEX['whole']:
    put(f'smooth/whole/{n}', visualise(smooth, start, target, mean, dict(base, iterations=n), 5, torch.float64) * 255)
# A mean between the start's pooled activations and the target: the cosine starts at -1, below its clamp.
with torch.no_grad():
    opposed = ((smooth(start)[0][0] + target[0]) / 2).float()
put('smooth/opposed', opposed)
put('smooth/clamped', visualise(smooth, start, target, opposed, dict(base, iterations=3), 5, torch.float64) * 255)
INDEX['smooth_draws'] = draws(5, max(INDEX['whole']), base, side)

# ------------------------------------------------------------ the loop on SqueezeNet and photos
forward, net = R.load_net('squeezenet1_1', WEIGHTS)
# float32 rounds places in the warp to 1e-5 pixels, so that what the network sees is off by 1e-6 or so.
# A rectifier or max pool whose decision that can change shows as a picture that depends on such noise.
# Larger pictures and more steps have more decisions, so fewer candidates without such a one.
noisy = lambda x: forward(x + 1e-6 * torch.randn(*x.shape).to(x.dtype))
INDEX['photos'] = []
side, photos = 64, R.read_photos(PHOTOS, 64, 24)
for n, candidates, keep in ((1, 32, 3), (3, 64, 2)):
    rng, seed = np.random.RandomState(6), 6 + n
    some = [(rng.permutation(len(photos))[:6], rng.dirichlet(np.ones(6) * 0.7)) for _ in range(candidates)]
    net.float()
    _, start, target, mean = R.prepare(forward, photos, len(some), facets=some)
    start255 = (start * 255).float()
    start, opt = start255.double() / 255, dict(R.DEFAULT, iterations=n)
    others = [visualise(noisy, start, target, mean, opt, seed, torch.float32) for _ in range(4)]
    net.double()
    exact = visualise(forward, start, target, mean, opt, seed, torch.float64)
    apart = torch.stack([(x.double() - exact).abs().amax((1, 2, 3)) for x in others]).amax(0) * 255
    best = torch.argsort(apart)[:keep]
    INDEX['photos'].append(dict(iterations=n, facets=[int(v) for v in best], apart=[float(v) for v in apart],
                                draws=draws(seed, n, R.DEFAULT, side)))
    put(f'photos{n}/start', start255[best])
    put(f'photos{n}/target', target[best])
    put(f'photos{n}/mean', mean)
    put(f'photos{n}/picture', exact[best] * 255)

with open(os.path.join(OUT, 'index.json'), 'w') as f:
    json.dump(INDEX, f)
