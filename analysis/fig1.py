"""Draws Fig. 1 of Xu & Zhou, AAAI 2021, from the summary.csv that fit_functions leaves in its folder.

    python3 fig1.py RUN_FOLDER [--format png,svg]

writes into RUN_FOLDER/figures:
    fig1a    epochs until the fixed error, one bar for each number of hidden layers
    fig1b    the same, one bar for each frequency k
A bar is the mean over the seeds that got there, its whisker their standard deviation. Where some did not, it is
hatched, and above it stands how many did; where none did, it reaches as far as they were trained, with an arrow.
The same CSV file gives the same bytes.
"""

import sys

from figures import COLOURS, WIDTH, Figure, main, np, read_table, select, write_figures

COLUMNS = ["panel", "setting", "runs", "converged", "mean_epochs", "deviation", "given_up"]
LABELS = {"a": "hidden layers", "b": r"$k$ of $\cos(kx)$"}


def bars(table, panel):
    """One panel: a bar a setting."""
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
    """Draws the panels that a run has in every kind of file asked for."""
    table = read_table(run_folder / "summary.csv", COLUMNS)
    write_figures({"fig1" + panel: bars(table, panel) for panel in LABELS if panel in table["panel"]},
                  run_folder / "figures", kinds)


if __name__ == "__main__":
    sys.exit(main(draw, "summary.csv"))
