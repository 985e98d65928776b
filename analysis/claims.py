"""What the paper says of each of its figures, and whether the CSV files of a run say so too.

Every claim is judged by numbers alone: yes, no, or not decided where the numbers do not suffice. Part of paper.py.
"""

import csv
import dataclasses
import math
import re

ALIKE = 1.25  # "almost the same": the largest and the smallest differ by less than this factor


@dataclasses.dataclass
class Claim:
    """One sentence of the paper, and what was found."""

    text: str
    holds: bool | None  # None: not decided
    found: str  # the numbers


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(text):
    return float(text) if text else math.nan


def in_order(values, rising=True):
    """Whether each value is above (or below) the one before; None where one is missing or there are fewer than two."""
    if len(values) < 2 or any(math.isnan(value) for value in values):
        return None
    pairs = list(zip(values, values[1:]))
    return all(a < b for a, b in pairs) if rising else all(a > b for a, b in pairs)


def alike(values):
    if len(values) < 2 or any(not value > 0 for value in values):
        return None
    return max(values) < ALIKE * min(values)


def listed(names, values, digits=4):
    return ", ".join(f"{name}: {value:.{digits}g}" for name, value in zip(names, values))


def judged_order(text, names, values, rising):
    return Claim(text, in_order(values, rising), listed(names, values))


def final_number(name):
    """20 of plain-20, 1 of resnet18-1."""
    return int(re.search(r"\d+$", name)[0])


def networks(table, prefix=""):
    """The networks whose names begin so, by the number at the end."""
    names = dict.fromkeys(row["network"] for row in table)
    return sorted((name for name in names if name.startswith(prefix)), key=final_number)


def epochs_of(table):
    return sorted({int(row["epoch"]) for row in table})


def peak_of(peaks, network, layer, epoch):
    found = [number(row["inv_delta"]) for row in peaks
             if (row["network"], row["layer"], row["epoch"]) == (network, layer, str(epoch))]
    return found[0] if found else math.nan


def figure_1(run):
    table = rows(run / "summary.csv")
    texts = {"a": ("(a) More hidden layers reach the designated loss of cos(3x) + cos(5x) in fewer epochs.", False),
             "b": ("(b) The lower the frequency of cos(kx), the fewer epochs.", True)}
    claims = []
    for panel, (text, rising) in texts.items():
        mine = [row for row in table if row["panel"] == panel]
        names = [row["setting"] for row in mine]
        claim = judged_order(text, names, [number(row["mean_epochs"]) for row in mine], rising)
        short = sum(int(row["runs"]) - int(row["converged"]) for row in mine)
        if short:
            claim = Claim(text, None, f"{claim.found}; but {short} runs did not reach the error and are in no mean")
        claims.append(claim)
    return claims


def figure_3(run):
    peaks = rows(run / "peaks.csv")
    names = [row["layer"] for row in peaks]
    return [judged_order("(a) The lower the frequency, the sooner LFR approaches one (1/δ at 90 % of its rise).", names,
                         [number(row["rise90"]) for row in peaks], True),
            judged_order("(b) The peak of RDF moves to larger 1/δ as k grows.", names,
                         [number(row["inv_delta"]) for row in peaks], True)]


def epochs_until(metrics, network, accuracy):
    """Epochs until a training accuracy, between two of them by a straight line."""
    before = None
    for row in (row for row in metrics if row["network"] == network):
        now = (int(row["epoch"]), number(row["train_accuracy"]))
        if now[1] >= accuracy:
            if before is None:
                return float(now[0])
            return before[0] + (now[0] - before[0]) * (accuracy - before[1]) / (now[1] - before[1])
        before = now
    return math.nan


def figure_5(run):
    metrics = rows(run / "metrics.csv")
    names = networks(metrics)
    best = [max(number(row["train_accuracy"]) for row in metrics if row["network"] == name) for name in names]
    accuracy = math.floor(min(best) * 20) / 20  # the highest multiple of 5 % that all of them reach
    last = {row["network"]: number(row["validation_accuracy"]) for row in metrics}
    return [judged_order(f"(a) The deeper, the fewer epochs to a fixed training accuracy ({accuracy:.0%}).", names,
                         [epochs_until(metrics, name, accuracy) for name in names], True),
            judged_order("(b) The deeper, the better the validation accuracy after training.", names,
                         [last[name] for name in names], False)]


def figures_6_and_7(run, layer):
    peaks = [row for row in rows(run / "peaks.csv") if row["layer"] == layer]
    names = networks(peaks)  # the deepest first
    first, last = epochs_of(peaks)[0], epochs_of(peaks)[-1]
    return [judged_order(f"At initialisation (epoch {first}) RDF of deeper networks peaks at higher 1/δ.", names,
                         [peak_of(peaks, name, layer, first) for name in names], False),
            judged_order(f"After training (epoch {last}) RDF of deeper networks peaks at lower 1/δ.", names,
                         [peak_of(peaks, name, layer, last) for name in names], True)]


def figure_6(run):
    return figures_6_and_7(run, "-3")


def figure_7(run):
    return figures_6_and_7(run, "-3:-1")


def figure_8(run):
    peaks = rows(run / "peaks.csv")
    network = peaks[0]["network"]
    layers = sorted({int(row["layer"]) for row in peaks})
    first, last = epochs_of(peaks)[0], epochs_of(peaks)[-1]
    named = [f"layer {layer}" for layer in layers]
    return [judged_order(f"At initialisation (epoch {first}) RDF of a deeper layer peaks at higher 1/δ.", named,
                         [peak_of(peaks, network, str(layer), first) for layer in layers], True),
            judged_order(f"At the end (epoch {last}) the peak is at lower 1/δ the deeper the layer.", named,
                         [peak_of(peaks, network, str(layer), last) for layer in layers], False)]


def figure_9(run):
    metrics, peaks = rows(run / "metrics.csv"), rows(run / "peaks.csv")
    loss = {row["network"]: number(row["train_loss"]) for row in metrics}  # that of the last epoch
    plain, residual = networks(metrics, "plain-"), networks(metrics, "residual-")
    last = epochs_of(peaks)[-1]
    peak = {name: peak_of(peaks, name, "-3", last) for name in plain + residual}
    words = f"less than {ALIKE - 1:.0%} apart"
    return [judged_order("(a) Plain networks: the deeper, the slower (training loss at the end).", plain,
                         [loss[name] for name in plain], True),
            Claim(f"(a) With residual connections all learn at almost the same speed (losses at the end {words}).",
                  alike([loss[name] for name in residual]), listed(residual, [loss[name] for name in residual])),
            judged_order(f"(b) Plain networks at epoch {last}: the deeper, the higher 1/δ of S[-3]'s peak.", plain,
                         [peak[name] for name in plain], True),
            Claim(f"(b) With residual connections depth has almost no effect on it (peaks {words}).",
                  alike([peak[name] for name in residual]), listed(residual, [peak[name] for name in residual]))]
