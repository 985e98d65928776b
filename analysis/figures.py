"""Draws the figures of a run from the CSV files that the apps leave in its folder.

    python3 figures.py RUN_FOLDER [--format png,svg]

writes into RUN_FOLDER/figures:
    rdf      ratio density function of every layer, one panel an epoch (Fig. 8 of Xu & Zhou, AAAI 2021)
    lfr      low frequency ratio of every layer, in the same panels
    peaks    where the RDF of every layer peaks, against the epoch
    metrics  training loss and accuracies, against the epoch
    gradients  the gradient norm of every layer, against the epoch, where gradients.csv has rows
A run of several networks compares them: rdf-layerL, lfr-layerL and peaks-layerL have one curve a network, for each
layer probed (L = -3: Fig. 6; -3_-1, f[-3] against f[-1]: Fig. 7), and metrics too (Fig. 5). A run of several seeds has
its tables in folders seed-N: the figures show means, and the range of the seeds as a band. The same CSV files give the
same bytes.
"""

import argparse
import csv
import io
import json
import math
import os
import re
import sys
from pathlib import Path

from plain_matplotlib import matplotlib, shown

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

import gradient_figure

COLUMNS = {
    "metrics.csv": ["network", "epoch", "train_loss", "train_accuracy", "validation_accuracy", "seconds"],
    "lfr.csv": ["network", "layer", "epoch", "inv_delta", "lfr"],
    "rdf.csv": ["network", "layer", "epoch", "inv_delta", "rdf"],
    "peaks.csv": ["network", "layer", "epoch", "inv_delta", "rdf", "rise10", "rise50", "rise90"],
    "gradients.csv": gradient_figure.COLUMNS,
}
TEXT_COLUMNS = ["network", "layer", "panel"]  # but for gradients.csv, whose layers are numbers

# A creation date would make every file differ from the last one.
METADATA = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}

# Okabe & Ito's colours, told apart by colour-blind readers too; the yellow, too pale for a line, left out.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000"]

WIDTH = 7.0  # inches: both columns of a paper
MAX_PANELS = 8

STYLE = {
    "font.size": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 8,
    "lines.linewidth": 1.2,
    "lines.markersize": 2.5,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "legend.frameon": False,
    "savefig.dpi": 200,
    "svg.hashsalt": "deepfreq",
}


class InputError(Exception):
    """Wrong input, told in one sentence."""


def to_number(text):
    """A cell as a number; what is not finite (nothing measured) becomes NaN, which plots as a gap."""
    value = float(text) if text else math.nan
    return value if math.isfinite(value) else math.nan


def read_table(path, expected):
    """Reads a CSV file with these columns as a dictionary of them: arrays of text or of numbers."""
    text = ["network"] if path.name == "gradients.csv" else TEXT_COLUMNS
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            rows = list(csv.reader(file))
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from error
    if not rows or rows[0] != expected:
        found = ",".join(rows[0]) if rows else "nothing"
        raise InputError(f"{path}: the header is '{found}' and should be '{','.join(expected)}'")
    if len(rows) == 1 and path.name in ("metrics.csv", "summary.csv"):  # others are empty when nothing was probed
        raise InputError(f"{path}: there is no row below the header")
    table = {name: [] for name in expected}
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(expected):
            raise InputError(f"{path}: line {line} has {len(row)} cells and should have {len(expected)}")
        for name, cell in zip(expected, row):
            try:
                table[name].append(cell if name in text else to_number(cell))
            except ValueError:
                raise InputError(f"{path}: line {line}: {name} is '{cell}' and should be a number") from None
    return {name: np.array(column) for name, column in table.items()}


def seeds_of(run_folder):
    """{seed: its folder} of a run of several, as far as they have been begun."""
    folders = {path.name.removeprefix("seed-"): path for path in run_folder.glob("seed-*")}
    return {int(seed): folders[seed] for seed in sorted(folders, key=int) if (folders[seed] / "peaks.csv").exists()}


def in_step(tables):
    """Tables of several seeds with the epochs that all of them have; what each had last becomes one epoch."""
    last = [max(table["epoch"], default=math.nan) for table in tables]
    shared = set.intersection(*(set(table["epoch"]) for table in tables))
    stepped = []
    for table, end in zip(tables, last):
        epochs = np.where(table["epoch"] == end, max(last), table["epoch"])
        keep = np.isin(epochs, [*shared, max(last)])
        stepped.append({**{name: column[keep] for name, column in table.items()}, "epoch": epochs[keep]})
    return stepped


def read_tables(run_folder):
    """{name: table} of a run; of several seeds in one, with a column that tells them apart."""
    seeds = seeds_of(run_folder)
    if not seeds:
        return {name: read_table(run_folder / name, columns) for name, columns in COLUMNS.items()}
    joined = {}
    for name, columns in COLUMNS.items():
        tables = [read_table(folder / name, columns) for folder in seeds.values()]
        if name in ("lfr.csv", "rdf.csv", "peaks.csv"):
            tables = in_step(tables)
        tables = [{**table, "seed": np.full(len(table["epoch"]), seed)} for seed, table in zip(seeds, tables)]
        joined[name] = {column: np.concatenate([table[column] for table in tables]) for column in tables[0]}
    return joined


def select(table, **wanted):
    """The rows of a table in which every named column has the wanted value."""
    keep = np.logical_and.reduce([table[name] == value for name, value in wanted.items()])
    return {name: column[keep] for name, column in table.items()}


def layers_of(table):
    """The layers of a table from the input on: those counted from the input, from the output, then others."""

    def order(layer):
        numbered = re.fullmatch(r"-?\d+", layer)
        return (layer.startswith("-"), int(layer), "") if numbered else (2, 0, layer)

    return sorted(set(table["layer"]), key=order)


def colours_of(names):
    """One colour each: the palette, or shades from dark to light when there are more names than colours."""
    if len(names) <= len(COLOURS):
        return dict(zip(names, COLOURS))
    return dict(zip(names, matplotlib.colormaps["viridis"](np.linspace(0, 0.92, len(names)))))


def styles_of(names):
    """{name: colour and style}. Networks plain-N and residual-N share a colour; with residual connections: dashed."""
    colours = colours_of(list(dict.fromkeys(re.sub("^(plain|residual)-", "", name) for name in names)))
    return {name: {"color": colours[re.sub("^(plain|residual)-", "", name)],
                   "linestyle": "--" if name.startswith("residual-") else "-"} for name in names}


def curves_of(table, by):
    """The names that tell the curves of a table apart, by column, with what the legend calls them."""
    if by == "layer":
        return {layer: f"layer {shown(layer)}" for layer in layers_of(table)}
    return {network: shown(network) for network in networks_of(table)}


def networks_of(table):
    """The networks of a table in the order of its rows."""
    return list(dict.fromkeys(table["network"]))


def plot(axes, curve, x, y, normalise=False, **how):
    """A curve; of several seeds their mean, and a band from the least to the largest."""
    lines = []
    for seed in sorted(set(curve["seed"])) if "seed" in curve else [None]:
        one = curve if seed is None else select(curve, seed=seed)
        order = np.argsort(one[x])
        scale = np.nanmax(one[y], initial=0) if normalise else 1
        lines.append((one[x][order], one[y][order] / (scale or 1)))
    if len(lines) == 1:
        axes.plot(*lines[0], **how)
        return
    least, most = max(line[0].min() for line in lines), min(line[0].max() for line in lines)
    grid = lines[0][0][(lines[0][0] >= least) & (lines[0][0] <= most)]
    values = np.array([np.interp(grid, *line) for line in lines])
    axes.plot(grid, values.mean(axis=0), **how)
    axes.fill_between(grid, values.min(axis=0), values.max(axis=0), color=how["color"], alpha=0.25, linewidth=0)


def legend_above(figure, axes, entry=1.1):
    """One legend for all panels, in a strip kept free above them; `entry` inches each."""
    handles, labels = axes.get_legend_handles_labels()
    in_a_line = min(len(labels), max(1, int(figure.get_figwidth() / entry)))
    strip = 0.05 + 0.17 * math.ceil(len(labels) / in_a_line)  # inches
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - strip / figure.get_figheight()))
    figure.legend(handles, labels, loc="upper center", ncol=in_a_line, handlelength=1.6, borderaxespad=0.1)


def spread(epochs):
    """At most MAX_PANELS of the epochs: the first, the last and those between, evenly by rank."""
    if len(epochs) <= MAX_PANELS:
        return epochs
    return [epochs[round(i)] for i in np.linspace(0, len(epochs) - 1, MAX_PANELS)]


def is_logarithmic(grid):
    """Whether a grid is spaced by ratios: its middle lies far below the mean of its ends."""
    return np.median(grid) < 0.2 * (grid.min() + grid.max())


def curve_panels(table, column, label, normalise, by="layer"):
    """One panel an epoch, one curve a layer or network, against the filter width 1/δ."""
    epochs = spread(sorted(set(table["epoch"])))
    curves = curves_of(table, by)
    styles = styles_of(list(curves))
    columns = 3 if len(epochs) in (3, 5, 6) else min(len(epochs), 4)
    lines = math.ceil(len(epochs) / columns)
    width, height = (WIDTH, 1.75) if columns > 1 else (WIDTH / 2, 2.4)
    figure = Figure(figsize=(width, 0.4 + height * lines), layout="constrained")
    panels = figure.subplots(lines, columns, sharey=True, squeeze=False).flat
    for panel, epoch, letter in zip(panels, epochs, "abcdefgh"):
        for name, called in curves.items():
            curve = select(table, epoch=epoch, **{by: name})
            if len(curve[column]) == 0:
                continue
            plot(panel, curve, "inv_delta", column, normalise, **styles[name], label=called)
        if is_logarithmic(select(table, epoch=epoch)["inv_delta"]):
            panel.set_xscale("log")
        else:
            panel.locator_params(axis="x", nbins=3)
        panel.margins(x=0)
        panel.set_ylim(-0.03, 1.06)
        panel.set_title(f"({letter}) epoch {epoch:g}")
    for panel in panels[len(epochs):]:
        panel.set_visible(False)
    figure.supxlabel(r"$1/\delta$", fontsize=9)
    figure.supylabel(label, fontsize=8)
    labelled = max(panels[:len(epochs)], key=lambda panel: len(panel.lines))
    legend_above(figure, labelled)
    return figure


def metrics_figure(table):
    """Training loss on a logarithmic axis, and the accuracies where there are labels, against the epoch."""
    labelled = np.isfinite(table["train_accuracy"]).any()
    figure = Figure(figsize=(WIDTH if labelled else WIDTH / 2, 2.4), layout="constrained")
    panels = figure.subplots(1, 2 if labelled else 1, squeeze=False)[0]
    marker = "o" if len(table["epoch"]) <= 30 else ""  # one point alone makes no line
    plot(panels[0], table, "epoch", "train_loss", color=COLOURS[0], marker=marker)
    panels[0].set_yscale("log")
    panels[0].set_ylabel("training loss")
    if labelled:
        for column, label, colour in (("train_accuracy", "training", COLOURS[0]),
                                      ("validation_accuracy", "validation", COLOURS[1])):
            plot(panels[1], table, "epoch", column, color=colour, marker=marker, label=label)
        panels[1].set_ylabel("accuracy")
        panels[1].legend(loc="lower right")
    for panel, title in zip(panels, ("(a) loss", "(b) accuracy")):
        panel.set_xlabel("epoch")
        panel.set_title(title if labelled else "loss")
        panel.margins(x=0.02)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def comparison_figure(table):
    """Loss, training and validation accuracy against the epoch, one curve a network (Fig. 5)."""
    figure = Figure(figsize=(WIDTH, 2.4), layout="constrained")
    panels = figure.subplots(1, 3)
    styles = styles_of(networks_of(table))
    for panel, column, title in zip(panels, ("train_loss", "train_accuracy", "validation_accuracy"),
                                    ("(a) training loss", "(b) training accuracy", "(c) validation accuracy")):
        for network, style in styles.items():
            curve = select(table, network=network)
            marker = "o" if len(curve["epoch"]) <= 30 else ""
            plot(panel, curve, "epoch", column, **style, marker=marker, label=shown(network))
        panel.set_title(title)
        panel.set_xlabel("epoch")
        panel.margins(x=0.02)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_yscale("log")
    legend_above(figure, panels[0])
    return figure


def peaks_figure(table, by="layer"):
    """Where the RDF of every layer or network peaks, against the epoch; both axes logarithmic, epoch 0 included."""
    figure = Figure(figsize=(WIDTH / 2, 2.8), layout="constrained")
    axes = figure.subplots()
    curves = curves_of(table, by)
    styles = styles_of(list(curves))
    for name, called in curves.items():
        plot(axes, select(table, **{by: name}), "epoch", "inv_delta", **styles[name], marker="o", label=called)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_yscale("log")
    axes.set_xlim(left=-0.1)
    axes.set_xlabel("epoch")
    axes.set_ylabel(r"$1/\delta$ at the peak of RDF")
    axes.legend(ncol=1 + len(curves) // 8)
    return figure


def save(figure, path):
    """Writes a figure so that it stands under its name whole or not at all."""
    kind = path.suffix[1:]
    picture = io.BytesIO()
    figure.savefig(picture, format=kind, metadata=METADATA[kind])
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(picture.getvalue())
    os.replace(part, path)


def set_name(layer):
    """The set that was measured, as the paper writes it (eq. 11)."""
    features, _, target = layer.partition(":")
    if target == "softmax":
        return f"{{$f^{{[{features}]}}$, softmax $f^{{[-1]}}$}}"
    return f"{{$f^{{[{features}]}}, f^{{[{target}]}}$}}" if target else f"$S^{{[{features}]}}$"


def figures_of_one(tables):
    """{stem: figure} of a run of one network: its layers against each other."""
    drawn = {"rdf": curve_panels(tables["rdf.csv"], "rdf", "RDF / its maximum", True),
             "lfr": curve_panels(tables["lfr.csv"], "lfr", "LFR", False),
             "peaks": peaks_figure(tables["peaks.csv"])} if len(tables["rdf.csv"]["epoch"]) else {}
    return {**drawn, "metrics": metrics_figure(tables["metrics.csv"])}


def figures_of_several(tables):
    """{stem: figure} of a run of several: the networks against each other, for every layer."""
    drawn = {}
    for layer in layers_of(tables["rdf.csv"]):
        rdf, lfr, peaks = (select(tables[name], layer=layer) for name in ("rdf.csv", "lfr.csv", "peaks.csv"))
        place = "-layer" + re.sub(r"[^A-Za-z0-9._-]", "_", layer)
        drawn["rdf" + place] = curve_panels(rdf, "rdf", f"RDF of {set_name(layer)} / its maximum", True, "network")
        drawn["lfr" + place] = curve_panels(lfr, "lfr", f"LFR of {set_name(layer)}", False, "network")
        drawn["peaks" + place] = peaks_figure(peaks, "network")
    return {**drawn, "metrics": comparison_figure(tables["metrics.csv"])}


def write_figures(figures, folder, kinds):
    """Writes {stem: figure} into a folder in every kind of file asked for."""
    folder.mkdir(exist_ok=True)
    for stem, figure in figures.items():
        figure.draw_without_rendering()  # lays the figure out, once for all kinds of file
        figure.set_layout_engine("none")
        for kind in kinds:
            save(figure, folder / f"{stem}.{kind}")


def of_several(run_folder, tables):
    """Whether a run has several networks, or will have: its manifest names them before they have rows."""
    try:
        planned = json.loads((run_folder / "manifest.json").read_text(encoding="utf-8")).get("networks", [])
    except (OSError, ValueError):
        planned = []
    return len(planned) > 1 or len(set().union(*(table["network"] for table in tables.values()))) > 1


def draw(run_folder, kinds):
    """Draws every figure of a run in every kind of file asked for."""
    tables = read_tables(run_folder)
    figures = (figures_of_several if of_several(run_folder, tables) else figures_of_one)(tables)
    if len(tables["gradients.csv"]["epoch"]):
        figures["gradients"] = gradient_figure.gradient_figure(tables["gradients.csv"], WIDTH)
    write_figures(figures, run_folder / "figures", kinds)


def to_kinds(text):
    kinds = text.split(",")
    for kind in kinds:
        if kind not in METADATA:
            raise argparse.ArgumentTypeError(f"'{kind}' is none of {', '.join(METADATA)}")
    return kinds


def main(draw, files):
    """A script that draws a run's figures from these files of it by draw(folder, kinds); its exit status."""
    parser = argparse.ArgumentParser(description="Draws the figures of a run from its CSV files.")
    parser.add_argument("run_folder", type=Path, help=f"folder with {files}")
    parser.add_argument("--format", type=to_kinds, default="png,svg", help="of png, svg, pdf (default: png,svg)")
    arguments = parser.parse_args()
    try:
        with matplotlib.rc_context(STYLE):
            draw(arguments.run_folder, arguments.format)
    except InputError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{parser.prog}: {error.filename}: cannot be written ({error.strerror})", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(draw, ", ".join(COLUMNS)))
