#!/usr/bin/env python3
"""For which choices that the paper leaves open does all of its Figure 9 hold?

    python3 tools/fig9_search.py --build build/cpu --out runs/fig9-search --quick [--jobs 2] [--device cpu]

trains plain networks and residual ones, of 20, 60 and 80 layers, by the app vanishing_gradient for every combination of
loss, activation, initial weights and learning rate; residual connections span one layer or two. Each network set is a
run of its own in OUT, and a run that is there is not made again. OUT/search.csv has a row a combination and span: the
losses at the end, the peaks of S[-3], and which of the figure's four claims hold, by analysis/claims.py.

What stands behind -- is handed to every run: -- --width 256 --samples 5000 --epochs 40. Normal weights are given for
width 500 and scaled to others, so that signals shrink alike.
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
sys.path += [str(ROOT / "analysis"), str(pathlib.Path(__file__).resolve().parent)]
import claims  # noqa: E402  (beside the figures)

DEPTHS = (20, 60, 80)
LOSSES = ("mse", "softmax-ce")
ACTIVATIONS = ("tanh", "relu")
WEIGHTS = ("glorot-uniform", "he", "normal:0.03")
RATES = ("1e-3", "1e-4", "1e-5")
SPANS = (1, 2)
CLAIMS = ("plain slower", "residual alike", "plain peaks rise", "residual peaks alike")


def weights_for(weights, width):
    """Of normal weights, the deviation that shrinks signals as much as the given one does at width 500."""
    kind, _, sigma = weights.partition(":")
    return f"normal:{float(sigma) * math.sqrt(500 / width):.4g}" if kind == "normal" else weights


def runs_of(combination):
    """{name: options} of the three network sets: plain, and residual with either span."""
    loss, activation, weights, rate = combination
    stem = "-".join([loss, activation, weights.replace(":", ""), rate])
    common = {"--loss": loss, "--activation": activation, "--init": weights, "--lr": rate}
    sets = {f"{stem}/plain": {**common, "--residual": "no"}}
    for span in SPANS:
        sets[f"{stem}/residual-{span}"] = {**common, "--residual": "yes", "--residual-span": str(span)}
    return sets


class Search:
    def __init__(self, args):
        self.args = args
        width = args.more[args.more.index("--width") + 1] if "--width" in args.more else "64" if args.quick else "500"
        self.width = int(width)
        self.deadline = time.monotonic() + args.budget if args.budget else math.inf
        self.lock = threading.Lock()

    def train(self, name, options):
        """One run, unless it is there; what went wrong in words."""
        folder = self.args.out / name
        if (folder / "done").exists() or time.monotonic() > self.deadline:
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        options = {**options, "--init": weights_for(options["--init"], self.width)}
        command = [self.args.build / "bin" / "vanishing_gradient", *itertools.chain(*options.items()),
                   "--depth", ",".join(map(str, DEPTHS)), "--no-figures", "--device", self.args.device]
        command += (["--quick"] if self.args.quick else []) + self.args.more
        command += ["--resume", folder] if (folder / "config.toml").exists() else ["--out", folder]
        command = [str(word) for word in command]
        if "--resume" in command:
            command = [command[0], "--resume", str(folder)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.args.threads), "OMP_WAIT_POLICY": "passive"}
        ended = subprocess.run(command, capture_output=True, text=True, env=environment)
        if ended.returncode not in (0, 1):  # 1: a loss that diverged is a result too
            sys.exit(f"fig9_search.py: {name}: {ended.stderr.strip()}")
        (folder / "done").write_text(ended.stderr)
        with self.lock:
            print(f"{name}: {'diverged' if ended.returncode else 'done'}", flush=True)

    def row(self, combination, span):
        """What came out of plain networks and those of one span; nothing while a run is missing."""
        folders = list(runs_of(combination))
        plain, residual = self.args.out / folders[0], self.args.out / folders[SPANS.index(span) + 1]
        if not all((folder / "done").exists() for folder in (plain, residual)):
            return None
        tables = {name: [row for folder in (plain, residual) for row in read(folder / name)]
                  for name in ("metrics.csv", "peaks.csv")}
        judged = claims.judge_figure_9(tables["metrics.csv"], tables["peaks.csv"])
        row = dict(zip(("loss", "activation", "weights", "rate"), combination), span=span)
        end = max(int(r["epoch"]) for r in tables["metrics.csv"])
        for kind in ("plain", "residual"):
            for depth in DEPTHS:
                of = {"network": f"{kind}-{depth}"}
                row[f"loss {kind}-{depth}"] = claims.value_at(tables["metrics.csv"], "train_loss", end, **of)
                row[f"accuracy {kind}-{depth}"] = claims.value_at(tables["metrics.csv"], "train_accuracy", end, **of)
                row[f"peak {kind}-{depth}"] = claims.value_at(tables["peaks.csv"], "inv_delta", end, layer="-3", **of)
        row.update(zip(CLAIMS, [{True: "yes", False: "no", None: "?"}[claim.holds] for claim in judged]))
        row["hold"] = sum(row[claim] == "yes" for claim in CLAIMS)
        return row

    def write(self, combinations):
        rows = [row for c, span in itertools.product(combinations, SPANS) if (row := self.row(c, span))]
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
    """The rows of a table; none where a run diverged before it had any."""
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
    parser.add_argument("--like", default="", help="only combinations whose name has this")
    parser.add_argument("more", nargs="*", help="options of the app, behind --")
    args = parser.parse_args()
    search = Search(args)
    combinations = [c for c in itertools.product(LOSSES, ACTIVATIONS, WEIGHTS, RATES)
                    if args.like in next(iter(runs_of(c)))]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for done in [pool.submit(search.train, *item) for c in combinations for item in runs_of(c).items()]:
            done.result()
    for row in search.write(combinations):
        print(f"{row['hold']} of 4: {row['loss']}, {row['activation']}, {row['weights']}, {row['rate']}, "
              f"a connection around {row['span']}: " + ", ".join(f"{claim}: {row[claim]}" for claim in CLAIMS))
    print(f"written: {args.out / 'search.csv'}")


if __name__ == "__main__":
    main()
