#!/usr/bin/env python3
"""Fig. 8's claim as a table: do the RDF peaks rise with depth at initialisation and fall with depth at the end?

    tools/fig8_claim.py --app build/cpu/bin/train_mlp_mnist --data DIR --out FOLDER [--seeds 0,1,2] [-- APP OPTIONS]

Trains the paper's network once per seed (skipped if FOLDER/seed-N is finished), measures the initial and the final
network again at several n, with and without normalisation, and prints Markdown.
"""
import argparse
import csv
import statistics
import subprocess
import sys
from pathlib import Path

NORMALIZATIONS = ((True, "scaled to [-1, 1]"), (False, "not scaled"))


def last_epoch(run):
    with open(run / "metrics.csv", newline="") as file:
        return int(list(csv.DictReader(file))[-1]["epoch"])


def peaks(run):
    """{epoch: [peak of layer 1, peak of layer 2, ...]}"""
    found = {}
    with open(run / "peaks.csv", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(int(row["epoch"]), {})[int(row["layer"])] = float(row["inv_delta"])
    return {epoch: [layers[l] for l in sorted(layers)] for epoch, layers in found.items()}


def call(app, *arguments):
    print("+", app, *arguments, file=sys.stderr, flush=True)
    subprocess.run([app, *map(str, arguments)], check=True, stdout=sys.stderr)


def train(arguments, seed):
    run = arguments.out / f"seed-{seed}"
    if not run.exists():
        call(arguments.app, "--data", arguments.data, "--seed", seed, "--keep-checkpoints",
             "--probe-samples", min(arguments.sizes), "--no-figures", "--out", run, *arguments.options)
    elif not (run / "done").exists():
        call(arguments.app, "--resume", run)
    (run / "done").touch()
    return run


def measure(arguments, run, n, normalized):
    out = run.with_name(f"{run.name}-n{n}-{'scaled' if normalized else 'raw'}")
    if not (out / "done").exists():
        flags = [] if normalized else ["--scale", "none"]
        subprocess.run(["rm", "-rf", out], check=True)
        call(arguments.app, "--probe-run", run, "--out", out, "--probe-samples", n, "--probe-epochs",
             f"0,{last_epoch(run)}", "--no-figures", *flags)
        (out / "done").touch()
    return peaks(out)


def order(values, falls):
    """'yes', or the first pair of neighbouring layers that breaks the order."""
    signed = [-v for v in values] if falls else values
    for layer, (a, b) in enumerate(zip(signed, signed[1:]), start=1):
        if a >= b:
            return f"no ({layer}→{layer + 1})"
    return "yes"


def rows(when, runs, falls):
    """One Markdown cell per layer: mean over seeds and spread (max - min); then the verdict for each seed."""
    cells = []
    for values in zip(*runs):
        cells.append(f"{statistics.mean(values):.4g} (±{(max(values) - min(values)) / 2:.1g})")
    return [when, *cells, ", ".join(order(r, falls) for r in runs)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--app", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--sizes", type=lambda text: [int(n) for n in text.split(",")], default=[3000, 10000, 30000])
    parser.add_argument("options", nargs="*", help="further options of the app, after --")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    runs = [train(arguments, int(seed)) for seed in arguments.seeds.split(",")]
    ends = ", ".join(f"{last_epoch(run)}" for run in runs)
    print(f"Seeds {arguments.seeds}; last epochs {ends}. A cell is the mean 1/δ of the RDF peak over the seeds")
    print("(± half the range over them); the last column judges each seed by itself.\n")
    print("| features | n | when | layer 1 | layer 2 | layer 3 | layer 4 | layer 5 | claimed order, per seed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for normalized, name in NORMALIZATIONS:
        for n in arguments.sizes:
            found = [measure(arguments, run, n, normalized) for run in runs]
            start = rows("start: rises", [f[0] for f in found], falls=False)
            end = rows("end: falls", [f[max(f)] for f in found], falls=True)
            for cells in (start, end):
                print("|", " | ".join([name, str(n), *cells]), "|", flush=True)


if __name__ == "__main__":
    main()
