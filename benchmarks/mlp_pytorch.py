#!/usr/bin/env python3
"""The peer of the MLP benchmark: the same epoch of training in PyTorch, on the CPU.

One row gather a batch, forward, mse_loss, backward, Adam: with every implementation of Adam that this PyTorch has.
Denormals are flushed. Prints one line of JSON.
"""

import argparse
import json
import os
import time

import torch


def gemm_rate(size=1024):
    """flop/s of one matrix product; the fastest of a few."""
    a = torch.randn(size, size)
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        torch.mm(a, a)
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)


def loaded_blas():
    """The BLAS of this process, for the report: MKL is part of PyTorch's own library, others are files."""
    if torch.backends.mkl.is_available():
        return "MKL"
    with open("/proc/self/maps") as maps:
        files = {os.path.basename(line.split()[-1]) for line in maps if "/" in line}
    return ", ".join(sorted(name for name in files if "blas" in name)) or "no BLAS"


def mlp(hidden):
    layers, width = [], 784
    for _ in range(hidden):
        layers += [torch.nn.Linear(width, 500), torch.nn.Tanh()]
        width = 500
    layers.append(torch.nn.Linear(width, 10))
    for layer in layers[::2]:
        torch.nn.init.xavier_normal_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    return torch.nn.Sequential(*layers)


def train_epoch(network, optimizer, x, t, batch):
    for index in torch.randperm(len(x)).split(batch):
        loss = torch.nn.functional.mse_loss(network(x.index_select(0, index)), t.index_select(0, index))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def seconds_per_step(hidden, x, t, batch, adam):
    network = mlp(hidden)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-5, **adam)
    warm_up = min(len(x), 10 * batch)
    train_epoch(network, optimizer, x[:warm_up], t[:warm_up], batch)
    start = time.perf_counter()
    train_epoch(network, optimizer, x, t, batch)
    return (time.perf_counter() - start) / -(-len(x) // batch)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--hidden", type=int, default=5, help="hidden layers of 500")
    parser.add_argument("--samples", type=int, default=30000, help="samples of the epoch")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    rate = gemm_rate()
    x = torch.rand(args.samples, 784)
    t = torch.nn.functional.one_hot(torch.randint(10, (args.samples,)), 10).float()
    variants = {}
    for name, adam in {"Adam": {}, "foreach Adam": {"foreach": True}, "fused Adam": {"fused": True}}.items():
        try:
            variants[name] = seconds_per_step(args.hidden, x, t, args.batch, adam)
        except (TypeError, RuntimeError):  # this PyTorch does not have it, or only for CUDA
            continue
    best = min(variants, key=variants.get)
    print(json.dumps({"torch": torch.__version__, "blas": loaded_blas(), "gemm_rate": rate, "variants": variants,
                      "best": best, "seconds": variants[best]}))


if __name__ == "__main__":
    main()
