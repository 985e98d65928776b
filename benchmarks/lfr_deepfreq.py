#!/usr/bin/env python3
"""Times `deepfreq.lfr` on the samples of the LFR benchmarks, with OMP_NUM_THREADS threads. Prints one line of JSON."""

import argparse
import json
import time

import deepfreq as df

import lfr_samples


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--n", type=int, default=5000, help="samples")
    parser.add_argument("--d", type=int, default=500, help="features")
    parser.add_argument("--c", type=int, default=10, help="classes")
    parser.add_argument("--widths", type=int, default=100, help="evenly spaced 1/delta")
    args = parser.parse_args()

    x, label, inv_delta = lfr_samples.make(args.n, args.d, args.c, args.widths)
    df.lfr(x[:100], label[:100], inv_delta[:2])  # triggers lazy loading before timing
    start = time.perf_counter()
    s = df.lfr(x, label, inv_delta, normalize="none")
    print(json.dumps({"seconds": time.perf_counter() - start, "lfr": s.lfr.tolist()}))


if __name__ == "__main__":
    main()
