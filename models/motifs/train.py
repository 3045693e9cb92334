#!/usr/bin/env python3
"""Trains the built-in model on the drawings of draw.ts and writes motifs.safetensors beside this file.

    python3 models/motifs/train.py        (needs deno, numpy and torch; about a quarter of an hour)

Seeded: the same machine and versions give the same weights. Three things beside plain classification make the
features worth looking at: pictures moved against the model (so that its gradients look like what it sees), shuffled
pictures as a class of their own (so that shape counts, not only colour), and a decoder, thrown away afterwards, that
must redraw the picture from the features (so that they keep its details).
"""
import json, os, struct, subprocess, tempfile, time
import numpy as np, torch
import torch.nn as nn
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
SEED, STEPS, BATCH = 0, 2000, 64
EACH, DRAWN, SIDE = 300, 112, 96        # drawings per motif; their side, and the side after a random turn and zoom
HELD_OUT, HELD_OUT_SIDE = 50, 128       # other drawings, at the demo's size
PEAK_RATE, WEIGHT_DECAY = 0.1, 5e-4
EPSILON = 3.0                           # how far a picture is moved: Euclidean, pixels in 0..1
REDRAW = 8.0                            # weight of the decoder's squared error
JUMBLED, GREY = 0.2, 0.2                # shares of the batch shuffled, and without colour
MEAN, STD = 0.5, 0.25                   # the model's input normalisation, for each of red, green and blue
WIDTH = 112                             # channels of the features


def conv(inputs, outputs, size=3, stride=1):
    return [nn.Conv2d(inputs, outputs, size, stride, (size - stride + 1) // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


class Net(nn.Module):
    """features: [n,3,h,w] -> [n,112,h/16,w/16]; their mean over the picture goes to the classifier."""

    def __init__(self, classes):
        super().__init__()
        # The first kernel is a multiple of its stride and pooling is by average: every pixel counts alike, so the
        # gradient has no checkerboard and no winner that takes all.
        self.features = nn.Sequential(
            *conv(3, 24, size=6, stride=2),
            *conv(24, 32), nn.AvgPool2d(2),
            *conv(32, 64), nn.AvgPool2d(2),
            *conv(64, 80), nn.AvgPool2d(2),
            *conv(80, 96),
            *conv(96, WIDTH))
        self.classifier = nn.Linear(WIDTH, classes)

    def forward(self, x):
        return self.heads(x)[0]

    def heads(self, x):
        features = self.features((x - MEAN) / STD)
        return self.classifier(features.mean((2, 3))), features


def drawings(each, side, seed):
    """-> (pictures [n,3,side,side] uint8, motifs [n])"""
    with tempfile.NamedTemporaryFile() as f:
        subprocess.run(['deno', 'run', '--allow-write', os.path.join(HERE, 'dump.ts'), 'motifs', f.name,
                        str(each), str(side), str(seed)], check=True)
        x = np.fromfile(f.name, np.uint8).reshape(-1, side, side, 3).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(x)), torch.arange(len(x)) // each


def varied(x, rng):
    """Each picture turned, zoomed, shifted, relit and tinted at random, some without colour -> [n,3,SIDE,SIDE] in 0..1"""
    n = len(x)
    def uniform(low, high):
        return torch.from_numpy(rng.uniform(low, high, n).astype(np.float32))
    angle, zoom = uniform(-0.3, 0.3), torch.exp(uniform(-0.35, 0.25))
    c, s = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    theta = torch.stack([c, -s, uniform(-0.2, 0.2), s, c, uniform(-0.2, 0.2)], 1).view(n, 2, 3)
    grid = F.affine_grid(theta, (n, 3, SIDE, SIDE), align_corners=False)
    x = F.grid_sample(x.float() / 255, grid, padding_mode='reflection', align_corners=False)
    grey = torch.from_numpy(rng.rand(n) < GREY)
    x[grey] = x[grey].mean(1, keepdim=True)
    tint = torch.stack([uniform(0.8, 1.2) for _ in range(3)], 1).view(n, 3, 1, 1)
    return (x * tint + uniform(-0.1, 0.1).view(n, 1, 1, 1)).clamp(0, 1)


def jumbled(x, rng):
    """The pictures cut into tiles, the tiles shuffled: the same colours and textures, but no shape."""
    n, k = len(x), rng.choice([2, 3, 4])
    side = SIDE // k
    tiles = x.view(n, 3, k, side, k, side).permute(0, 2, 4, 1, 3, 5).reshape(n, k * k, 3, side, side)
    tiles = torch.stack([t[torch.from_numpy(rng.permutation(k * k))] for t in tiles])
    return tiles.view(n, k, k, 3, side, side).permute(0, 3, 1, 4, 2, 5).reshape(n, 3, SIDE, SIDE)


def hardened(net, x, y):
    """The pictures moved by EPSILON up their loss, from a random place near by."""
    def unit(d):
        return d / (d.flatten(1).norm(dim=1).view(-1, 1, 1, 1) + 1e-12)
    d = (EPSILON / 2 * unit(torch.randn(x.shape))).requires_grad_(True)
    g, = torch.autograd.grad(F.cross_entropy(net(x + d), y), d)
    return (x + d.detach() + EPSILON * unit(g)).clamp(0, 1)


def accuracy(net, x, y, motifs):
    """The share of pictures whose motif scores highest of all motifs."""
    net.eval()
    with torch.no_grad():
        found = torch.cat([net(part.float() / 255)[:, :motifs].argmax(1) for part in x.split(50)])
    net.train()
    return (found == y).float().mean().item()


def save(path, tensors):
    """Safetensors: the header's length (8 bytes, little-endian), the header as JSON, the numbers as float32."""
    header, end = {}, 0
    for name, t in tensors.items():
        begin, end = end, end + 4 * t.numel()
        header[name] = {'dtype': 'F32', 'shape': list(t.shape), 'data_offsets': [begin, end]}
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text)
        for t in tensors.values():
            f.write(t.contiguous().numpy().astype('<f4').tobytes())


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)        # the sums, and so the weights, do not depend on the number of cores
    rng, began = np.random.RandomState(SEED), time.time()
    x, y = drawings(EACH, DRAWN, 1000)
    held_x, held_y = drawings(HELD_OUT, HELD_OUT_SIDE, 2000)
    motifs = int(y.max()) + 1
    print(f'{len(x)} + {len(held_x)} drawings of {motifs} motifs in {time.time() - began:.0f} s', flush=True)

    net = Net(motifs + 1).to(memory_format=torch.channels_last)      # the last class: jumbled
    decoder = nn.Conv2d(WIDTH, 3 * 8 * 8, 1)                         # each place redraws its 8 x 8 pixels at half size
    parameters = [*net.parameters(), *decoder.parameters()]
    optimiser = torch.optim.SGD(parameters, PEAK_RATE, momentum=0.9, weight_decay=WEIGHT_DECAY, nesterov=True)
    cuts, began = int(BATCH * JUMBLED), time.time()
    for step in range(STEPS):
        a = step / STEPS
        optimiser.param_groups[0]['lr'] = PEAK_RATE * min(1, 20 * a) * 0.5 * (1 + np.cos(np.pi * a))
        pick = torch.from_numpy(rng.randint(0, len(x), BATCH))
        seen, label = varied(x[pick], rng), y[pick]
        seen[:cuts], label[:cuts] = jumbled(seen[:cuts], rng), motifs
        seen = seen.contiguous(memory_format=torch.channels_last)
        scores, features = net.heads(hardened(net, seen, label))
        redrawn = F.pixel_shuffle(decoder(features), 8)
        loss = F.cross_entropy(scores, label) + REDRAW * F.mse_loss(redrawn, F.avg_pool2d(seen, 2))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 200 == 199:
            print(f'step {step + 1:4d} {time.time() - began:4.0f} s  loss {loss.item():.3f}  '
                  f'held-out accuracy {accuracy(net, held_x[::5], held_y[::5], motifs):.3f}', flush=True)
    print(f'held-out accuracy {accuracy(net, held_x, held_y, motifs):.4f} on {len(held_x)} drawings')

    state = {k: v.detach() for k, v in net.state_dict().items() if not k.endswith('num_batches_tracked')}
    for name in ('classifier.weight', 'classifier.bias'):            # the motifs only
        state[name] = state[name][:motifs]
    save(os.path.join(HERE, 'motifs.safetensors'), state)


if __name__ == '__main__':
    main()
