"""PyTorch on the CPU; arguments and output as in peer.ts."""
import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

folder, what, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
torch.set_num_threads(int(os.environ["THREADS"]))
work = json.load(open(os.path.join(folder, "work.json")))


def read(name, *shape, offset=0):
    """Numbers of a file from an offset on, as a tensor."""
    count = int(np.prod(shape))
    path = os.path.join(folder, name + ".f32")
    return torch.from_numpy(np.fromfile(path, "<f4", count, offset=4 * offset)).view(shape)


def weights(name, c):
    """A convolution's weight and bias."""
    shape = (c["outputs"], c["inputs"], c["kernel"], c["kernel"])
    bias = read(name + ".weights", c["outputs"], offset=c["offset"] + int(np.prod(shape)))
    return read(name + ".weights", *shape, offset=c["offset"]), bias


def say(**line):
    print(json.dumps(line), flush=True)


def keep(name, tensor):
    tensor.detach().numpy().astype("<f4").tofile(os.path.join(folder, f"torch.{name}.f32"))


def clocks():
    return np.array([time.perf_counter(), time.process_time()])


def measure(name, kind, f, batch):
    f()
    best, begun, tries = np.array([np.inf, np.inf]), time.perf_counter(), 0
    while tries < 3 or time.perf_counter() - begun < seconds:
        start = clocks()
        for _ in range(batch):
            f()
        best = np.minimum(best, (clocks() - start) / batch)
        tries += 1
    say(kind="result", work=name, what=kind, wall=best[0], processor=best[1])


def gradient(x, loss):
    x = x.detach().requires_grad_()
    loss(x).backward()
    return x.grad


def convolutions():
    for c in work["convolutions"]:
        name, size, padding = c["name"], c["size"], c["padding"]
        x = read(name + ".x", 1, c["inputs"], size, size)
        dy = read(name + ".dy", 1, c["outputs"], size, size)
        weight, _ = weights(name, c)

        def forward():
            with torch.no_grad():
                return F.conv2d(x, weight, padding=padding)

        def back():
            return gradient(x, lambda x: (F.conv2d(x, weight, padding=padding) * dy).sum())

        keep(name + ".y", forward())
        measure(name, "forward", forward, 10)
        keep(name + ".dx", back())
        measure(name, "gradient", back, 10)


def trunk():
    named = {c["name"]: (c, *weights("W4", c)) for c in work["trunk"]["convolutions"]}
    size = work["trunk"]["size"]
    x = read("W4.x", 1, 3, size, size)
    v = read("W4.v", 512)

    def conv(x, name):
        c, weight, bias = named[name]
        return F.conv2d(x, weight, bias, c["stride"], c["padding"])

    def loss(x):
        y = F.max_pool2d(conv(x, "stem").relu(), 3, 2, 1)
        for layer in range(4):
            for block in range(2):
                at = f"{layer}.{block}"
                shortcut = conv(y, at + ".shortcut") if at + ".shortcut" in named else y
                y = (conv(conv(y, at + ".first").relu(), at + ".second") + shortcut).relu()
        return (y.mean((2, 3)) * v).sum()

    keep("W4.dx", gradient(x, loss))
    say(kind="first", processor=time.process_time())
    if seconds > 0:
        measure("W4", "gradient", lambda: gradient(x, loss), 3)
    peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    say(kind="memory", bytes=1024 * int(peak[0].split()[1]))


{"convolutions": convolutions, "trunk": trunk, "nothing": lambda: None}[what]()
