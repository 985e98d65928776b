"""Draws LFR and RDF of one measurement from the CSV files that the app `lfr` leaves in its folder.

    python3 spectrum_figures.py FOLDER [--format png,svg]

writes into FOLDER/figures, against the filter width 1/δ, one curve a layer:
    spectrum  both panels of Fig. 3 of Xu & Zhou (AAAI 2021), side by side
    lfr       (a) the low frequency ratio
    rdf       (b) the ratio density function, over the largest value of each curve
The same CSV files give the same bytes.
"""

import argparse
import sys
from pathlib import Path

from figures import (METADATA, STYLE, WIDTH, InputError, colours_of, is_logarithmic, matplotlib, np, read_table, save,
                     select, to_kinds)
from matplotlib.figure import Figure


def draw_panel(panel, table, column, normalise):
    """One curve a layer, in the order of the file."""
    layers = list(dict.fromkeys(table["layer"]))
    for layer, colour in colours_of(layers).items():
        curve = select(table, layer=layer)
        values = curve[column]
        # A curve that never rises has no largest slope to be measured by.
        scale = np.nanmax(values) if normalise and np.nanmax(values) > 0 else 1
        panel.plot(curve["inv_delta"], values / scale, color=colour, label=layer)
    if is_logarithmic(table["inv_delta"]):
        panel.set_xscale("log")
    panel.margins(x=0)
    if normalise:
        panel.set_ylim(-0.03, 1.06)
    else:
        panel.set_ylim(min(-0.03, 1.1 * np.nanmin(table[column])), max(1.06, 1.1 * np.nanmax(table[column])))
    panel.set_xlabel(r"$1/\delta$")
    panel.legend(ncol=1 + len(layers) // 8)


PANELS = {
    "lfr": ("lfr.csv", "(a) LFR", False),
    "rdf": ("rdf.csv", "(b) RDF / its maximum", True),
}


def draw(folder, kinds):
    tables = {column: read_table(folder / source) for column, (source, _, _) in PANELS.items()}
    (folder / "figures").mkdir(exist_ok=True)
    for stem, columns in (("spectrum", ["lfr", "rdf"]), ("lfr", ["lfr"]), ("rdf", ["rdf"])):
        figure = Figure(figsize=(WIDTH * len(columns) / 2, 2.6), layout="constrained")
        for panel, column in zip(figure.subplots(1, len(columns), squeeze=False).flat, columns):
            _, title, normalise = PANELS[column]
            draw_panel(panel, tables[column], column, normalise)
            panel.set_title(title)
        for kind in kinds:
            save(figure, folder / "figures" / f"{stem}.{kind}")


def main():
    parser = argparse.ArgumentParser(description="Draws LFR and RDF of one measurement from its CSV files.")
    parser.add_argument("folder", type=Path, help="folder with lfr.csv and rdf.csv")
    parser.add_argument("--format", type=to_kinds, default="png,svg", help=f"of {', '.join(METADATA)} (default: png,svg)")
    arguments = parser.parse_args()
    try:
        with matplotlib.rc_context(STYLE):
            draw(arguments.folder, arguments.format)
    except InputError as error:
        print(f"spectrum_figures.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"spectrum_figures.py: {error.filename}: cannot be written ({error.strerror})", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
