#!/usr/bin/env python3
"""The peers of the MLP benchmark: the same epoch of training in PyTorch, on the CPU or on CUDA.

One row gather per batch, forward, mse_loss, backward, Adam: eager with every implementation of Adam that this PyTorch
has, or compiled; on CUDA also with the whole step captured as a CUDA graph (one per batch size). Denormals are flushed.
Prints one line of JSON.
"""

import argparse
import json
import os
import statistics
import time

import torch

import torch_device

EAGER = {"Adam": {}, "foreach Adam": {"foreach": True}, "fused Adam": {"fused": True}}
GRAPH = "CUDA graph, fused Adam"
COMPILED = {"torch.compile, fused Adam": "default", "torch.compile reduce-overhead, fused Adam": "reduce-overhead"}


def gemm_rate(size=1024):
    """flop/s of a matrix product on the CPU; the fastest of a few runs."""
    a = torch.randn(size, size)
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        torch.mm(a, a)
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)


def loaded_blas():
    """The BLAS of this process, for the report: MKL is part of PyTorch's own library, others are separate files."""
    if torch.backends.mkl.is_available():
        return "MKL"
    with open("/proc/self/maps") as maps:
        files = {os.path.basename(line.split()[-1]) for line in maps if "/" in line}
    return ", ".join(sorted(name for name in files if "blas" in name)) or "no BLAS"


def mlp(hidden, device):
    layers, width = [], 784
    for _ in range(hidden):
        layers += [torch.nn.Linear(width, 500), torch.nn.Tanh()]
        width = 500
    layers.append(torch.nn.Linear(width, 10))
    for layer in layers[::2]:
        torch.nn.init.xavier_normal_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    return torch.nn.Sequential(*layers).to(device)


def make_step(network, optimizer, x, t, args, compile_mode=None):
    """Returns a function that trains on the samples selected by an index."""
    def loss_of(inputs, targets):
        with torch_device.autocast(args):
            return torch.nn.functional.mse_loss(network(inputs), targets)
    if compile_mode is not None:
        loss_of = torch.compile(loss_of, mode=compile_mode, dynamic=False)

    def step(index):
        loss = loss_of(x.index_select(0, index), t.index_select(0, index))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return step


def train_epoch(step, samples, batch, device):
    for index in torch.randperm(samples, device=device).split(batch):
        step(index)


def seconds_per_step(variant, args, x, t):
    network = mlp(args.hidden, args.device)
    adam = EAGER.get(variant, {"fused": True})
    if variant == GRAPH:
        adam = {"fused": True, "capturable": True}
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-5, **adam)
    step = make_step(network, optimizer, x, t, args, COMPILED.get(variant))
    if variant == GRAPH:
        sizes = {min(args.batch, args.samples), args.samples % args.batch or args.batch}
        step = torch_device.captured(step, sizes, args.device)
    warm_up = args.samples if args.device != "cpu" else min(args.samples, 10 * args.batch)
    for _ in range(3 if args.device != "cpu" else 1):
        train_epoch(step, warm_up, args.batch, args.device)
    epochs = [torch_device.seconds_of(lambda: train_epoch(step, args.samples, args.batch, args.device), args.device)
              for _ in range(args.epochs)]
    return statistics.median(epochs) / -(-args.samples // args.batch)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    torch_device.add_arguments(parser)
    parser.add_argument("--hidden", type=int, default=5, help="hidden layers of 500")
    parser.add_argument("--samples", type=int, default=30000, help="samples of the epoch")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=1, help="timed; the median is reported")
    parser.add_argument("--variants", nargs="+", choices=[*EAGER, GRAPH, *COMPILED], default=list(EAGER))
    args = parser.parse_args()

    torch_device.prepare(args)
    rate = gemm_rate() if args.device == "cpu" else 0.0
    x = torch.rand(args.samples, 784, device=args.device)
    labels = torch.randint(10, (args.samples,), device=args.device)
    t = torch.nn.functional.one_hot(labels, 10).float()
    variants, failed = torch_device.measure_variants(args.variants, lambda name: seconds_per_step(name, args, x, t))
    best = min(variants, key=variants.get)
    print(json.dumps({"torch": torch.__version__, "device": args.device, "precision": args.precision,
                      "blas": loaded_blas(), "gemm_rate": rate, "variants": variants, "failed": failed,
                      "best": best, "seconds": variants[best]}))


if __name__ == "__main__":
    main()
