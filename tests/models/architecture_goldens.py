"""What torchvision's networks compute with weights by formula (formula_weights.ts).

    /usr/bin/python3 tests/models/architecture_goldens.py NAME SIDE GAIN TAP INPUT FOLDER

makes a picture of the stream named INPUT and writes FOLDER/NAME.safetensors: the mean of the map TAP, logits, loss and its gradient for the picture;
as metadata all modules and all weights with their shapes.
"""
import json
import struct
import sys

import numpy as np
import torch
import torchvision

name, side, gain, tap, picture, folder = sys.argv[1:]
side, gain = int(side), float(gain)


def stream(key, length):
    """Numbers from -1 to 1, by the name's FNV-1a and their place."""
    seed = 0x811C9DC5
    for byte in key.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    h = (np.arange(1, length + 1, dtype=np.uint64) * 0x9E3779B9 + seed).astype(np.uint32)
    h ^= h >> np.uint32(16)
    h = (h.astype(np.uint64) * 0x21F0AAAD).astype(np.uint32)
    h ^= h >> np.uint32(15)
    h = (h.astype(np.uint64) * 0x735A2D97).astype(np.uint32)
    h ^= h >> np.uint32(15)
    return (h >> np.uint32(8)).astype(np.float64) / 8388608 - 1


def value(key, shape, shapes):
    u = stream(key, int(np.prod(shape)))
    module, last = key.rsplit(".", 1)
    if last == "running_mean":
        u = 0.1 * u
    elif last == "running_var":
        u = 1 + 0.5 * np.abs(u)
    elif last == "layer_scale":
        u = 1 + 0.1 * u
    elif last == "bias":
        u = (0.1 if len(shapes[module + ".weight"]) == 1 else 0.05) * u
    elif len(shape) == 1:
        u = 1 + 0.1 * u
    else:
        u = u * (gain * np.sqrt(3 / np.prod(shape[1:])))
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
if name == "inception_v3":
    options = {"init_weights": False}
model = getattr(torchvision.models, name)(weights=None, **options).eval()
for module in model.modules():
    if hasattr(module, "inplace"):
        module.inplace = False
state = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
shapes = {k: list(v.shape) for k, v in state.items()}
with torch.no_grad():
    for key, tensor in state.items():
        tensor.copy_(value(key, shapes[key], shapes))

maps = {}
dict(model.named_modules())[tap].register_forward_hook(lambda m, i, o: maps.update(out=o.clone()))
x = torch.from_numpy(stream(picture, 3 * side * side).astype(np.float32).reshape(1, 3, side, side))
x.requires_grad_()
logits = model(x)
gap = maps["out"].mean((2, 3))
direction = stream("direction", gap.shape[1])
direction = torch.from_numpy((direction / np.linalg.norm(direction)).astype(np.float32))
loss = (gap * direction).sum()
loss.backward()

tensors = {
    f"gap/{tap}": gap.detach(),
    "logits": logits.detach(),
    "loss": loss.detach().reshape(1),
    "grad": x.grad,
    "direction": direction,
}
header = {"__metadata__": {
    "input_side": str(side),
    "gain": str(gain),
    "input": picture,
    "taps": json.dumps([tap]),
    "modules": json.dumps([[n, type(m).__name__] for n, m in model.named_modules()]),
    "state_dict": json.dumps([[k, s] for k, s in shapes.items()]),
}}
at = 0
for key, tensor in tensors.items():
    size = tensor.numel() * 4
    header[key] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + size]}
    at += size
text = json.dumps(header).encode()
with open(f"{folder}/{name}.safetensors", "wb") as out:
    out.write(struct.pack("<Q", len(text)) + text)
    for tensor in tensors.values():
        out.write(tensor.numpy().astype("<f4").tobytes())
