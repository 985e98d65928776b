#!/usr/bin/env python3
"""Where one of our benchmarks spends its time on a GPU: its kernels according to Nsight Compute, as Markdown.

Each kernel runs alone, so the sum is the time of a step without overlap or gaps.
"""

import argparse
import collections
import csv
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys


def find_ncu():
    folders = [*pathlib.Path("/usr/local").glob("cuda*/bin"), *pathlib.Path("/opt/nvidia").glob("nsight-compute/*")]
    return shutil.which("ncu", path=":".join([os.environ["PATH"], *map(str, folders)]))


def short(name):
    """A kernel's name without the details of its templates and arguments."""
    ours = re.search(r"run_(?:each|blocks)<(.*)", name)
    name = ours[1] if ours else name.split("(")[0]
    name = re.sub(r"deepfreq::|cuda::|\(anonymous namespace\)::|void ", "", name)
    return name[:90]


def kernels(output):
    """{name: [seconds of each run]} from ncu's CSV, which follows the output of the program itself."""
    rows = csv.DictReader(io.StringIO(output[output.index('"ID"'):]))
    unit = {"ns": 1e-9, "nsecond": 1e-9, "us": 1e-6, "usecond": 1e-6, "ms": 1e-3, "msecond": 1e-3, "s": 1.0}
    found = collections.defaultdict(list)
    for row in rows:
        seconds = float(row["Metric Value"].replace(",", "")) * unit[row["Metric Unit"]]
        found[short(row["Kernel Name"])].append(seconds)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path, help="deepfreq_benchmarks")
    parser.add_argument("benchmark", help="its full name, such as resnet_epoch/variant:1/batch:256/real_time")
    parser.add_argument("--steps", type=int, default=1, help="of training in the whole run: times are for one of them")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--rows", type=int, default=25, help="of the table (25)")
    args = parser.parse_args()
    tool = find_ncu()
    if tool is None:
        sys.exit("kernel_times.py: ncu is not installed")
    environment = dict(os.environ)
    if "DEEPFREQ_LIBRARY_PATH" in environment:  # set when run from a pack
        environment["LD_LIBRARY_PATH"] = environment["DEEPFREQ_LIBRARY_PATH"]
    done = subprocess.run([tool, "--metrics", "gpu__time_duration.sum", "--csv", "--clock-control", "none", args.binary,
                           "--device=cuda", f"--precision={args.precision}", f"--benchmark_filter=^{args.benchmark}$",
                           "--benchmark_min_time=0.000001"], capture_output=True, text=True, env=environment)
    if done.returncode != 0 or '"ID"' not in done.stdout:
        sys.exit(f"kernel_times.py: {((done.stderr + done.stdout).strip().splitlines() or ['no output'])[-1]}")
    found = kernels(done.stdout)
    total = sum(map(sum, found.values()))
    print(f"# Kernels of {args.benchmark}, {args.precision}\n")
    print(f"{sum(map(len, found.values())) / args.steps:.1f} kernels and {1e6 * total / args.steps:.1f} µs a step\n")
    print("| kernel | a step | µs each | µs a step | share |\n| --- | --- | --- | --- | --- |")
    for name, seconds in sorted(found.items(), key=lambda item: -sum(item[1]))[:args.rows]:
        print(f"| {name} | {len(seconds) / args.steps:.2f} | {1e6 * sum(seconds) / len(seconds):.2f} | "
              f"{1e6 * sum(seconds) / args.steps:.2f} | {100 * sum(seconds) / total:.1f} % |")


if __name__ == "__main__":
    main()
