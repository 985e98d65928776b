#!/usr/bin/env python3
"""For which of the choices that the paper leaves open does all of its Figure 9 hold?

    python3 tools/fig9_search.py --build build/cpu --out runs/fig9-search --quick [--jobs 2] [--device cpu]

trains plain and residual networks of 20, 60 and 80 layers with the app vanishing_gradient, for every combination of
loss, activation, initial weights and learning rate; residual connections span one layer or two. Each set of networks is
a separate run in OUT; existing runs are not repeated. OUT/search.csv has one row per combination and span: the final
losses and accuracies; for S[-3], 1/delta at half of LFR's rise and at the peak of RDF; and which of the figure's four
claims hold, as judged by apps/paper/claims.py.

Everything after -- is passed to every run: -- --width 256 --samples 5000 --epochs 40. The deviation of normal weights
is given for width 500 and scaled for other widths, so that signals shrink equally.
"""

import argparse
import concurrent.futures
import csv
import itertools
import math
import os
import pathlib
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "apps" / "paper"), str(pathlib.Path(__file__).resolve().parent)]
import claims  # noqa: E402

DEPTHS = (20, 60, 80)
CHOICES = {"loss": ("mse", "softmax-ce"), "activation": ("tanh", "relu"),
           "weights": ("glorot-uniform", "he", "normal:0.03"), "rate": ("1e-3", "1e-4", "1e-5"),
           "span": ("1", "2")}
CLAIMS = ("(a) plain", "(a) residual", "(b) plain", "(b) residual")


def weights_for(weights, width):
    """The standard deviation of normal weights that shrinks signals as much as the given one does at width 500."""
    kind, _, sigma = weights.partition(":")
    return f"normal:{float(sigma) * math.sqrt(500 / width):.4g}" if kind == "normal" else weights


def runs_of(combination):
    """{name: options} for the two sets of networks, plain and residual."""
    loss, activation, weights, rate, span = combination
    stem = "-".join([loss, activation, weights.replace(":", ""), rate])
    common = {"--loss": loss, "--activation": activation, "--init": weights, "--lr": rate}
    return {f"{stem}/plain": {**common, "--residual": "no"},
            f"{stem}/residual-{span}": {**common, "--residual": "yes", "--residual-span": span}}


class Failure(Exception):
    """The app's own message about what it rejected."""


class Search:
    def __init__(self, args):
        self.args = args
        width = args.more[args.more.index("--width") + 1] if "--width" in args.more else "64" if args.quick else "500"
        self.width = int(width)
        self.deadline = time.monotonic() + args.budget if args.budget else math.inf
        self.lock = threading.Lock()

    def train(self, name, options):
        """Makes one run, unless it exists. Raises Failure with what the app rejected."""
        folder = self.args.out / name
        if (folder / "done").exists() or time.monotonic() > self.deadline:
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        options = {**options, "--init": weights_for(options["--init"], self.width)}
        command = [self.args.build / "bin" / "vanishing_gradient", *itertools.chain(*options.items()),
                   "--depth", ",".join(map(str, DEPTHS)), "--no-figures", "--device", self.args.device]
        command += (["--quick"] if self.args.quick else []) + self.args.more
        command += ["--out", folder]
        if (folder / "config.toml").exists():
            command = [command[0], "--resume", folder]
        command = [str(word) for word in command]
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.args.threads), "OMP_WAIT_POLICY": "passive"}
        ended = subprocess.run(command, capture_output=True, text=True, env=environment)
        if ended.returncode not in (0, 1):  # 1: a loss that diverged is a result too
            raise Failure(f"{name}: {ended.stderr.strip()}")
        (folder / "done").write_text(ended.stderr)
        with self.lock:
            print(f"{name}: {'diverged' if ended.returncode else 'done'}", flush=True)

    def row(self, combination):
        """The results; none while a run is missing."""
        plain, residual = (self.args.out / name for name in runs_of(combination))
        if not all((folder / "done").exists() for folder in (plain, residual)):
            return None
        tables = {name: [row for folder in (plain, residual) for row in read(folder / name)]
                  for name in ("metrics.csv", "peaks.csv")}
        judged = claims.judge_figure_9(tables["metrics.csv"], tables["peaks.csv"])
        row = dict(zip(CHOICES, combination))
        end = max(int(r["epoch"]) for r in tables["metrics.csv"])
        for kind in ("plain", "residual"):
            for depth in DEPTHS:
                of = {"network": f"{kind}-{depth}"}
                row[f"loss {kind}-{depth}"] = claims.value_at(tables["metrics.csv"], "train_loss", end, **of)
                row[f"accuracy {kind}-{depth}"] = claims.value_at(tables["metrics.csv"], "train_accuracy", end, **of)
                row[f"half {kind}-{depth}"] = claims.value_at(tables["peaks.csv"], "rise50", end, layer="-3", **of)
                row[f"peak {kind}-{depth}"] = claims.value_at(tables["peaks.csv"], "inv_delta", end, layer="-3", **of)
        row.update(zip(CLAIMS, [{True: "yes", False: "no", None: "?"}[claim.holds] for claim in judged]))
        row["hold"] = sum(row[claim] == "yes" for claim in CLAIMS)
        return row

    def write(self, combinations):
        rows = [row for combination in combinations if (row := self.row(combination))]
        rows.sort(key=lambda row: -row["hold"])
        if not rows:
            return rows
        with (self.args.out / "search.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows({name: f"{value:.5g}" if isinstance(value, float) else value for name, value in row.items()}
                             for row in rows)
        return rows


def read(path):
    """The rows of a table; none if the run diverged before writing any."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "cpu")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--quick", action="store_true", help="the app's --quick")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side")
    parser.add_argument("--threads", type=int, default=max(1, os.cpu_count() or 1), help="of each run")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="then no more runs are begun")
    for name, values in CHOICES.items():
        parser.add_argument(f"--{name}", default=",".join(values), help="instead of %(default)s")
    parser.add_argument("more", nargs="*", help="options of the app, behind --")
    args = parser.parse_args()
    search = Search(args)
    combinations = list(itertools.product(*(getattr(args, name).split(",") for name in CHOICES)))
    # Both spans are compared with the same plain networks.
    runs = {name: options for combination in combinations for name, options in runs_of(combination).items()}
    pool = concurrent.futures.ThreadPoolExecutor(args.jobs)
    try:
        for done in [pool.submit(search.train, *run) for run in runs.items()]:
            done.result()
    except Failure as failure:
        pool.shutdown(cancel_futures=True)
        print(f"fig9_search.py: {failure}", file=sys.stderr)
        return 2
    for row in search.write(combinations):
        print(f"{row['hold']} of 4: {row['loss']}, {row['activation']}, {row['weights']}, {row['rate']}, "
              f"a connection around {row['span']}: " + ", ".join(f"{claim}: {row[claim]}" for claim in CLAIMS))
    print(f"written: {args.out / 'search.csv'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
