"""LFR and RDF of one measurement: Fig. 3 of Xu & Zhou, AAAI 2021, and single panels of it."""

import math

import numpy as np
from matplotlib.figure import Figure

from .._errors import InputError
from .style import WIDTH, colours_of, is_logarithmic, legend_above, shown, write_figures
from .tables import COLUMNS, read_table, select


def scale_of(rdf):
    """What RDF is divided by for plotting: its maximum. A curve that never rises has no largest slope to scale by."""
    return max(np.nanmax(rdf), 0) or 1


def draw_panel(panel, table, column, normalise, **style):
    """One curve per layer, in the order of the file."""
    for layer, colour in colours_of(names_of(table)).items():
        curve = select(table, layer=layer)
        panel.plot(curve["inv_delta"], curve[column] / (scale_of(curve[column]) if normalise else 1), **{"color": colour, "label": shown(layer), **style})
    if is_logarithmic(table["inv_delta"]):
        panel.set_xscale("log")
    panel.margins(x=0)
    panel.set_ylim(-0.03, 1.06)
    panel.set_xlabel(r"$1/\delta$")


def names_of(table):
    return list(dict.fromkeys(table["layer"]))


def spectrum_figure(lfr, rdf):
    """Both panels side by side, with one legend above."""
    names = names_of(lfr)
    entry = 0.5 + 0.062 * max(len(shown(name)) for name in names)  # inches per legend entry
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
    """Draws the figure in every requested file format."""
    tables = [read_table(folder / name, COLUMNS[name]) for name in ("lfr.csv", "rdf.csv")]
    for table in tables:
        if len(table["layer"]) == 0:
            raise InputError(f"{folder}: there is no row below the header of lfr.csv or rdf.csv")
    write_figures({"spectrum": spectrum_figure(*tables)}, folder / "figures", kinds)


def draw_spectra(spectra, axes, curve, style):
    """One curve per named spectrum: "rdf" over its maximum, or "lfr"; drawn into the given axes or a new figure."""
    if curve not in ("rdf", "lfr"):
        raise InputError(f"curve is {curve!r}, expected 'rdf' or 'lfr'")
    if axes is None:
        import matplotlib.pyplot as plt

        axes = plt.figure(layout="constrained").subplots()
    curves = {name: (s.rdf_inv_delta, s.rdf) if curve == "rdf" else (s.inv_delta, s.lfr) for name, s in spectra.items()}
    table = {"layer": np.repeat(list(curves), [len(values) for _, values in curves.values()]),
             "inv_delta": np.concatenate([widths for widths, _ in curves.values()]),
             curve: np.concatenate([values for _, values in curves.values()])}
    draw_panel(axes, table, curve, curve == "rdf", **style)
    for (name, s), line in zip(spectra.items(), axes.lines[-len(curves):]):
        if s.intervals is not None:
            low, high = getattr(s.intervals, f"{curve}_low"), getattr(s.intervals, f"{curve}_high")
            scale = scale_of(s.rdf) if curve == "rdf" else 1
            axes.fill_between(curves[name][0], low / scale, high / scale, color=line.get_color(), alpha=0.25, linewidth=0)
    axes.set_ylabel("RDF / its maximum" if curve == "rdf" else "LFR")
    if len(curves) > 1:
        axes.legend()
    return axes
