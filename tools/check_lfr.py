#!/usr/bin/env python3
"""Compares the app `lfr` with NumPy in double precision: does |LFR - LFR in double| <= 1e-5 hold at every width?

    tools/check_lfr.py [--app build/cpu/bin/lfr] [--device cpu] [--seed 0]

Draws eleven data sets of different kinds (1 to 4000 samples, 1 to 3072 features, 1 to 12 columns of targets, duplicates,
constant columns, a trained layer's features, scales from 1e-6 to 1e6), measures each at 49 widths around its rise, and
prints one line per set and a verdict. Exit status 1 if a set fails. The sets and the LFR in double precision are those
of the package's tests.
"""
import argparse
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
except ModuleNotFoundError:
    print("check_lfr: there is no NumPy in this Python, expected one as Debian's: /usr/bin/python3 tools/check_lfr.py",
          file=sys.stderr)
    sys.exit(2)

root = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(root / "python"), str(root / "python" / "tests")]
from data_sets import of_both_kinds_of_float
from deepfreq._oracle import as_measured, grid_around, low_frequency_ratio, squared_distances

ALLOWED = 1e-5
WIDTHS = 49


def measure(app, device, features, targets, options, grid, folder):
    """[(1/delta, LFR)] computed by the app."""
    np.save(folder / "x.npy", features)
    np.save(folder / "y.npy", targets)
    command = [app, "--features", folder / "x.npy", "--targets", folder / "y.npy", "--inv-delta", grid, *options,
               "--device", device, "--no-figures", "--out", folder / "out"]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"check_lfr.py: {app}: {ended.stderr.strip()}")
    with open(folder / "out" / "lfr.csv", newline="") as file:
        return [(float(row["inv_delta"]), float(row["lfr"])) for row in csv.DictReader(file)]


def check(app, device, features, targets, normalize, exclude_self):
    """The largest deviation over the grid, and the range of LFR."""
    x, y = as_measured(features, targets, normalize)
    distance = squared_distances(x)
    widths = grid_around(distance, WIDTHS)
    grid = f"log:{widths[0]:.9g}:{widths[-1]:.9g}:{WIDTHS}"
    options = ["--scale", normalize] + ["--exclude-self"] * exclude_self
    with tempfile.TemporaryDirectory() as folder:
        curve = measure(app, device, features, targets, options, grid, Path(folder))
    expected = [low_frequency_ratio(distance, y, s, exclude_self) for s, _ in curve]
    return max(abs(found - value) for (_, found), value in zip(curve, expected)), min(expected), max(expected)


def main():
    parser = argparse.ArgumentParser(description="Holds the app lfr against NumPy in double precision.")
    parser.add_argument("--app", default=root / "build/cpu/bin/lfr")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    failed = 0
    for name, x, y, normalize, exclude_self in of_both_kinds_of_float(np.random.default_rng(arguments.seed)):
        deviation, low, high = check(arguments.app, arguments.device, x, y, normalize, exclude_self)
        failed += not deviation <= ALLOWED
        d, c = x.size // len(x), len(np.unique(y)) if y.dtype.kind == "i" else y.size // len(y)
        print(f"{'FAILED' if not deviation <= ALLOWED else 'ok':7}{deviation:9.2e}  n = {len(x)}, d = {d}, c = {c}, "
              f"LFR {low:.3f} to {high:.3f}: {name}, scale {normalize}{', without itself' * exclude_self}", flush=True)
    print(f"{failed} of the sets FAILED" if failed else "every set is within", f"(allowed: {ALLOWED:g})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
