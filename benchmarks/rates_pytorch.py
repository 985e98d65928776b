#!/usr/bin/env python3
"""The rates of the device, for the floors: a large matrix product in fp32, TF32 and bf16, and a large copy.

Prints one line of JSON: flop/s, and bytes/s counting both reads and writes.
"""

import argparse
import json
import statistics

import torch

import torch_device


def median_seconds(work, device, repeat=10):
    for _ in range(3):
        work()
    return statistics.median(torch_device.seconds_of(work, device) for _ in range(repeat))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    torch_device.add_arguments(parser)
    parser.add_argument("--size", type=int, default=8192, help="rows and columns of the factors")
    parser.add_argument("--mebibytes", type=int, default=2048, help="copied")
    args = parser.parse_args()
    torch_device.prepare(args)
    a = torch.randn(args.size, args.size, device=args.device)
    b, c = torch.randn_like(a), torch.empty_like(a)
    found = {"torch": torch.__version__}
    for precision in ("fp32", "tf32"):
        torch_device.set_precision(precision)
        seconds = median_seconds(lambda: torch.mm(a, b, out=c), args.device)
        found[f"{precision}_flop_rate"] = 2 * args.size**3 / seconds
    a, b, c = (factor.bfloat16() for factor in (a, b, c))
    found["bf16_flop_rate"] = 2 * args.size**3 / median_seconds(lambda: torch.mm(a, b, out=c), args.device)
    source = torch.ones(args.mebibytes << 18, device=args.device)
    target = torch.empty_like(source)
    found["byte_rate"] = 2 * (args.mebibytes << 20) / median_seconds(lambda: target.copy_(source), args.device)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
