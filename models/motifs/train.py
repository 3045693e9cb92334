#!/usr/bin/env python3
"""Trains the built-in model on the drawings of draw.ts and writes motifs.safetensors beside this file.

    python3 models/motifs/train.py        (from the repository root; needs deno, numpy and torch)

About a quarter of an hour on two cores. Seeded: the same machine and versions give the same weights.
"""
import json, os, struct, subprocess, tempfile, time
import numpy as np, torch
import torch.nn as nn
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
EACH, HELD_OUT = 300, 50        # drawings per class
DRAWN, SIDE = 112, 96           # pixels: as drawn, and as trained on after a random turn, zoom and shift
BATCH, STEPS = 64, int(os.environ.get('STEPS', 3000))
PEAK_RATE, WEIGHT_DECAY = 0.1, 5e-4
EPSILON = float(os.environ.get('EPS', 1.5))
SEED = 0
RECON = float(os.environ.get('RECON', 0))
GREY, JUMBLE = float(os.environ.get('GREY', .2)), float(os.environ.get('JUMBLE', .2))


def drawings(each, seed):
    """-> (pictures [n,3,side,side] uint8, labels [n]); class after class, in the order of MOTIFS."""
    cache = f'/tmp/motifs/cache_{each}_{seed}.npy'
    if os.path.exists(cache):
        x = np.load(cache)
        return torch.from_numpy(x), torch.arange(len(x)) // each
    with tempfile.NamedTemporaryFile() as f:
        subprocess.run(['deno', 'run', '--allow-write', os.path.join(HERE, 'dump.ts'), f.name, str(each), str(DRAWN), str(seed)], check=True)
        x = np.fromfile(f.name, np.uint8).reshape(-1, DRAWN, DRAWN, 3).transpose(0, 3, 1, 2)
    np.save(cache, x.copy())
    return torch.from_numpy(x.copy()), torch.arange(len(x)) // each


def block(inputs, outputs):
    # Average pooling: no winner takes all, so the gradient reaches every pixel.
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(), nn.AvgPool2d(2)]


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 24, 6, stride=2, padding=2, bias=False), nn.BatchNorm2d(24), nn.ReLU(),
            *block(24, 32), *block(32, 64), *block(64, 80), *block(80, 96)[:3], *block(96, 112)[:3])
        if RECON: self.decoder = nn.Conv2d(112, 192, 1)
        self.classifier = nn.Linear(112, classes)

    def forward(self, x):
        return self.classifier(self.features((x - 0.5) / 0.25).mean((2, 3)))


def warped(x, rng):
    """Random turn, zoom and shift of each picture, to SIDE pixels; then random light and colour."""
    n = len(x)
    u = lambda low, high: torch.from_numpy(rng.uniform(low, high, n).astype(np.float32))
    angle, zoom = u(-0.3, 0.3), torch.exp(u(-0.35, 0.25))
    c, s = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    theta = torch.stack([torch.stack([c, -s, u(-0.2, 0.2)], 1), torch.stack([s, c, u(-0.2, 0.2)], 1)], 1)
    grid = F.affine_grid(theta, (n, 3, SIDE, SIDE), align_corners=False)
    x = F.grid_sample(x.float() / 255, grid, mode='bilinear', padding_mode='reflection', align_corners=False)
    gain = torch.from_numpy(rng.uniform(0.8, 1.2, (n, 3, 1, 1)).astype(np.float32))
    return (x * gain + u(-0.1, 0.1).view(n, 1, 1, 1)).clamp(0, 1)


def jumbled(x, rng):
    """The pictures cut into tiles, shuffled: the right colours and textures, no shape."""
    n, k = len(x), rng.choice([2, 3, 4])
    side = SIDE // k
    tiles = x.view(n, 3, k, side, k, side).permute(0, 2, 4, 1, 3, 5).reshape(n, k * k, 3, side, side)
    tiles = torch.stack([t[torch.from_numpy(rng.permutation(k * k))] for t in tiles])
    return tiles.view(n, k, k, 3, side, side).permute(0, 3, 1, 4, 2, 5).reshape(n, 3, SIDE, SIDE)


def hardened(net, x, y, rng):
    """One step up the loss from a random place near x: training on these makes gradients look like what is seen."""
    unit = lambda d: d / (d.flatten(1).norm(dim=1).view(-1, 1, 1, 1) + 1e-12)
    d = EPSILON / 2 * unit(torch.randn(x.shape)) 
    d.requires_grad_(True)
    g, = torch.autograd.grad(F.cross_entropy(net(x + d), y), d)
    return (x + d.detach() + EPSILON * unit(g)).clamp(0, 1)


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        hits = sum((net(F.interpolate(x[i:i + 100].float() / 255, SIDE, mode='area')).argmax(1) == y[i:i + 100]).sum().item() for i in range(0, len(x), 100))
    return hits / len(x)


def save(path, tensors):
    """Safetensors: header length (8 bytes, little-endian), JSON header, float32 data."""
    head, at = {}, 0
    for name, t in tensors.items():
        head[name] = {'dtype': 'F32', 'shape': list(t.shape), 'data_offsets': [at, at + 4 * t.numel()]}
        at += 4 * t.numel()
    text = json.dumps(head, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text)
        for t in tensors.values():
            f.write(t.detach().numpy().astype('<f4').tobytes())


if __name__ == '__main__':
    began = time.time()
    torch.manual_seed(SEED)
    torch.set_num_threads(int(os.environ.get("THREADS", 2)))
    rng = np.random.RandomState(SEED)
    x, y = drawings(EACH, 1000)
    held_x, held_y = drawings(HELD_OUT, 2000)
    classes = int(y.max()) + 1
    print(f'drawn: {time.time() - began:.0f} s')
    net = Net(classes + 1).to(memory_format=torch.channels_last)
    print(sum(p.numel() for p in net.parameters()), 'parameters')
    opt = torch.optim.SGD(net.parameters(), PEAK_RATE, momentum=0.9, weight_decay=WEIGHT_DECAY, nesterov=True)
    step, losses, start = 0, [], time.time()
    while True:
        share = step / STEPS
        if share >= 1: break
        for group in opt.param_groups:
            group['lr'] = PEAK_RATE * min(1, share * 20) * 0.5 * (1 + np.cos(np.pi * share))
        pick = torch.from_numpy(rng.randint(0, len(x), BATCH))
        bx, by = warped(x[pick], rng), y[pick].clone()
        g = torch.from_numpy(rng.rand(BATCH) < GREY)
        bx[g] = bx[g].mean(1, keepdim=True)
        j = int(BATCH * JUMBLE)
        bx[:j] = jumbled(bx[:j], rng); by[:j] = classes
        net.train()
        bx = bx.contiguous(memory_format=torch.channels_last)
        clean = F.avg_pool2d(bx, 2)
        if EPSILON: bx = hardened(net, bx, by, rng)
        if RECON:
            f = net.features((bx - 0.5) / 0.25)
            loss = F.cross_entropy(net.classifier(f.mean((2, 3))), by)
            loss = loss + RECON * F.mse_loss(F.pixel_shuffle(net.decoder(f), 8), clean)
        else:
            loss = F.cross_entropy(net(bx), by)
        opt.zero_grad(); loss.backward(); opt.step()
        losses.append(loss.item()); step += 1
        if step % 300 == 0:
            print(f'{time.time() - start:5.0f} s step {step} loss {np.mean(losses[-100:]):.3f} held out {accuracy(net, held_x[::5], held_y[::5]):.3f}', flush=True)
    print(f'held-out accuracy {accuracy(net, held_x, held_y):.4f}')
    save(os.environ.get('OUT', os.path.join(HERE, 'motifs.safetensors')), {k: v for k, v in net.state_dict().items() if not k.endswith('num_batches_tracked')})
