"""Writes models/official/torchvision.json from torchvision's own enums.

For every classification network: its weights with their files, numbers of parameters, sizes and
normalisation, and which of them are the default. Run with Debian's python3-torchvision:

    python3 scripts/official_weights.py > models/official/torchvision.json
"""
import json

import torchvision.models as models
from torchvision.models._api import WeightsEnum

BASE = "https://download.pytorch.org/models/"

table = {}
for name in sorted(vars(models)):
    enum = getattr(models, name)
    if not (isinstance(enum, type) and issubclass(enum, WeightsEnum) and enum is not WeightsEnum):
        continue
    members = list(enum)
    if not members or len(members[0].meta.get("categories", [])) != 1000:
        continue
    if not members[0].url.startswith(BASE):
        continue
    function = name[: -len("_Weights")].lower()
    if not callable(getattr(models, function, None)):
        raise SystemExit(f"{name}: no function {function}")
    weights = {}
    for member in members:
        preset = member.transforms()
        weights[member.name] = {
            "file": member.url[len(BASE):],
            "parameters": member.meta["num_params"],
            "crop": preset.crop_size[0],
            "resize": preset.resize_size[0],
        }
    default = enum.DEFAULT.name
    table[function] = {"default": default, "weights": weights}

print(json.dumps({"base": BASE, "networks": table}, indent=1))
