"""Every tensor of some checkpoints as PyTorch reads them: names, shapes and float32 numbers.

Usage: checkpoints.py FILE... OUT
"""
import json
import sys

import numpy as np
import torch

KEYS = ["state_dict_ema", "state_dict", "model"]

*files, out = sys.argv[1:]
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
