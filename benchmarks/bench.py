"""Shared by the comparisons: starting our benchmarks and the peers alternately, and tables of their times."""

import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BATCH = 256

# On two idle cores, a good BLAS is far above this and the reference BLAS (6 GFLOP/s) far below.
LEAST_GEMM_RATE = 50e9


class Failure(Exception):
    """One sentence for the user."""


def say(text):
    print(f"compare.py: {text}", file=sys.stderr, flush=True)


def run(command, threads, **environment):
    """Returns the output of a command; if it fails, raises Failure with the last line of its stderr."""
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    try:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **limits, **environment})
    except OSError as error:
        raise Failure(f"{command[0]} cannot be started: {error.strerror}") from None
    if done.returncode != 0:
        words = done.stderr.strip().splitlines() or [f"no word on stderr, status {done.returncode}"]
        raise Failure(f"{' '.join(command)} failed: {words[-1]}")
    return done.stdout


def records_of(output):
    """The records in a benchmark's JSON (of the aggregates over repetitions, only the median), with the real time of
    one iteration as `seconds`."""
    unit = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
    for record in output["benchmarks"]:
        if record.get("error_occurred"):
            raise Failure(f"{record['name']}: {record['error_message']}")
        if record.get("aggregate_name", "median") != "median":
            continue
        yield {**record, "seconds": record["real_time"] * unit[record["time_unit"]]}


def python_of(tool, purpose):
    """The Python whose path a tool prints; the tool installs it if necessary."""
    done = subprocess.run([ROOT / "tools" / tool], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failure(f"there is no {purpose}, for the reason above")
    return done.stdout.strip()


def revision():
    done = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip() or "not in git"


class Bench:
    """Starts our benchmarks and the peers."""

    def __init__(self, args):
        self.binary = args.build / "bin" / "deepfreq_benchmarks"
        self.threads = args.threads
        self.rounds = args.rounds
        self.device = ""
        self.precisions = ["fp32"]
        self.peers = {}  # name -> python
        self.facts = []  # one line each
        if not self.binary.exists():
            raise Failure(f"{self.binary} is not there: build the target deepfreq_benchmarks first")

    def ours(self, names, precision="fp32", **environment):
        """{name: record} of our benchmarks; `seconds` is the real time of one iteration."""
        output = json.loads(run([str(self.binary), f"--benchmark_filter=^({names})$", "--benchmark_format=json",
                                 f"--precision={precision}"], self.threads, **environment))
        self.device = output["context"]["device"]
        records = {record["name"].removesuffix("/real_time"): record for record in records_of(output)}
        if not records:
            raise Failure(f"{self.binary} has no benchmark named {names}")
        return records

    def look_for_bf16(self):
        """Adds bf16 to the precisions if the processor multiplies bfloat16; our device description says so."""
        self.ours("rates/gemm_2048/real_time", "bf16")
        if "bf16 products" in self.device:
            self.precisions.append("bf16")
        else:
            self.facts.append("bf16 is not measured: this processor has no products in it")

    def python(self, python, script, *arguments):
        return json.loads(run([python, str(HERE / script), *map(str, arguments)], self.threads).splitlines()[-1])

    def peer(self, name, script, *arguments):
        return self.python(self.peers[name], script, *arguments, "--threads", self.threads)

    def meet(self, python):
        """Adds a peer; rejects one whose BLAS is too slow for a fair comparison."""
        found = self.python(python, "mlp_pytorch.py", "--hidden", 1, "--samples", BATCH, "--threads", self.threads)
        gflops = f"{found['gemm_rate'] / 1e9:.0f} GFLOP/s"
        if found["gemm_rate"] < LEAST_GEMM_RATE:
            raise Failure(f"the PyTorch of {python} multiplies matrices at {gflops} ({found['blas']}), expected at "
                          f"least {LEAST_GEMM_RATE / 1e9:.0f}: of Debian's, install libopenblas0; let nothing else run")
        name = f"PyTorch {found['torch']}"
        self.peers[name] = python
        where = pathlib.Path(python)
        where = where.relative_to(ROOT) if where.is_relative_to(ROOT) else where
        self.facts.append(f"{name}: {where}, {found['blas']}, {gflops} in products")

    def alternate(self, title, ours, peer):
        """Rounds of ours() and peer(name) for each peer in turn; returns what each of them returned."""
        mine, theirs = [], {name: [] for name in self.peers}
        for number in range(1, self.rounds + 1):
            say(f"{title}, round {number} of {self.rounds}")
            mine.append(ours())
            for name in self.peers:
                theirs[name].append(peer(name))
        return mine, theirs


def median(records, key="seconds"):
    return statistics.median(record[key] for record in records)


def milliseconds(seconds):
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def spread(ratios, digits=2):
    """Median and range over the rounds."""
    return f"{statistics.median(ratios):.{digits}f} ({min(ratios):.{digits}f} to {max(ratios):.{digits}f})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


PEER_HEAD = ["job", "ours", "peer", "its time", "times faster", "wanted"]
FLOOR_HEAD = ["job", "ours", "floor", "made of", "times the floor", "wanted"]


def peer_rows(job, wanted, mine, theirs, named=lambda name, records: name):
    rows = []
    for name, records in theirs.items():
        ratios = [peer["seconds"] / ours["seconds"] for ours, peer in zip(mine, records)]
        rows.append([job, milliseconds(median(mine)), named(name, records), milliseconds(median(records)),
                     spread(ratios), wanted])
    return rows


def floor_row(job, wanted, mine, floors, made_of):
    ratios = [ours["seconds"] / floor for ours, floor in zip(mine, floors)]
    return [job, milliseconds(median(mine)), milliseconds(statistics.median(floors)), made_of, spread(ratios), wanted]
