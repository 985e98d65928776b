#!/usr/bin/env python3
"""Compares our benchmarks on a GPU with PyTorch (eager, CUDA graphs, torch.compile), KeOps and the floors, as Markdown.

Both sides do the same work in the same precision; times are medians after warm-up. PyTorch is timed by CUDA events,
ours over whole epochs or curves, with the device idle before and after. Needs deepfreq_benchmarks built with CUDA, and
a Python with PyTorch. Whatever cannot run is listed with the reason; what does not fit into --budget is not started,
and is listed too. Exit status 1 if one of ours failed. --device cpu --small tests the script itself without a GPU.
"""

import argparse
import datetime
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

from bench import Failure, floor_row, milliseconds, records_of, revision, table

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BATCH, FIRST_WEIGHTS = 256, 784 * 500
FEATURES, CLASSES = 512, 10
EAGER, GRAPH = ["Adam", "fused Adam"], ["CUDA graph, fused Adam"]
COMPILED = ["torch.compile, fused Adam", "torch.compile reduce-overhead, fused Adam"]
RESNET_BATCH, RESNET_FLOP = 256, 3 * 2 * 555.7e6  # per sample: multiply-adds, forward and twice backward
RESNET_EAGER, RESNET_GRAPH = ["NCHW", "channels_last"], ["channels_last, CUDA graph"]
RESNET_COMPILED = ["channels_last, torch.compile", "channels_last, torch.compile reduce-overhead"]
KINDS = {"one_hot": "one-hot", "general": "general targets", "trained": "one-hot, features of 10 dimensions"}


class OutOfTime(Failure):
    """Not started, or not finished, because the time of --budget ran out."""


def say(text):
    print(f"compare_cuda.py: {text}", file=sys.stderr, flush=True)


class Bench:
    """Starts our benchmarks and the peers within the available time; records what did not run."""

    def __init__(self, args):
        self.args = args
        self.binary = args.build / "bin" / "deepfreq_benchmarks"
        self.end = time.monotonic() + args.budget
        self.device = ""
        self.torch = ""
        self.missing = []  # [what, why]
        self.ours_missing = False
        if not self.binary.exists():
            raise Failure(f"{self.binary} is not there: build the target deepfreq_benchmarks first")

    def run(self, command, **environment):
        left = min(self.args.limit, self.end - time.monotonic())
        if left < 1:
            raise OutOfTime("not begun: the time of --budget was over")
        try:
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=left,
                                  env={**os.environ, **environment})
        except OSError as error:
            raise Failure(f"{command[0]} cannot be started: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            kind = Failure if left == self.args.limit else OutOfTime
            raise kind(f"stopped after {left:.0f} s") from None
        if done.returncode != 0:
            words = done.stderr.strip().splitlines() or [f"no word on stderr, status {done.returncode}"]
            raise Failure(words[-1])
        return done.stdout

    def attempt(self, what, call, ours=False):
        """Returns call(), or None if it failed; the reason is recorded."""
        say(what)
        try:
            return call()
        except Failure as failure:
            say(f"{what}: {failure}")
            self.missing.append([what, str(failure)])
            self.ours_missing |= ours and not isinstance(failure, OutOfTime)
            return None

    def ours(self, names, precision, repetitions=None, **environment):
        """{name: record} of our benchmarks, each the median over repetitions; `seconds` is for one iteration."""
        repetitions = repetitions or self.args.repetitions
        # A packed binary comes with its libraries; PyTorch has its own, and must not see them.
        if "DEEPFREQ_LIBRARY_PATH" in os.environ:
            environment["LD_LIBRARY_PATH"] = os.environ["DEEPFREQ_LIBRARY_PATH"]
        found = json.loads(self.run(
            [self.binary, f"--device={self.args.device}", f"--precision={precision}",
             f"--benchmark_filter=^({names})$", f"--benchmark_repetitions={repetitions}",
             f"--benchmark_min_time={self.args.min_time}", "--benchmark_format=json"], **environment))
        self.device = found["context"]["device"]
        records = {}
        for record in records_of(found):
            if record["run_type"] == "iteration" and repetitions > 1:
                continue
            records[record["run_name"].removesuffix("/real_time")] = record
        if not records:
            raise Failure(f"{self.binary} has no benchmark named {names}")
        return records

    def peer(self, script, *arguments):
        output = self.run([self.args.python, HERE / script, *arguments, "--device", self.args.device])
        found = json.loads(output.splitlines()[-1])
        self.torch = found.get("torch", self.torch)
        return found


def microseconds(seconds):
    return f"{1e6 * seconds:.1f} µs" if seconds < 1e-3 else milliseconds(seconds)


def times_faster(peer, ours):
    return f"{peer / ours:.2f}" if ours else "ours did not run"


def measure_rates(bench):
    """The rates of the device: read from --rates, or measured and written there."""
    file = bench.args.rates
    if file and file.exists():
        return json.loads(file.read_text())
    small = ["--size", 256, "--mebibytes", 16] if bench.args.small else []
    rates = bench.attempt("rates of the device", lambda: bench.peer("rates_pytorch.py", *small))
    if file and rates:
        file.write_text(json.dumps(rates))
    return rates


def mlp_ours(bench, hidden, samples, precision):
    name = f"mlp_epoch/hidden:{hidden}/samples:{samples}"
    records = bench.attempt(f"ours: MLP of {hidden} layers, {precision}",
                            lambda: bench.ours(f"{name}/real_time", precision), ours=True)
    return records and records[name]


def mlp_peers(bench, hidden, samples, precision, variants):
    """{variant: seconds per step} for all variants that ran."""
    what = f"PyTorch: MLP of {hidden} layers, {precision}"
    found = bench.attempt(f"{what}: {'; '.join(variants)}", lambda: bench.peer(
        "mlp_pytorch.py", "--hidden", hidden, "--samples", samples, "--precision", precision,
        "--epochs", bench.args.epochs, "--variants", *variants))
    if not found:
        return {}
    bench.missing += [[f"{what}: {variant}", reason] for variant, reason in found["failed"].items()]
    return found["variants"]


def mlp_floor(job, ours, steps, samples, precision, rates):
    """Arithmetic at the rate of a large product, or memory traffic of Adam and gradients, whichever takes longer."""
    flop = 2 * (3 * ours["parameters"] - FIRST_WEIGHTS) * samples / steps
    traffic = 8 * 4 * ours["parameters"]
    floors = {f"{flop / 1e9:.2f} GFLOP at {rates[precision + '_flop_rate'] / 1e12:.1f} TFLOP/s":
              flop / rates[precision + "_flop_rate"],
              f"{traffic / 1e6:.0f} MB of parameters, moments and gradients at {rates['byte_rate'] / 1e12:.2f} TB/s":
              traffic / rates["byte_rate"]}
    text = max(floors, key=floors.get)
    return floor_row(job, "", [{"seconds": ours["seconds_per_step"]}], [floors[text]], text)


def mlp_jobs(bench, deep):
    """(hidden layers, samples per epoch, precision); without bf16, in which no peer trains such a network."""
    precisions = [precision for precision in bench.args.precisions if precision != "bf16"]
    sizes = [(1, 2560)] if bench.args.small else [(5, 30000), (80, 2560)] if deep else [(5, 30000)]
    return [(hidden, samples, precision) for hidden, samples in sizes for precision in precisions]


def mlp_rows(job, ours, peers):
    title = f"MLP 784-500x{job[0]}-10, step, {job[2]}"
    seconds = ours and ours["seconds_per_step"]
    return [[title, microseconds(seconds) if seconds else "", variant, microseconds(its), times_faster(its, seconds)]
            for variant, its in peers.items()]


def measure_mlp(bench, rates, variants, deep=True):
    rows, floors = [], []
    for job in mlp_jobs(bench, deep):
        hidden, samples, precision = job
        record = mlp_ours(bench, *job)
        rows += mlp_rows(job, record, mlp_peers(bench, *job, variants))
        if record and rates:
            floors.append(mlp_floor(f"MLP 784-500x{hidden}-10, step, {precision}", record, -(-samples // BATCH),
                                    samples, precision, rates))
    return rows, floors


def lfr_floor(n, widths, general, rates):
    """For half of the pairs; see the text of the row."""
    distances = 3 * n * n * FEATURES / rates["tf32_flop_rate"]  # three TF32 products make one of fp32 quality
    instructions = rates["fp32_flop_rate"] / 2
    weights = n * n / 2 * widths * (1 if general else 3) / instructions
    sums = 2 * n * n * widths * (CLASSES + 1) / rates["tf32_flop_rate"] if general else 0
    return distances + weights + sums


def lfr_peers(bench, n, widths):
    """[(name, seconds)] of the loops; their time does not depend on features or targets."""
    block = 8192 if bench.args.device != "cpu" else 1024
    jobs = [("batched", precision) for precision in bench.args.precisions if precision != "bf16"]
    jobs += [("per-width", "fp32")]
    found = []
    for method, precision in jobs:
        record = bench.attempt(f"PyTorch: LFR n = {n}, {widths} widths, {method}, {precision}", lambda: bench.peer(
            "lfr_pytorch.py", "--method", method, "--n", n, "--d", FEATURES, "--c", CLASSES, "--widths", widths,
            "--block", block, "--repeat", 2, "--precision", precision))
        if record:
            found.append((f"{method} loop, {precision}", record["median_seconds"]))
    return found


def measure_lfr(bench, rates, widths):
    n = 2000 if bench.args.small else 40000
    names = {kind: f"lfr/{kind}_d512/{n}/{widths}" for kind in KINDS}
    ours = {kind: bench.attempt(f"ours: LFR n = {n}, {widths} widths, {text}",
                                lambda: bench.ours(f"{names[kind]}/real_time", "fp32")[names[kind]], ours=True)
            for kind, text in KINDS.items()}
    peers = lfr_peers(bench, n, widths) if widths == 100 else []  # their time grows with the number of widths
    rows, floors = [], []
    for kind, record in ours.items():
        job = f"LFR n = {n}, d = {FEATURES}, {widths} widths, {KINDS[kind]}"
        for name, seconds in peers:
            rows.append([job, milliseconds(record["seconds"]) if record else "", name, milliseconds(seconds),
                         times_faster(seconds, record and record["seconds"])])
        if record and rates:
            general = kind == "general"
            words = ("3×TF32 distances of half the pairs; per pair and width a multiplication, and "
                     + ("22 multiply-adds at the TF32 rate" if general else "two additions"))
            floors.append(floor_row(job, "", [record], [lfr_floor(n, widths, general, rates)], words))
    return rows, floors


def measure_resnet(bench, rates, variants):
    """Rows of peers and floors for a training step of Resnet18-1."""
    batch = 64 if bench.args.device == "cpu" else RESNET_BATCH
    name = f"resnet_epoch/variant:1/batch:{batch}"
    rows, floors = [], []
    for precision in sorted(bench.args.precisions, key=["tf32", "bf16", "fp32"].index):
        job = f"Resnet18-1, batch {batch}, step, {precision}"
        record = bench.attempt(f"ours: {job}", lambda: bench.ours(f"{name}/real_time", precision)[name], ours=True)
        ours = record and record["seconds_per_step"]
        found = bench.attempt(f"PyTorch: {job}: {'; '.join(variants)}", lambda: bench.peer(
            "resnet_pytorch.py", "--batch", batch, "--precision", precision, "--variants", *variants))
        for variant, seconds in (found["variants"] if found else {}).items():
            rows.append([job, microseconds(ours) if ours else "", variant, microseconds(seconds),
                         times_faster(seconds, ours)])
        for variant, why in (found["failed"] if found else {}).items():
            bench.missing.append([f"PyTorch: {job}: {variant}", why])
        if ours and rates:
            flop, rate = RESNET_FLOP * batch, rates[precision + "_flop_rate"]
            floors.append(floor_row(job, "", [{"seconds": ours}], [flop / rate],
                                    f"{flop / 1e9:.0f} GFLOP at {rate / 1e12:.1f} TFLOP/s"))
    return rows, floors


def measure_accuracy(bench):
    """Largest |LFR - LFR in double| over the widths, for ours and for the PyTorch loop."""
    n = 2000 if bench.args.small else 40000
    block = 1024 if bench.args.device != "cpu" else 128
    rows = []
    for kind in KINDS:
        def judge():
            with tempfile.TemporaryDirectory() as folder:
                bench.ours(f"lfr/{kind}_d512/{n}/100/real_time", "fp32", 1, DEEPFREQ_LFR_OUT=folder)
                return bench.peer("lfr_double.py", folder, "--block", block)
        found = bench.attempt(f"LFR in double, {kind}", judge, ours=True)
        if found:
            rows.append([f"LFR n = {n}, {KINDS[kind]}",
                         f"{found['lfr_first']:.4f} to {found['lfr_last']:.4f}", f"{found['ours']:.1e}",
                         f"{found['peer']:.1e}", "≤ 1e-5"])
    return rows


def measure_operations(bench):
    rows = []
    for precision in bench.args.precisions:
        names = "operations/.*" if precision == "fp32" else "operations/dense.*"  # the rest is the same
        records = bench.attempt(f"ours: single operations, {precision}", lambda: bench.ours(names, precision),
                                ours=True)
        for name, record in (records or {}).items():
            kind = "flop_rate" if "flop_rate" in record else "byte_rate"
            unit = "GFLOP/s" if kind == "flop_rate" else "GB/s"
            rows.append([name.removeprefix("operations/"), precision, microseconds(record["seconds"]),
                         f"{record[kind] / 1e9:.3g} {unit}"])
    return rows


def on_gpu(bench, variants):
    return variants if bench.args.device != "cpu" else []


# The choices of --only; each gives rows of peers and rows of floors.
COMPARISONS = {
    "lfr": lambda bench, rates: measure_lfr(bench, rates, 100),
    "lfr-400": lambda bench, rates: measure_lfr(bench, rates, 400),
    "mlp": lambda bench, rates: measure_mlp(bench, rates, EAGER + on_gpu(bench, GRAPH)),
    "resnet": lambda bench, rates: measure_resnet(bench, rates, RESNET_EAGER + on_gpu(bench, RESNET_GRAPH)),
    "mlp-compiled": lambda bench, rates: measure_mlp(bench, rates, COMPILED, deep=False),
    "resnet-compiled": lambda bench, rates: measure_resnet(bench, rates, RESNET_COMPILED),
}
TABLES = {
    "accuracy": ("Accuracy", ["job", "LFR from … to", "largest error, ours", "PyTorch's", "wanted"],
                 measure_accuracy),
    "operations": ("Single operations", ["operation", "precision", "time", "rate"], measure_operations),
}


def compare(bench):
    only = bench.args.only
    rates = measure_rates(bench)
    peers, floors, rest = [], [], []
    for name in filter(only.__contains__, COMPARISONS):
        more_peers, more_floors = COMPARISONS[name](bench, rates)
        peers, floors = peers + more_peers, floors + more_floors
    for name in filter(only.__contains__, TABLES):
        title, columns, measure = TABLES[name]
        rest += [f"## {title}", "", *table(columns, measure(bench))]
    lines = [
        "# Ours and the peers on the GPU" if bench.args.device != "cpu" else "# A trial on the CPU", "",
        f"- `{shlex.join(['benchmarks/compare_cuda.py', *sys.argv[1:]])}`, {datetime.date.today().isoformat()}, "
        f"revision {revision()}",
        f"- {bench.device or 'ours did not run'}; PyTorch {bench.torch or 'did not run'}",
        f"- ours: medians of {bench.args.repetitions} repetitions; PyTorch: of {bench.args.epochs} epochs, or of 2 "
        "curves, by CUDA events",
        "- MLP: tanh, MSE, Adam, batch 256, a whole epoch without evaluation",
        f"- LFR: c = {CLASSES}, evenly spaced 1/δ; batched: distances once a block of rows, per-width: anew "
        "for each δ; ours the same in fp32 and tf32", ""]
    if rates:
        lines.insert(4, f"- measured on the device: {rates['fp32_flop_rate'] / 1e12:.3g} TFLOP/s fp32, "
                        f"{rates['tf32_flop_rate'] / 1e12:.3g} TFLOP/s TF32 in a large product, "
                        f"{rates['byte_rate'] / 1e12:.3g} TB/s in a large copy (read and written)")
    if peers or floors:
        lines += ["## Against the peers", "", *table(["job", "ours", "peer", "its time", "times faster"], peers),
                  "## Against the floor", "",
                  *table(["job", "ours", "floor", "made of", "times the floor", ""], floors)]
    if bench.missing:
        rest += ["## Did not run", "", *table(["what", "why"], bench.missing)]
    return "\n".join(lines + rest)


def main():
    parts = [*COMPARISONS, *TABLES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "cuda", help="folder with bin/")
    parser.add_argument("--python", default=sys.executable, help="a Python with PyTorch (this one)")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precisions", nargs="+", choices=["fp32", "tf32", "bf16"], default=["fp32", "tf32", "bf16"])
    parser.add_argument("--only", nargs="+", choices=parts, default=parts, help="parts to measure (all)")
    parser.add_argument("--rates", type=pathlib.Path, help="file of the device's rates: read, or written if not there")
    parser.add_argument("--repetitions", type=int, default=7, help="of each of our benchmarks (7)")
    parser.add_argument("--min-time", type=float, default=0.2, help="seconds of a repetition (0.2)")
    parser.add_argument("--epochs", type=int, default=15, help="timed epochs of a PyTorch MLP (15)")
    parser.add_argument("--limit", type=float, default=120, help="seconds for one command (120)")
    parser.add_argument("--budget", type=float, default=1800, help="seconds for everything (1800)")
    parser.add_argument("--small", action="store_true", help="small sizes: to try the script")
    parser.add_argument("--out", type=pathlib.Path, help="write the Markdown there too")
    args = parser.parse_args()
    if args.device == "cpu":
        args.precisions = ["fp32"]
    if args.repetitions < 1 or args.epochs < 1:
        parser.error("--repetitions and --epochs are at least 1")
    try:
        bench = Bench(args)
        text = compare(bench)
    except Failure as failure:
        sys.exit(f"compare_cuda.py: {failure}")
    print(text)
    if args.out:
        args.out.write_text(text)
    sys.exit(1 if bench.ours_missing else 0)


if __name__ == "__main__":
    main()
