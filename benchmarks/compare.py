#!/usr/bin/env python3
"""Compares our benchmarks with the peers in one run: they alternate, each with the same number of threads.

Prints Markdown: times, their ratios, and the floors (the time of the arithmetic alone, at rates measured in the same
run). deepfreq_benchmarks must have been built. The peer is the newest PyTorch on PyPI (tools/peer_python installs it),
or that of --peer-python. Takes about a quarter of an hour per peer; the machine should be otherwise idle.
"""

import argparse
import datetime
import itertools
import os
import pathlib
import shlex
import statistics
import sys
import tempfile

from bench import (BATCH, FLOOR_HEAD, PEER_HEAD, ROOT, Bench, Failure, floor_row, median, milliseconds, peer_rows, python_of,
                   revision, say, spread, table)
from compare_python import measure_python

# (title, hidden layers, samples per epoch, ratio wanted)
MLPS = [("MLP 784-500x5-10", 5, 30000, "≥ 1.35"), ("MLP 784-500x80-10", 80, 2560, "≥ 1.25")]
MLP_VARIANTS = ["Adam", "foreach Adam", "fused Adam", "torch.compile, fused Adam"]
FLOOR_WANTED, IN_BF16_WANTED = "≤ 1.15", "≥ 1.2"
FIRST_WEIGHTS = 784 * 500
FEATURES, CLASSES, WIDTHS, MORE_WIDTHS = 500, 10, 100, 400
LFR_KINDS = {"one_hot": ("one-hot", "≥ 20"), "general": ("general targets", "≥ 12"), "trained": ("features of a trained layer", "")}
RATES = "rates/.*"
RESNET_VARIANTS = [1, 4]
RESNET_WAYS = ["NCHW", "channels_last", "channels_last, torch.compile"]


def measure_mlp(bench):
    peers, floors = [], []
    for (title, hidden, samples, wanted), precision in itertools.product(MLPS, bench.precisions):
        name = f"mlp_epoch/hidden:{hidden}/samples:{samples}"
        job = f"{title}, step{in_precision(precision)}"

        def ours():
            records = bench.ours(f"{name}/real_time|{RATES}", precision)
            return {**records[name], "seconds": records[name]["seconds_per_step"], "rates": records}

        mine, theirs = bench.alternate(
            job, ours, lambda peer: bench.peer(peer, "mlp_pytorch.py", "--hidden", hidden, "--samples", samples,
                                               "--precision", precision, "--variants", *MLP_VARIANTS))
        peers += peer_rows(job, wanted if precision == "fp32" else IN_BF16_WANTED, mine, theirs,
                           lambda peer, records: f"{peer}, {records[-1]['best']}")
        steps = -(-samples // BATCH)
        flop = 2 * (3 * mine[0]["parameters"] - FIRST_WEIGHTS) * samples / steps
        for rate, text in {"rates/gemm_256x500x500": "products of a hidden layer",
                           "rates/gemm_2048": "a product of 2048³"}.items():
            rates = [record["rates"][rate]["flop_rate"] for record in mine]
            made_of = f"{flop / 1e9:.2f} GFLOP at {statistics.median(rates) / 1e9:.0f} GFLOP/s, the rate of {text}"
            is_goal = "256" in rate and precision == "fp32"
            floors.append(floor_row(job, FLOOR_WANTED if is_goal else "", mine, [flop / each for each in rates], made_of))
    return peers, floors


def in_precision(precision):
    return "" if precision == "fp32" else f" in {precision}"


def lfr_floor(records, n):
    """Distances for half of the pairs: what remains if weights and sums cost nothing."""
    return n * n * FEATURES / records["rates/gemm_2048"]["flop_rate"]


def measure_lfr(bench):
    """LFR compared with PyTorch; the cost of a finer grid; a probe of five layers."""
    kinds = "|".join(LFR_KINDS)

    def ours():
        return bench.ours(f"lfr/({kinds})/10000/({WIDTHS}|{MORE_WIDTHS})/real_time|{RATES}")

    mine, theirs = bench.alternate(
        "LFR", ours, lambda peer: bench.peer(peer, "lfr_pytorch.py", "--method", "fastest", "--repeat", 1))
    say("LFR at n = 30000")
    large = [bench.ours(f"lfr/({kinds})/30000/{WIDTHS}/real_time|{RATES}")]
    peers, floors = [], []
    for runs, n in ((mine, 10000), (large, 30000)):
        for kind, (text, wanted) in LFR_KINDS.items():
            job = f"LFR n = {n}, {text}"
            records = [records[f"lfr/{kind}/{n}/{WIDTHS}"] for records in runs]
            if n == 10000 and wanted:  # the peer does the same work for any targets
                peers += peer_rows(job, wanted, records, theirs, lambda peer, found: f"{peer}, {found[-1]['method']}")
            floors.append(floor_row(job, "", records, [lfr_floor(each, n) for each in runs],
                                    "half the distances as a matrix product"))
    return peers, floors, [finer_row(mine, kind) for kind in LFR_KINDS] + [probe_row(bench)]


def finer_row(runs, kind):
    at = {widths: [records[f"lfr/{kind}/10000/{widths}"] for records in runs] for widths in (WIDTHS, MORE_WIDTHS)}
    ratios = [fine["seconds"] / coarse["seconds"] for fine, coarse in zip(at[MORE_WIDTHS], at[WIDTHS])]
    return [f"LFR n = 10000, {LFR_KINDS[kind][0]}, {MORE_WIDTHS} widths", milliseconds(median(at[MORE_WIDTHS])),
            f"{spread(ratios)} times {WIDTHS} widths", "≤ 1.3 times"]


def probe_row(bench):
    say("a probe of five layers")
    record = bench.ours("probe/30000/real_time")["probe/30000"]
    return ["probe of five layers of 500, n = 30000, automatic grid", milliseconds(record["seconds"]), "", "≤ 15 s"]


def measure_resnet(bench):
    """Training steps, and the peak memory of each process."""
    peers, memory = [], []
    for variant, precision in itertools.product(RESNET_VARIANTS, bench.precisions):
        name = f"resnet_epoch/variant:{variant}/batch:64"

        def ours():
            record = bench.ours(f"{name}/real_time", precision)[name]
            return {**record, "seconds": record["seconds_per_step"]}

        title = f"Resnet18-{variant}, batch 64{in_precision(precision)}"
        mine, theirs = bench.alternate(
            title, ours,
            lambda peer: bench.peer(peer, "resnet_pytorch.py", "--variant", variant, "--precision", precision,
                                    "--variants", *RESNET_WAYS))
        wanted = IN_BF16_WANTED if precision == "bf16" else "≥ 1.7" if variant == 1 else ""
        peers += peer_rows(f"{title}, step", wanted, mine, theirs,
                           lambda peer, records: f"{peer}, {records[-1]['best']}")
        memory += [[title, mebibytes(mine), peer, mebibytes(records)] for peer, records in theirs.items()]
    return peers, memory


def mebibytes(records):
    return f"{median(records, 'peak_bytes') / 2**20:.0f} MiB"


def measure_accuracy(bench):
    """Largest |LFR - LFR in double| over the widths, for ours and for the PyTorch loop."""
    rows = []
    for kind in ("one_hot", "general"):
        say(f"LFR in double, {kind} targets")
        with tempfile.TemporaryDirectory() as folder:
            bench.ours(f"lfr/{kind}/10000/{WIDTHS}/real_time", DEEPFREQ_LFR_OUT=folder)
            found = bench.peer(next(iter(bench.peers)), "lfr_double.py", folder)
        rows.append([f"LFR n = {found['n']}, {kind}", f"{found['lfr_first']:.4f} to {found['lfr_last']:.4f}",
                     f"{found['ours']:.1e}", f"{found['peer']:.1e}", "≤ 1e-5"])
    return rows


def measure_operations(bench):
    say("single operations")
    rows = []
    for name, record in bench.ours("operations/.*").items():
        kind = "flop_rate" if "flop_rate" in record else "byte_rate"
        unit = "GFLOP/s" if kind == "flop_rate" else "GB/s"
        rows.append([name.removeprefix("operations/"), f"{1e6 * record['seconds']:.1f} µs",
                     f"{record[kind] / 1e9:.3g} {unit}"])
    return rows


def introduction(bench, load):
    command = shlex.join(["benchmarks/compare.py", *sys.argv[1:]])
    return [
        "# Ours and the peers", "",
        f"- `{command}`, {datetime.date.today().isoformat()}, revision {revision()}",
        f"- {bench.device}; {os.cpu_count()} processors, load {load:.2f} at the start; {bench.threads} threads each",
        *(f"- {fact}" for fact in bench.facts),
        f"- medians of {bench.rounds} rounds in which ours and the peers took turns; least and largest in brackets",
        "- MLP: tanh, MSE, Adam, batch 256, a whole epoch without evaluation; of PyTorch its fastest Adam, eager or compiled; "
        "in bf16 under its autocast",
        f"- LFR: d = {FEATURES}, c = {CLASSES}, {WIDTHS} evenly spaced 1/δ; PyTorch: distances once for a block of rows, exp in "
        "place or torch.compile, the fastest of three sizes of block",
        "",
    ]


def compare(args):
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"the load is {load:.2f}: something else is running, and the times will show it")
    bench = Bench(args)
    for python in args.peer_python or [python_of("peer_python", "PyTorch to measure beside ours")]:
        bench.meet(python)
    bench.look_for_bf16()
    peers, floors, rest = [], [], []
    if "mlp" in args.only:
        peers, floors = measure_mlp(bench)
    if "lfr" in args.only:
        more_peers, more_floors, grids = measure_lfr(bench)
        peers, floors = peers + more_peers, floors + more_floors
        rest += ["## Grids", "", *table(["job", "ours", "beside", "wanted"], grids)]
    if "python" in args.only:
        rest += ["## LFR in Python", "", *measure_python(bench)]
    if "resnet" in args.only:
        more_peers, memory = measure_resnet(bench)
        peers += more_peers
        rest += ["## Peak memory of the process", "", *table(["job", "ours", "peer", "its memory"], memory)]
    if "accuracy" in args.only:
        rest += ["## Accuracy", "", *table(["job", "LFR from … to", "largest error, ours", "PyTorch's", "wanted"],
                                           measure_accuracy(bench))]
    if "operations" in args.only:
        rest += ["## Single operations", "", *table(["operation", "time", "rate"], measure_operations(bench))]
    compared = ["## Against the peers", "", *table(PEER_HEAD, peers)] if peers else []
    compared += ["## Against the floor", "", *table(FLOOR_HEAD, floors)] if floors else []
    return "\n".join(introduction(bench, load) + compared + rest)


def main():
    parts = ["mlp", "lfr", "python", "resnet", "accuracy", "operations"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "cpu", help="build folder (build/cpu)")
    parser.add_argument("--out", type=pathlib.Path, help="write the Markdown there too")
    parser.add_argument("--peer-python", action="append", default=[], metavar="PYTHON",
                        help="a Python with PyTorch, in place of the newest of PyPI; may be given again")
    parser.add_argument("--rounds", type=int, default=5, help="turns of ours and the peers (5)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each (2)")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts, help="parts to measure (all)")
    args = parser.parse_args()
    if args.rounds < 1 or args.threads < 1:
        parser.error("--rounds and --threads are at least 1")
    try:
        text = compare(args)
    except Failure as failure:
        sys.exit(f"compare.py: {failure}")
    print(text)
    if args.out:
        args.out.write_text(text)


if __name__ == "__main__":
    main()
