#!/usr/bin/env python3
"""The reference for the LFR benchmark: LFR in double, and how far ours and the PyTorch loop are from it.

Reads the samples and the curve that deepfreq_benchmarks wrote to a folder ($DEEPFREQ_LFR_OUT). Prints one line of JSON.
"""

import argparse
import json
import pathlib

import torch

import lfr_pytorch
import torch_device


def read(name, dtype):
    return torch.frombuffer(bytearray(name.read_bytes()), dtype=dtype)


def low_frequency_ratio(x, y, inv_delta, block):
    """Eqs. 3 to 5 in double, in blocks of rows."""
    x, y = x.double(), y.double()
    x = x - x.mean(dim=0)
    norm = (x * x).sum(dim=1)
    y1 = torch.cat([y, torch.ones(len(y), 1, dtype=torch.float64, device=y.device)], dim=1)
    energy = torch.zeros(len(inv_delta), dtype=torch.float64, device=x.device)
    for first in range(0, len(x), block):
        rows = x[first:first + block]
        distance = torch.addmm(norm[None, :], rows, x.T, alpha=-2).add_(norm[first:first + block, None]).clamp_(min=0)
        distance.diagonal(first).zero_()
        for k, width in enumerate(inv_delta):
            sums = torch.mul(distance, -width / 2).exp_() @ y1
            energy[k] += (sums[:, :-1] / sums[:, -1:]).square().sum()
    return energy / y.square().sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="x.f32, y.f32, inv_delta.f64 and lfr.f64")
    parser.add_argument("--classes", type=int, default=10, help="columns of y (default: 10)")
    parser.add_argument("--block", type=int, default=128, help="rows of distances at a time (default: 128)")
    torch_device.add_arguments(parser)
    args = parser.parse_args()

    torch_device.prepare(args)
    y = read(args.folder / "y.f32", torch.float32).reshape(-1, args.classes)
    x = read(args.folder / "x.f32", torch.float32).reshape(len(y), -1)
    inv_delta = read(args.folder / "inv_delta.f64", torch.float64).tolist()
    ours = read(args.folder / "lfr.f64", torch.float64).to(args.device)
    x, y = x.to(args.device), y.to(args.device)
    with torch.inference_mode():
        exact = low_frequency_ratio(x, y, inv_delta, args.block)
        peer = lfr_pytorch.low_frequency_energy(x, y, inv_delta, 2 * args.block) / y.double().square().sum()
    print(json.dumps({
        "n": len(x), "widths": len(inv_delta), "lfr_first": exact[0].item(), "lfr_last": exact[-1].item(),
        "ours": (ours - exact).abs().max().item(), "peer": (peer - exact).abs().max().item(),
    }))


if __name__ == "__main__":
    main()
