"""Draws LFR and RDF of one measurement from the CSV files that the app `lfr` leaves in its folder.

    python3 spectrum_figures.py FOLDER [--format png,svg]

writes FOLDER/figures/spectrum, both panels of Fig. 3 of Xu & Zhou (AAAI 2021) against the filter width 1/δ: (a) the low
frequency ratio and (b) the ratio density function, over the largest value of each curve. The same CSV files give the
same bytes.
"""

import math
import sys

from figures import (COLUMNS, WIDTH, InputError, colours_of, is_logarithmic, legend_above, main, np, read_table, select,
                     shown, write_figures)
from matplotlib.figure import Figure


def draw_panel(panel, table, column, normalise):
    """One curve a layer, in the order of the file."""
    for layer, colour in colours_of(names_of(table)).items():
        curve = select(table, layer=layer)
        # A curve that never rises has no largest slope to be measured by.
        scale = max(np.nanmax(curve[column]), 0) if normalise else 1
        panel.plot(curve["inv_delta"], curve[column] / (scale or 1), color=colour, label=shown(layer))
    if is_logarithmic(table["inv_delta"]):
        panel.set_xscale("log")
    panel.margins(x=0)
    panel.set_ylim(-0.03, 1.06)
    panel.set_xlabel(r"$1/\delta$")


def names_of(table):
    return list(dict.fromkeys(table["layer"]))


def spectrum_figure(lfr, rdf):
    """Both panels, side by side, below one legend."""
    names = names_of(lfr)
    entry = 0.5 + 0.062 * max(len(shown(name)) for name in names)  # inches in the legend
    lines = math.ceil(len(names) / max(1, WIDTH // entry))
    figure = Figure(figsize=(WIDTH, 2.4 + 0.17 * lines), layout="constrained")
    panels = figure.subplots(1, 2)
    draw_panel(panels[0], lfr, "lfr", False)
    draw_panel(panels[1], rdf, "rdf", True)
    panels[0].set_title("(a) LFR")
    panels[1].set_title("(b) RDF / its maximum")
    legend_above(figure, panels[0], entry)
    return figure


def draw(folder, kinds):
    """Draws the figure in every kind of file asked for."""
    tables = [read_table(folder / name, COLUMNS[name]) for name in ("lfr.csv", "rdf.csv")]
    for table in tables:
        if len(table["layer"]) == 0:
            raise InputError(f"{folder}: there is no row below the header of lfr.csv or rdf.csv")
    write_figures({"spectrum": spectrum_figure(*tables)}, folder / "figures", kinds)


if __name__ == "__main__":
    sys.exit(main(draw, "lfr.csv and rdf.csv"))
