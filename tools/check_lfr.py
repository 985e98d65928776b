#!/usr/bin/env python3
"""Holds the app `lfr` against NumPy in double precision: does |LFR - LFR in double| <= 1e-5 hold at every width?

    tools/check_lfr.py [--app build/cpu/bin/lfr] [--device cpu] [--seed 0]

Draws eleven data sets of different kinds (1 to 4000 samples, 1 to 3072 features, 1 to 12 columns of targets, duplicates,
constant columns, a trained layer's features, scales from 1e-6 to 1e6), measures each on 49 widths around its rise, prints one line a set and a
verdict. Exit status 1 if a set fails.
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

ALLOWED = 1e-5
WIDTHS = 49
DECADES = 6  # of 1/delta, around the inverse of the mean squared distance


def data_sets(rng):
    """Yields (name, features, targets, options)."""
    def normal(n, d, scale=1.0):
        return scale * rng.standard_normal((n, d))

    def size(low, high):
        return int(rng.integers(low, high + 1))

    def labels(n, c):
        return rng.integers(0, c, n)

    yield "one sample", normal(1, size(1, 9)), labels(1, 1), []
    yield "two samples", normal(2, size(1, 99)), np.array([0, 1]), ["--exclude-self"]
    n = size(500, 2000)
    x = np.linspace(-1, 1, n)
    yield "a sine, float64", x, np.sin(7 * np.pi * x), ["--scale", "none"]
    yield "the largest", normal(3000, 3072), labels(3000, 10), []
    distinct = normal(size(100, 500), size(2, 80), 1e-6)
    x = np.tile(distinct, (4, 1))
    yield "duplicates with different labels, scale 1e-6", x, labels(len(x), 5), ["--scale", "none"]
    x = normal(size(500, 1500), 40)
    x[:, ::2] = rng.standard_normal(20)
    x[:, 0] = 0
    yield "constant columns", x, normal(len(x), 3), []
    x = normal(size(1000, 3000), size(5, 50), 1e6)
    yield "scale 1e6, 12 targets of scale 1e-6", x, 1e-6 * np.tanh(x[:, :1] / 1e6 + normal(1, 12)), ["--scale", "none"]
    centres = 10 * rng.integers(-1, 2, (size(500, 2500), 100))
    x = centres + normal(*centres.shape, 1e-3)
    yield "dense clusters far from each other", x, labels(len(x), 12), ["--scale", "none", "--exclude-self"]
    d = size(10, 200)
    x = normal(size(200, 1500), d) * 10.0 ** rng.uniform(-6, 6, d)
    yield "columns of scales 1e-6 to 1e6", x, labels(len(x), 7), []
    n = size(2000, 4000)
    label = labels(n, 10)
    inner = rng.standard_normal((10, 10))[label] / 2 + normal(n, 10)
    yield "a trained layer: tanh of ten directions", np.tanh(0.3 * inner @ normal(10, 300)), label, []
    n = size(50, 500)
    yield "all features alike", np.full((n, 30), 0.1), 1 + normal(n, 1), []


def squared_distances(x):
    """[n,n], each pair good to about 1e-10 of itself: the products for far pairs, differences for near ones."""
    x = x - x.mean(axis=0)
    norm = (x * x).sum(axis=1)
    reach = norm[:, None] + norm
    distance = np.maximum(reach - 2 * x @ x.T, 0)
    near = np.argwhere(distance <= 1e-5 * reach)
    for part in np.array_split(near, max(1, len(near) * x.shape[1] // 10**7)):
        difference = x[part[:, 0]] - x[part[:, 1]]
        distance[part[:, 0], part[:, 1]] = (difference * difference).sum(axis=1)
    return distance


def low_frequency_ratio(distance, y, inv_delta, exclude_self):
    """Eqs. 3 to 5. Weights are over the largest of their row, so that none that counts underflows; a sample without
    another adds nothing when it is left out itself."""
    if exclude_self:
        distance = distance.copy()
        np.fill_diagonal(distance, np.inf)
    nearest = distance.min(axis=1, keepdims=True)
    weights = np.exp(-(distance - np.where(np.isfinite(nearest), nearest, 0)) * (inv_delta / 2))
    total = weights.sum(axis=1, keepdims=True)
    y_low = weights @ y / np.where(total > 0, total, 1)
    return (y_low**2).sum() / (y**2).sum()


def as_measured(features, targets, options):
    """What the app makes of the files, in double: features, scaled if asked for, and targets."""
    x = features.reshape(len(features), -1).astype(np.float64)
    if "none" not in options:
        largest = np.abs(x).max(axis=0)
        x /= np.where(largest > 0, largest, 1)
    if targets.dtype.kind == "i":
        return x, (targets[:, None] == np.unique(targets)).astype(np.float64)
    return x, targets.reshape(len(targets), -1).astype(np.float64)


def measure(app, device, features, targets, options, grid, folder):
    """[(1/delta, LFR)] by the app."""
    np.save(folder / "x.npy", features)
    np.save(folder / "y.npy", targets)
    command = [app, "--features", folder / "x.npy", "--targets", folder / "y.npy", "--inv-delta", grid, *options,
               "--device", device, "--no-figures", "--out", folder / "out"]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"check_lfr.py: {app}: {ended.stderr.strip()}")
    with open(folder / "out" / "lfr.csv", newline="") as file:
        return [(float(row["inv_delta"]), float(row["lfr"])) for row in csv.DictReader(file)]


def check(app, device, features, targets, options):
    """The largest deviation over the grid, and the range of LFR."""
    x, y = as_measured(features, targets, options)
    distance = squared_distances(x)
    middle = 1 / distance.mean() if distance.any() else 1.0
    grid = f"log:{middle * 10**(-DECADES / 2):.9g}:{middle * 10**(DECADES / 2):.9g}:{WIDTHS}"
    with tempfile.TemporaryDirectory() as folder:
        curve = measure(app, device, features, targets, options, grid, Path(folder))
    expected = [low_frequency_ratio(distance, y, s, "--exclude-self" in options) for s, _ in curve]
    return max(abs(found - value) for (_, found), value in zip(curve, expected)), min(expected), max(expected)


def main():
    parser = argparse.ArgumentParser(description="Holds the app lfr against NumPy in double precision.")
    parser.add_argument("--app", default=Path(__file__).resolve().parent.parent / "build/cpu/bin/lfr")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    failed = 0
    for number, (name, x, y, options) in enumerate(data_sets(np.random.default_rng(arguments.seed))):
        # Files of both kinds of float.
        x, y = (x, y) if number % 2 == 0 else (x.astype(np.float32), y if y.dtype.kind == "i" else y.astype(np.float32))
        deviation, low, high = check(arguments.app, arguments.device, x, y, options)
        failed += not deviation <= ALLOWED
        d, c = x.size // len(x), len(np.unique(y)) if y.dtype.kind == "i" else y.size // len(y)
        print(f"{'FAILED' if not deviation <= ALLOWED else 'ok':7}{deviation:9.2e}  n = {len(x)}, d = {d}, c = {c}, "
              f"LFR {low:.3f} to {high:.3f}: {name} {' '.join(options)}", flush=True)
    print(f"{failed} of the sets FAILED" if failed else "every set is within", f"(allowed: {ALLOWED:g})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
