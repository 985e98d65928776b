"""What the paper claims about each of its figures, and whether the CSV files of a run agree.

Every claim is judged by numbers alone: yes, no, or not decided if the numbers do not suffice. A run with several seeds
is judged per seed and on the mean; neighbours whose order changes from seed to seed are a tie. Part of paper.py.
"""

import csv
import dataclasses
import math
import re

ALIKE = 1.25  # "almost the same": the largest and the smallest differ by less than this factor


@dataclasses.dataclass
class Claim:
    """One statement of the paper, and what was found."""

    text: str
    holds: bool | None  # None: not decided
    found: str  # the numbers
    names: list = dataclasses.field(default_factory=list)  # of the items compared
    values: list = dataclasses.field(default_factory=list)
    holds_for: object = None  # applies to such values; None if nothing can be compared
    tied: bool = False

    @property
    def word(self):
        return "tie" if self.tied else {True: "yes", False: "no", None: "not decided"}[self.holds]


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    if not table:
        raise ValueError(f"{path.name} has no row below its header")
    if any(None in row.values() for row in table):
        raise ValueError(f"{path.name} has a row that is cut short")
    return table


def number(text):
    return float(text) if text else math.nan


def rise(values):
    return all(a < b for a, b in zip(values, values[1:]))


def fall(values):
    return rise(values[::-1])


def alike(values):
    """None if there is a 0, for which a factor is meaningless."""
    return max(values) < ALIKE * min(values) if min(values) > 0 else None


def listed(names, values, digits=4):
    return ", ".join(f"{name}: {value:.{digits}g}" for name, value in zip(names, values))


def lacking(names, values):
    """Why these numbers cannot be compared, in words; empty if they can."""
    missing = [name for name, value in zip(names, values) if not math.isfinite(value)]
    if missing:
        return f"there is no number for {', '.join(missing)}"
    return "" if len(values) > 1 else "there are not two to compare"


def judged(text, names, values, holds, doubt=""):
    """A claim judged by holds(values); undecided if a number is missing or there is another doubt."""
    doubt = doubt or lacking(names, values)
    numbers = listed(names, values)
    if doubt:
        return Claim(text, None, f"{numbers}; but {doubt}" if numbers else doubt)
    return Claim(text, holds(values), numbers, names, values, holds)


def seeds_of(run):
    """{seed: folder} of a run with several seeds; empty for a single seed."""
    folders = {path.name.removeprefix("seed-"): path for path in run.glob("seed-*")}
    return {int(seed): folders[seed] for seed in sorted(folders, key=int)}


def mean(values):
    return sum(values) / len(values)


def in_the_mean(claims):
    """Merges the same claim from several seeds into one."""
    numbers = [claim.values for claim in claims]
    per_seed = ", ".join(claim.word for claim in claims)
    text = claims[0].text
    if any(claim.text != text for claim in claims):
        text = re.sub(r"epoch \d+", "each seed's last epoch", text)
    if any(claim.holds_for is None for claim in claims):
        undecided = next(claim for claim in claims if claim.holds_for is None)
        return Claim(text, None, f"per seed: {per_seed}; {undecided.found}")
    means = [mean(column) for column in zip(*numbers)]
    spread = [(max(column) - min(column)) / 2 for column in zip(*numbers)]
    first = claims[0]
    found = ", ".join(f"{name}: {value:.4g} ± {around:.2g}" for name, value, around in zip(first.names, means, spread))
    claim = Claim(text, first.holds_for(means), f"{found}; per seed: {per_seed}")
    if first.holds_for in (rise, fall):
        steps = list(zip(first.names, first.names[1:], *[list(zip(v, v[1:])) for v in numbers]))
        ties = [(a, b) for a, b, *pairs in steps if not (rise_or_fall(pairs))]
        right = [(a, b) for a, b, *pairs in steps if all(first.holds_for(list(pair)) for pair in pairs)]
        if ties and len(ties) + len(right) == len(steps):
            claim.tied, claim.holds = True, None
            claim.found += "; ties within the spread: " + ", ".join(f"{a} and {b}" for a, b in ties)
    return claim


def rise_or_fall(pairs):
    """Whether all pairs change in the same direction."""
    return all(a < b for a, b in pairs) or all(a > b for a, b in pairs)


def over_seeds(figure):
    """The claims of a figure, for a run with one seed or several."""
    def judge(run):
        seeds = seeds_of(run)
        if not seeds:
            return figure(run)
        return [in_the_mean(list(claims)) for claims in zip(*[figure(folder) for folder in seeds.values()])]
    return judge


def final_number(name):
    """20 for plain-20, 1 for resnet18-1."""
    return int(re.search(r"\d+$", name)[0])


def networks(table, prefix=""):
    """The networks whose names start with the prefix, sorted by their final number."""
    names = dict.fromkeys(row["network"] for row in table)
    return sorted((name for name in names if name.startswith(prefix)), key=final_number)


def epochs_of(table):
    return sorted({int(row["epoch"]) for row in table})


def value_at(table, column, epoch, **wanted):
    """The number in this column of the row with this epoch and the wanted values; NaN if there is none."""
    wanted = {"epoch": str(epoch), **wanted}
    for row in table:
        if all(row[name] == value for name, value in wanted.items()):
            return number(row[column])
    return math.nan


def not_initial(epoch):
    """The doubt about taking numbers of the first epoch probed for the initial state."""
    return "" if epoch == 0 else f"the first epoch is {epoch}, after training began"


def not_trained(epoch):
    """The doubt about taking numbers of the last epoch for the trained state."""
    return "" if epoch > 0 else "nothing was trained yet"


def figure_1(run):
    table = rows(run / "summary.csv")
    texts = {"a": ("(a) More hidden layers reach the designated loss of cos(3x) + cos(5x) in fewer epochs.",
                   fall),
             "b": ("(b) The lower the frequency of cos(kx), the fewer epochs.", rise)}
    claims = []
    for panel, (text, holds) in texts.items():
        mine = [row for row in table if row["panel"] == panel]
        names, values = [row["setting"] for row in mine], [number(row["mean_epochs"]) for row in mine]
        short = sum(int(row["runs"]) - int(row["converged"]) for row in mine)
        doubt = f"{short} runs did not reach the error and are in no mean" if short else ""
        claims.append(judged(text, names, values, holds, doubt))
    return claims


def figure_3(run):
    peaks = rows(run / "peaks.csv")
    names = [row["layer"] for row in peaks]
    return [judged("(a) The lower the frequency, the sooner LFR approaches one (1/δ at 90 % of its rise).",
                   names, [number(row["rise90"]) for row in peaks], rise),
            judged("(b) The peak of RDF moves to larger 1/δ as k grows.",
                   names, [number(row["inv_delta"]) for row in peaks], rise)]


def curve(metrics, network):
    """The training accuracy of a network: (epoch, accuracy), starting from the initial state."""
    return [(int(row["epoch"]), number(row["train_accuracy"])) for row in metrics
            if row["network"] == network]


def epochs_until(points, accuracy):
    """The epoch at which an accuracy is reached, interpolated linearly between epochs."""
    for before, now in zip(points[:1] + points, points):
        if now[1] >= accuracy:
            if before == now:
                return float(now[0])
            return before[0] + (now[0] - before[0]) * (accuracy - before[1]) / (now[1] - before[1])
    return math.nan


def figure_5a(metrics, names):
    text = "(a) The deeper, the fewer epochs to a fixed training accuracy"
    curves = {name: curve(metrics, name) for name in names}
    best = [max((accuracy for _, accuracy in curves[name] if not math.isnan(accuracy)), default=math.nan)
            for name in names]
    doubt = lacking(names, best)
    if doubt:
        return Claim(f"{text}.", None, doubt)
    accuracy = math.floor(min(best) * 20) / 20  # the highest multiple of 5 % that all networks reach
    at_once = [name for name in names if curves[name][0][1] >= accuracy]
    if at_once:
        doubt = f"{', '.join(at_once)} had it from the start, and no higher multiple of 5 % is reached by all"
    return judged(f"{text} ({accuracy:.0%}).", names,
                  [epochs_until(curves[name], accuracy) for name in names], rise, doubt)


@over_seeds
def figure_5(run):
    metrics = rows(run / "metrics.csv")
    names = networks(metrics)
    last = epochs_of(metrics)[-1]
    return [figure_5a(metrics, names),
            judged("(b) The deeper, the better the validation accuracy after training.", names,
                   [value_at(metrics, "validation_accuracy", last, network=name) for name in names], fall,
                   not_trained(last))]


def figures_6_and_7(run, layer):
    names = networks(rows(run / "metrics.csv"))  # the deepest first
    peaks = rows(run / "peaks.csv")
    first, last = epochs_of(peaks)[0], epochs_of(peaks)[-1]

    def at(epoch):
        return [value_at(peaks, "inv_delta", epoch, network=name, layer=layer) for name in names]

    return [judged(f"At initialisation (epoch {first}) RDF of deeper networks peaks at higher 1/δ.",
                   names, at(first), fall, not_initial(first)),
            judged(f"After training (epoch {last}) RDF of deeper networks peaks at lower 1/δ.",
                   names, at(last), rise, not_trained(last))]


@over_seeds
def figure_6(run):
    return figures_6_and_7(run, "-3")


@over_seeds
def figure_7(run):
    """For the raw output, or for the output after softmax."""
    measured = {row["layer"] for row in rows(run / "peaks.csv")}
    return figures_6_and_7(run, "-3:softmax" if "-3:softmax" in measured else "-3:-1")


@over_seeds
def figure_8(run):
    peaks = rows(run / "peaks.csv")
    network = peaks[0]["network"]
    layers = sorted({int(row["layer"]) for row in peaks} - {0})  # the claim does not count the input as a layer
    first, last = epochs_of(peaks)[0], epochs_of(peaks)[-1]
    named = [f"layer {layer}" for layer in layers]

    def at(epoch):
        return [value_at(peaks, "inv_delta", epoch, network=network, layer=str(layer)) for layer in layers]

    return [judged(f"At initialisation (epoch {first}) RDF of a deeper layer peaks at higher 1/δ.",
                   named, at(first), rise, not_initial(first)),
            judged(f"At the end (epoch {last}) the peak is at lower 1/δ the deeper the layer.",
                   named, at(last), fall, not_trained(last))]


@over_seeds
def figure_9(run):
    return judge_figure_9(rows(run / "metrics.csv"), rows(run / "peaks.csv"))


def judge_figure_9(metrics, peaks):
    plain, residual = networks(metrics, "plain-"), networks(metrics, "residual-")
    end, last = epochs_of(metrics)[-1], epochs_of(peaks)[-1]
    apart = f"less than {ALIKE - 1:.0%} apart"

    def losses(text, names, holds):
        values = [value_at(metrics, "train_loss", end, network=name) for name in names]
        return judged(text, names, values, holds, not_trained(end))

    def halves(text, names, holds):
        # At half of LFR's rise, there is as much power below as above. The peak of RDF would not show this: for a deep
        # plain network it is low and at a low frequency, with most of the power far above that frequency.
        values = [value_at(peaks, "rise50", last, network=name, layer="-3") for name in names]
        return judged(text, names, values, holds, not_trained(last))

    return [losses("(a) Plain networks: the deeper, the slower (training loss at the end).", plain, rise),
            losses("(a) With residual connections all learn at almost the same speed "
                   f"(losses at the end {apart}).", residual, alike),
            halves(f"(b) Plain networks at epoch {last}: the deeper, the more power of S[-3] at high frequencies "
                   "(1/δ at 50 % of LFR's rise).", plain, rise),
            halves(f"(b) With residual connections depth has almost no effect on it (1/δ {apart}).", residual, alike)]
