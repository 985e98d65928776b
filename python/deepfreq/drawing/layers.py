"""The figures of a training run: spectra of the layers, their peaks, losses and accuracies."""

import json
import math
import re

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .._errors import InputError
from .gradients import gradient_figure
from .style import COLOURS, STYLE, WIDTH, is_logarithmic, legend_above, shown, styles_of, write_figures
from .tables import layers_of, networks_of, read_tables, select

MAX_PANELS = 8


def curves_of(table, by):
    """The names that distinguish the curves of a table, by column, with their legend labels."""
    if by == "layer":
        return {layer: f"layer {shown(layer)}" for layer in layers_of(table)}
    return {network: shown(network) for network in networks_of(table)}


def plot(axes, curve, x, y, normalise=False, **how):
    """Draws a curve; for several seeds, their mean and a band from the smallest to the largest value."""
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


def spread(epochs):
    """At most MAX_PANELS of the epochs: the first, the last, and some in between, evenly spaced by rank."""
    if len(epochs) <= MAX_PANELS:
        return epochs
    return [epochs[round(i)] for i in np.linspace(0, len(epochs) - 1, MAX_PANELS)]


def curve_panels(table, column, label, normalise, by="layer"):
    """One panel per epoch, one curve per layer or network, against the filter width 1/δ."""
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
    """Training loss on a logarithmic axis, and accuracies if there are labels, against the epoch."""
    labelled = np.isfinite(table["train_accuracy"]).any()
    figure = Figure(figsize=(WIDTH if labelled else WIDTH / 2, 2.4), layout="constrained")
    panels = figure.subplots(1, 2 if labelled else 1, squeeze=False)[0]
    marker = "o" if len(table["epoch"]) <= 30 else ""  # a single point draws no line
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
    """Loss, training and validation accuracy against the epoch, one curve per network (Fig. 5)."""
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
    """The RDF peak of every layer or network against the epoch; both axes logarithmic, epoch 0 included."""
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


def set_name(layer):
    """The measured set, in the paper's notation (eq. 11)."""
    features, _, target = layer.partition(":")
    if target == "softmax":
        return f"{{$f^{{[{features}]}}$, softmax $f^{{[-1]}}$}}"
    return f"{{$f^{{[{features}]}}, f^{{[{target}]}}$}}" if target else f"$S^{{[{features}]}}$"


def figures_of_one(tables):
    """{stem: figure} for a run of one network: compares its layers."""
    drawn = {"rdf": curve_panels(tables["rdf.csv"], "rdf", "RDF / its maximum", True),
             "lfr": curve_panels(tables["lfr.csv"], "lfr", "LFR", False),
             "peaks": peaks_figure(tables["peaks.csv"])} if len(tables["rdf.csv"]["epoch"]) else {}
    return {**drawn, "metrics": metrics_figure(tables["metrics.csv"])}


def figures_of_several(tables):
    """{stem: figure} for a run of several networks: compares the networks, for every layer."""
    drawn = {}
    for layer in layers_of(tables["rdf.csv"]):
        rdf, lfr, peaks = (select(tables[name], layer=layer) for name in ("rdf.csv", "lfr.csv", "peaks.csv"))
        place = "-layer" + re.sub(r"[^A-Za-z0-9._-]", "_", layer)
        drawn["rdf" + place] = curve_panels(rdf, "rdf", f"RDF of {set_name(layer)} / its maximum", True, "network")
        drawn["lfr" + place] = curve_panels(lfr, "lfr", f"LFR of {set_name(layer)}", False, "network")
        drawn["peaks" + place] = peaks_figure(peaks, "network")
    return {**drawn, "metrics": comparison_figure(tables["metrics.csv"])}


def of_several(run_folder, tables):
    """Whether a run has, or will have, several networks: its manifest names them before they have rows."""
    try:
        planned = json.loads((run_folder / "manifest.json").read_text(encoding="utf-8")).get("networks", [])
    except (OSError, ValueError):
        planned = []
    return len(planned) > 1 or len(set().union(*(table["network"] for table in tables.values()))) > 1


def draw(run_folder, kinds):
    """Draws every figure of a run, in every requested file format."""
    tables = read_tables(run_folder)
    figures = (figures_of_several if of_several(run_folder, tables) else figures_of_one)(tables)
    if len(tables["gradients.csv"]["epoch"]):
        figures["gradients"] = gradient_figure(tables["gradients.csv"], WIDTH)
    write_figures(figures, run_folder / "figures", kinds)


def history_figure(history, curve):
    """The spectra of a model's layers by epoch, in the style of a run's figures."""
    if curve not in ("rdf", "lfr"):
        raise InputError(f"curve is {curve!r}, expected 'rdf' or 'lfr'")
    parts = [(epoch, name, *((s.rdf_inv_delta, s.rdf) if curve == "rdf" else (s.inv_delta, s.lfr)))
             for epoch, spectra in history.items() for name, s in spectra.items()]
    lengths = [len(values) for *_, values in parts]
    table = {"epoch": np.repeat([float(epoch) for epoch, *_ in parts], lengths),
             "layer": np.repeat([name for _, name, *_ in parts], lengths),
             "inv_delta": np.concatenate([widths for *_, widths, _ in parts]),
             curve: np.concatenate([values for *_, values in parts])}
    with rc_context(STYLE):
        if curve == "rdf":
            return curve_panels(table, "rdf", "RDF / its maximum", True)
        return curve_panels(table, "lfr", "LFR", False)
