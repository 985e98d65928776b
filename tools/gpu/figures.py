"""Short summaries of parts that succeeded: numbers extracted from their output."""

import csv
import pathlib
import re

from .commands import last_line as last_line_of


def last_line(ended, round_):
    return last_line_of(ended.output)


def checks(ended, round_):
    """Summary of the doctor."""
    found = re.findall(r"^device: (.*)", ended.output, re.MULTILINE)
    found += re.findall(r"^  (cu(?:BLASLt|DNN) \S+)$", ended.output, re.MULTILINE)
    return f"{len(re.findall(r' OK$', ended.output, re.MULTILINE))} checks; " + "; ".join(found)


def totals(output):
    found = re.findall(r"\[doctest\] ((?:test cases|assertions):.*?)[ |]*$", output, re.MULTILINE)
    return re.sub(r" +", " ", "; ".join(found)).replace(" |", ",")


def wrong_tests(output):
    return list(dict.fromkeys(re.findall(r"TEST CASE:  (.*)\n(?:(?!={9}).*\n)*?.*ERROR: ", output)))


def tests(ended, round_):
    """Summary of doctest; no test at all is as bad as a failing one."""
    if not re.search(r"test cases:\s+[1-9]", ended.output):
        raise ValueError("no test case ran")
    return totals(ended.output)


def agreement(ended, round_):
    pairs = re.findall(r"MESSAGE: (\S+ against .*: .+)", ended.output)
    if not pairs:
        raise ValueError("there was no pair of backends to compare")
    return "largest relative difference of the loss: " + "; ".join(pairs)


def sanitizer(ended, round_):
    return "; ".join(re.findall(r"(?:ERROR|RACECHECK) SUMMARY: (.*)", ended.output)) or last_line_of(ended.output)


def comparison(ended, round_):
    """Summary of compare_cuda.py: our times, job by job."""
    compared = re.search(r"## Against the floor\n(.*?)(\n## |\Z)", ended.output, re.DOTALL)
    rows = compared[1] if compared else ended.output
    ours = dict(re.findall(r"^\| ((?:MLP|LFR|Resnet)[^|]*?) \| ([^|]+?) \|", rows, re.MULTILINE))
    return "; ".join(f"{job}: {took}" for job, took in ours.items())


def compiled(ended, round_):
    """Summary of a PyTorch script: no times, because it ran alongside other parts."""
    return f"the cache is filled, {ended.seconds:.0f} s"


def page(name):
    """Keeps the whole output as a page of benchmarks.md; its third line is the summary."""
    def of(ended, round_):
        (round_.work / f"{name}.md").write_text(ended.output, encoding="utf-8")
        return ended.output.splitlines()[2]
    return of


def training_run(ended, round_):
    """Summary of a program at the paper's scale: the last row of each metrics table."""
    words = [f"{ended.seconds:.1f} s"]
    out = pathlib.Path(ended.words[ended.words.index("--out") + 1])
    for file in sorted(out.glob("**/metrics.csv")):
        with open(file, newline="", encoding="utf-8") as table:
            last = list(csv.DictReader(table))[-1]
        words.append(f"{file.parent.name}: epoch {last['epoch']}, loss {last['train_loss']}, "
                     f"accuracy {last['train_accuracy']}")
    return "; ".join(words)
