"""The bar charts of Fig. 1 of Xu & Zhou, AAAI 2021, from the summary.csv of fit_functions."""

import numpy as np
from matplotlib.figure import Figure

from .style import COLOURS, WIDTH, write_figures
from .tables import CSV_COLUMNS, read_table, select

LABELS = {"a": "hidden layers", "b": r"$k$ of $\cos(kx)$"}


def bars(table, panel):
    """One panel, with one bar per setting."""
    rows = select(table, panel=panel)
    figure = Figure(figsize=(WIDTH / 2, 2.4), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(rows["setting"]))
    height = np.where(rows["converged"] > 0, rows["mean_epochs"], rows["given_up"])
    whisker = np.nan_to_num(rows["deviation"])
    drawn = axes.bar(place, height, 0.6, color=COLOURS[0], edgecolor="white", linewidth=0)
    several = rows["converged"] > 1
    axes.errorbar(place[several], height[several], whisker[several], fmt="none", ecolor="black", elinewidth=0.8,
                  capsize=2)
    for i, (converged, runs) in enumerate(zip(rows["converged"], rows["runs"])):
        text = f"{height[i]:.0f}" if converged else f"↑\n> {height[i]:.0f}"
        if converged < runs:
            drawn[i].set_hatch("////")
            text = f"{converged:.0f} of {runs:.0f}\n{text}"
        axes.annotate(text, (place[i], height[i] + whisker[i]), (0, 2), textcoords="offset points", ha="center",
                      va="bottom", fontsize=6)
    axes.set_xticks(place, [f"{setting:g}" for setting in rows["setting"]])
    axes.set_xlabel(LABELS[panel])
    axes.set_ylabel("epochs until the fixed error")
    axes.set_ylim(0, 1.25 * np.max(height + whisker))
    axes.grid(visible=False, axis="x")
    return figure


def draw(run_folder, kinds):
    """Draws the panels that a run has, in every requested file format."""
    table = read_table(run_folder / "summary.csv", CSV_COLUMNS["summary.csv"])
    write_figures({"fig1" + panel: bars(table, panel) for panel in LABELS if panel in table["panel"]},
                  run_folder / "figures", kinds)
