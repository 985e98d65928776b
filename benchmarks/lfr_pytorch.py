#!/usr/bin/env python3
"""The peer of the LFR benchmark: the fair PyTorch loop, on the CPU.

Distances are computed once per block of rows (one addmm); every width then costs one exp and one product with
[y, 1]; no n x n matrix is stored; denormals are flushed. Prints one line of JSON.
"""

import argparse
import json
import time

import torch


def low_frequency_energy(x, y, inv_delta, block):
    """Energy of the low-frequency part of S = {(x_i, y_i)} for every width (eqs. 3 to 5), float32."""
    x = x - x.mean(dim=0)
    norm = (x * x).sum(dim=1)
    y1 = torch.cat([y, torch.ones(len(y), 1)], dim=1)
    energy = torch.zeros(len(inv_delta), dtype=torch.float64)
    weight = torch.empty(block, len(x))
    for first in range(0, len(x), block):
        rows = x[first:first + block]
        distance = torch.addmm(norm[None, :], rows, x.T, alpha=-2).add_(norm[first:first + block, None])
        distance.clamp_(min=0)
        distance[torch.arange(len(rows)), torch.arange(first, first + len(rows))] = 0
        for k, width in enumerate(inv_delta):
            g = torch.mul(distance, -width / 2, out=weight[:len(rows)]).exp_()
            sums = (g @ y1).double()
            energy[k] += (sums[:, :-1] / sums[:, -1:]).square().sum()
    return energy


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--n", type=int, default=10000, help="samples")
    parser.add_argument("--d", type=int, default=500, help="features")
    parser.add_argument("--c", type=int, default=10, help="classes, one-hot")
    parser.add_argument("--widths", type=int, default=100, help="evenly spaced 1/delta")
    parser.add_argument("--block", type=int, default=1024, help="rows of distances at a time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeat", type=int, default=3, help="runs; the fastest is reported")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    flushes = torch.set_flush_denormal(True)
    torch.manual_seed(args.seed)
    label = torch.randint(args.c, (args.n,))
    x = 0.5 * torch.randn(args.c, args.d)[label] + torch.randn(args.n, args.d)
    y = torch.nn.functional.one_hot(label, args.c).float()
    # Up to where the nearest pairs weigh nothing: exp(-u) with u from 0 to 20 at the mean squared distance.
    scale = float(((x - x.mean(dim=0)) ** 2).sum(dim=1).mean()) * 2
    inv_delta = torch.linspace(0, 40 / scale, args.widths + 1)[1:].tolist()

    seconds, processor = [], []
    with torch.inference_mode():
        for _ in range(args.repeat):
            start, start_processor = time.perf_counter(), time.process_time()
            energy = low_frequency_energy(x, y, inv_delta, args.block)
            seconds.append(time.perf_counter() - start)
            processor.append(time.process_time() - start_processor)
    lfr = (energy / y.double().square().sum()).tolist()
    print(json.dumps({
        "n": args.n, "d": args.d, "c": args.c, "widths": args.widths, "block": args.block,
        "threads": args.threads, "torch": torch.__version__, "flush_denormal": flushes,
        "seconds": min(seconds), "processor_seconds": min(processor),
        "lfr_first": lfr[0], "lfr_last": lfr[-1],
    }))


if __name__ == "__main__":
    main()
