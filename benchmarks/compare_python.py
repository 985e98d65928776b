"""Compares `deepfreq.lfr` with Python alternatives for the same curve: pasted NumPy, a loop in PyTorch, KeOps."""

from bench import Failure, median, milliseconds, python_of, say, spread, table

N, WIDTHS = 5000, 100
# (title, method of lfr_pytorch.py, number of widths measured; the time for more is in proportion)
PEERS = [("pasted: all n² distances, a kernel for each width", "numpy", WIDTHS),
         ("the quickest loop, blocks of rows", "fastest", WIDTHS),
         ("one width after the other", "keops", 5)]


def measure_python(bench):
    """Returns lines of Markdown."""
    python, rows = python_of("python_package", "Python package to measure"), []
    for text, method, widths in PEERS:
        at_once = ["--first", widths] if widths < WIDTHS else []

        def peer(name):
            found = bench.peer(name, "lfr_pytorch.py", "--method", method, "--n", N, "--widths", WIDTHS, "--repeat", 1, *at_once)
            return {**found, "seconds": found["seconds"] * WIDTHS / widths}

        try:
            mine, theirs = bench.alternate(f"LFR in Python, {method}", lambda: bench.python(python, "lfr_deepfreq.py", "--n", N),
                                           peer)
        except Failure as failure:
            if "KeOps is not installed" not in str(failure):
                raise
            say(failure)
            bench.facts.append("KeOps is not installed beside PyTorch, and not measured: pip install pykeops there")
            continue
        for records in theirs.values():
            apart = max(abs(a - b) for a, b in zip(mine[-1]["lfr"], records[-1]["lfr"]))
            ratios = [record["seconds"] / ours["seconds"] for ours, record in zip(mine, records)]
            part = f", measured at {widths} widths" if widths < WIDTHS else ""
            rows.append([f"{records[-1]['library']}, {text}{part}", milliseconds(median(records)), milliseconds(median(mine)), spread(ratios, 1),
                         f"{apart:.1e}"])
    return [f"n = {N}, d = 500, ten classes, {WIDTHS} widths; `deepfreq.lfr` with all that it does around the operation.", "",
            *table(["peer", "its time", "deepfreq.lfr", "times faster", "LFR apart by"], rows)]
