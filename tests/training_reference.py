"""A few steps of PyTorch's SGD on a small network: weights and statistics afterwards.

usage: training_reference.py WEIGHTS PICTURES LABELS STEPS RATE MOMENTUM DECAY OUT
WEIGHTS is a JSON file {name: {shape, values}} of the start, PICTURES [STEPS,N,3,H,W] and LABELS [STEPS,N] too.
Writes OUT/<name>.f32 and OUT/losses.f32, computed in float64.
"""
import json, os, sys
import numpy as np, torch
import torch.nn as nn
import torch.nn.functional as F

weights, pictures, labels, steps, rate, momentum, decay, out = sys.argv[1:]
torch.set_default_dtype(torch.float64)
load = lambda e: torch.tensor(e['values'], dtype=torch.float64).view(e['shape'])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
                                      nn.Conv2d(6, 9, 3, 1, 1), nn.BatchNorm2d(9), nn.ReLU())
        self.classifier = nn.Linear(9, 4)

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


net = Net()
net.load_state_dict({k: load(e) for k, e in json.load(open(weights)).items()}, strict=False)
x, y = load(json.load(open(pictures))), load(json.load(open(labels))).long()
optimiser = torch.optim.SGD(net.parameters(), float(rate), momentum=float(momentum), weight_decay=float(decay), nesterov=True)
losses = []
for step in range(int(steps)):
    loss = F.cross_entropy(net(x[step]), y[step])
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    losses.append(loss.item())
for name, tensor in [*net.state_dict().items(), ('losses', torch.tensor(losses))]:
    tensor.numpy().astype(np.float32).tofile(os.path.join(out, name + '.f32'))
