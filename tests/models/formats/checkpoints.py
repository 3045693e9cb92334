"""Every tensor of some checkpoints as PyTorch reads them: names, shapes and float32 numbers.

Usage: checkpoints.py FILE... OUT
"""
import argparse
import datetime
import json
import pathlib
import sys

import numpy as np
import torch

KEYS = ["state_dict_ema", "state_dict", "model"]

*files, out = sys.argv[1:]

# As training loops leave them: the state of everything, beside the weights.
torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [10, 20])
net(torch.zeros(1, 3, 8, 8)).sum().backward()
optimizer.step()
training = {
    "epoch": 3,
    "model": net.state_dict(),
    "optimizer": optimizer.state_dict(),
    "scheduler": scheduler.state_dict(),
    "args": argparse.Namespace(path=pathlib.Path("/somewhere"), dtype=torch.float32),
    "when": datetime.datetime(2020, 1, 1),
    "seen": {1, 2},
    "device": torch.device("cpu"),
    "best": torch.tensor(0.5),
}
for name, new in ("training.pth", True), ("training_legacy.pth", False):
    torch.save(training, f"{out}/{name}", _use_new_zipfile_serialization=new)
    files.append(f"{out}/{name}")
for i, path in enumerate(files):
    found = torch.load(path, map_location="cpu")
    for key in KEYS:
        if key in found:
            found = found[key]
            break
    names = []
    with open(f"{out}/{i}.bin", "wb") as numbers:
        for name, value in found.items():
            tensor = torch.as_tensor(value).detach()
            names.append([name, list(tensor.shape)])
            numbers.write(tensor.to(torch.float32).contiguous().numpy().astype("<f4").tobytes())
    with open(f"{out}/{i}.json", "w") as listing:
        json.dump(names, listing)
