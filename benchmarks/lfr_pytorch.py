#!/usr/bin/env python3
"""The peers of the LFR benchmark: loops in PyTorch, KeOps, and pasted NumPy, on the CPU or on CUDA.

`batched` is the fair loop: distances once per block of rows (one addmm); every width then costs one in-place exp and
one product with [y, 1]. `compiled` leaves both to torch.compile. `fastest` tries these with several block sizes on a
few rows, and takes the best. `per-width` recomputes the distances for each width. Only `numpy`, which is what people
paste, stores an n x n matrix. Denormals are flushed. Prints one line of JSON.
"""

import argparse
import json
import statistics
import sys
import time

import numpy as np
import torch

import lfr_samples
import torch_device


def low_frequency_energy(x, y, inv_delta, block, weighted_sums=None, rows=None):
    """Energy of the low-frequency part of S = {(x_i, y_i)} for every width (eqs. 3 to 5), in float32; only for the
    first `rows` rows if given. weighted_sums(distance, factor, y1), if given, computes exp(factor distance) @ y1."""
    x = x - x.mean(dim=0)
    norm = (x * x).sum(dim=1)
    y1 = torch.cat([y, torch.ones(len(y), 1, device=y.device)], dim=1)
    energy = torch.zeros(len(inv_delta), dtype=torch.float64, device=x.device)
    weight = torch.empty(block, len(x), device=x.device)
    for first in range(0, rows or len(x), block):
        some = x[first:first + block]
        distance = torch.addmm(norm[None, :], some, x.T, alpha=-2).add_(norm[first:first + block, None])
        distance.clamp_(min=0)
        distance.diagonal(first).zero_()
        for k, width in enumerate(inv_delta):
            if weighted_sums is None:
                sums = (torch.mul(distance, -width / 2, out=weight[:len(some)]).exp_() @ y1).double()
            else:
                sums = weighted_sums(distance, torch.tensor(-width / 2, device=x.device), y1).double()
            energy[k] += (sums[:, :-1] / sums[:, -1:]).square().sum()
    return energy


def compiled_sums():
    return torch.compile(lambda distance, factor, y1: torch.exp(distance * factor) @ y1)


def low_frequency_energy_compiled(x, y, inv_delta, block):
    """The same, with weights and sums compiled by torch.compile."""
    return low_frequency_energy(x, y, inv_delta, block, compiled_sums())


def fastest(x, y, inv_delta):
    """(name, function) of the fastest way: each is timed on 1024 rows and a tenth of the widths, after a warm-up."""
    compiled = compiled_sums()
    found = []
    for name, sums in (("batched", None), ("compiled", compiled)):
        for block in (128, 512, 1024):
            def way(x, y, widths, rows=None, sums=sums, block=block):
                return low_frequency_energy(x, y, widths, block, sums, rows)
            try:
                way(x, y, inv_delta[:2], block)
                start = time.perf_counter()
                way(x, y, inv_delta[::10], 1024)
                found.append((time.perf_counter() - start, f"{name}, blocks of {block}", way))
            except Exception as error:  # for example, no compiler
                print(f"lfr_pytorch.py: {name}: {error}", file=sys.stderr)
    return min(found, key=lambda each: each[0])[1:]


def low_frequency_energy_per_width(x, y, inv_delta, block):
    """The same, one width at a time."""
    return torch.cat([low_frequency_energy(x, y, [width], block) for width in inv_delta])


def low_frequency_energy_keops(x, y, inv_delta, block):
    """The same with KeOps, which generates a kernel that stores no block."""
    try:
        from pykeops.torch import LazyTensor
    except ImportError:
        sys.exit("lfr_pytorch.py: KeOps is not installed")
    x = x - x.mean(dim=0)
    y1 = torch.cat([y, torch.ones(len(y), 1, device=y.device)], dim=1)
    distance = ((LazyTensor(x[:, None, :]) - LazyTensor(x[None, :, :])) ** 2).sum(-1)
    energy = []
    for width in inv_delta:
        sums = ((distance * (-width / 2)).exp() @ y1).double()
        energy.append((sums[:, :-1] / sums[:, -1:]).square().sum())
    return torch.stack(energy)


def low_frequency_energy_numpy(x, y, inv_delta, block):
    """The same, written without regard to speed: all distances, and a normalised kernel for each width."""
    x, y = x.numpy(), y.numpy()
    norm = (x * x).sum(axis=1)
    distance = np.maximum(norm[:, None] + norm - 2 * x @ x.T, 0)
    energy = []
    for width in inv_delta:
        kernel = np.exp(-distance * np.float32(width / 2))
        low = (kernel / kernel.sum(axis=1, keepdims=True)) @ y
        energy.append((low.astype(np.float64) ** 2).sum())
    return torch.tensor(energy)


METHODS = {"batched": low_frequency_energy, "compiled": low_frequency_energy_compiled, "per-width": low_frequency_energy_per_width,
           "keops": low_frequency_energy_keops, "numpy": low_frequency_energy_numpy}


def library_of(method):
    if method == "numpy":
        return f"NumPy {np.__version__}"
    if method == "keops":
        import pykeops

        return f"KeOps {pykeops.__version__}"
    return f"PyTorch {torch.__version__}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    torch_device.add_arguments(parser)
    parser.add_argument("--method", default="batched", choices=[*METHODS, "fastest"])
    parser.add_argument("--n", type=int, default=10000, help="samples")
    parser.add_argument("--d", type=int, default=500, help="features")
    parser.add_argument("--c", type=int, default=10, help="classes, one-hot")
    parser.add_argument("--widths", type=int, default=100, help="evenly spaced 1/delta")
    parser.add_argument("--first", type=int, help="measure the first so many widths only")
    parser.add_argument("--block", type=int, default=1024, help="rows of distances at a time")
    parser.add_argument("--repeat", type=int, default=3, help="runs; the fastest and the median are reported")
    args = parser.parse_args()

    flushes = torch_device.prepare(args)
    x, label, inv_delta = lfr_samples.make(args.n, args.d, args.c, args.widths)
    y = torch.nn.functional.one_hot(torch.from_numpy(label), args.c).float()
    x, y = torch.from_numpy(x).to(args.device), y.to(args.device)
    inv_delta = inv_delta.tolist()[:args.first or None]

    seconds, processor = [], []
    with torch.inference_mode():
        name, measure = args.method, lambda x, y, widths: METHODS[args.method](x, y, widths, args.block)
        if args.method == "fastest":
            name, measure = fastest(x, y, inv_delta)
        if args.device != "cpu":  # loads the kernels and allocates the memory
            measure(x, y, inv_delta[:2])
        for _ in range(args.repeat):
            start_processor = time.process_time()
            result = []
            seconds.append(torch_device.seconds_of(
                lambda: result.append(measure(x, y, inv_delta)), args.device))
            processor.append(time.process_time() - start_processor)
    lfr = (result[0] / y.double().square().sum()).tolist()
    print(json.dumps({
        "n": args.n, "d": args.d, "c": args.c, "widths": args.widths, "block": args.block, "method": name,
        "device": args.device, "precision": args.precision, "threads": args.threads, "torch": torch.__version__,
        "library": library_of(args.method),
        "flush_denormal": flushes, "seconds": min(seconds), "median_seconds": statistics.median(seconds),
        "processor_seconds": min(processor), "lfr": lfr, "lfr_first": lfr[0], "lfr_last": lfr[-1],
    }))


if __name__ == "__main__":
    main()
