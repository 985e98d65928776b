# %% [markdown]
# # The deep frequency principle, live
# A network of five hidden layers learns MNIST in PyTorch, and between its epochs a probe measures what each layer still has
# to learn. At initialisation deeper layers peak at higher frequencies; during training they move to lower ones (Figure 8 of
# the paper). `./run train_mlp_mnist` is the same with the paper's 30000 samples, without PyTorch.

# %%
import gzip
import os
from pathlib import Path

import deepfreq as df
import numpy as np
import torch
from torch import nn

EPOCHS, SAMPLES = 15, 3000
RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results"


# %%
# MNIST's own files, as ./run train_mlp_mnist leaves them in the cache folder.
def idx(name):
    places = [os.environ.get("DEEPFREQ_DATA"), "~/.cache/deepfreq"]
    paths = [path for place in places if place for folder in ("", "mnist") for path in
             sorted((Path(place).expanduser() / folder).glob(f"{name}*"))]
    if not paths:
        raise SystemExit("MNIST is not there: ./run train_mlp_mnist fetches it, or set DEEPFREQ_DATA to its folder")
    data = paths[0].read_bytes()
    return np.frombuffer(gzip.decompress(data) if paths[0].suffix == ".gz" else data, np.uint8)


images = idx("train-images-idx3-ubyte")[16:].reshape(-1, 784)[:SAMPLES]
labels = idx("train-labels-idx1-ubyte")[8:][:SAMPLES]
x = torch.tensor(images / 255, dtype=torch.float32)
y = torch.tensor(labels, dtype=torch.long)

# %%
torch.manual_seed(0)
sizes = [784, 500, 500, 500, 500, 500]
hidden = [layer for i in range(5) for layer in (nn.Linear(sizes[i], sizes[i + 1]), nn.Tanh())]
model = nn.Sequential(*hidden, nn.Linear(500, 10))
for layer in model:
    if isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, std=(2 / sum(layer.weight.shape)) ** 0.5)
        nn.init.zeros_(layer.bias)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)

# %%
probe = df.Probe(model, ["1", "3", "5", "7", "9"], (x, y))  # what each tanh gives
print("epoch 0:", probe.measure(0))
for epoch in range(1, EPOCHS + 1):
    for rows in torch.randperm(len(x)).split(64):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x[rows]), nn.functional.one_hot(y[rows], 10).float())
        loss.backward()
        optimizer.step()
    if epoch in (EPOCHS // 10, EPOCHS // 2, EPOCHS):
        print(f"epoch {epoch}: loss {loss.item():.4f}", probe.measure(epoch))

# %%
probe.plot().savefig("mnist_probe.png")
probe.to_csv("mnist_probe")

# %%
# Beside it, what the app left of the paper's scale: 30000 samples, by its own engine (benchmarks/results/fig8-mnist).
def peaks_by_epoch(run):
    peaks = run["peaks"]
    for epoch in sorted(set(peaks["epoch"]))[:: max(1, len(set(peaks["epoch"])) - 1)]:  # the first and the last
        yield epoch, peaks["inv_delta"][peaks["epoch"] == epoch]


for name, folder in {"this notebook": "mnist_probe", "the app": RESULTS / "fig8-mnist"}.items():
    for epoch, peaks in peaks_by_epoch(df.load_run(folder)):
        trend = "rises" if (np.diff(peaks) > 0).all() else "falls" if (np.diff(peaks) < 0).all() else "neither rises nor falls"
        print(f"{name}, epoch {epoch:g}: RDF peaks at", ", ".join(f"{peak:.3g}" for peak in peaks), f"- {trend} with depth")
