"""Shared by all figures: colours, names, legends, and file output that is byte-identical for identical tables."""

import io
import math
import os
import re

import numpy as np

try:
    import matplotlib
except ImportError as error:
    raise ImportError(f"{error}: figures need matplotlib: pip install 'deepfreq[plot]'") from error

# A creation date would make every file different from the previous one.
METADATA = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}

# Okabe & Ito's colours, which colour-blind readers can distinguish too; without the yellow, too pale for lines.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000"]

WIDTH = 7.0  # inches: the full width of a two-column paper

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


def shown(name):
    """A name as a label: with math markup escaped, and without a leading _, which would hide it from the legend."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # replaces bytes that are not UTF-8
    text = "".join(letter if letter.isprintable() else " " for letter in text).replace("$", r"\$")
    text = text if len(text) <= 60 else text[:59] + "…"
    return rf"$\_${text[1:]}" if text.startswith("_") else text or " "


def colours_of(names):
    """One colour per name: from the palette, or shades from dark to light if there are more names than colours."""
    if len(names) <= len(COLOURS):
        return dict(zip(names, COLOURS))
    return dict(zip(names, matplotlib.colormaps["viridis"](np.linspace(0, 0.92, len(names)))))


def styles_of(names):
    """{name: colour and style}. Networks plain-N and residual-N share a colour; residual ones are dashed."""
    colours = colours_of(list(dict.fromkeys(re.sub("^(plain|residual)-", "", name) for name in names)))
    return {name: {"color": colours[re.sub("^(plain|residual)-", "", name)],
                   "linestyle": "--" if name.startswith("residual-") else "-"} for name in names}


def legend_above(figure, axes, entry=1.1):
    """One legend for all panels, in a strip kept free above them; each entry is `entry` inches wide."""
    handles, labels = axes.get_legend_handles_labels()
    in_a_line = min(len(labels), max(1, int(figure.get_figwidth() / entry)))
    strip = 0.05 + 0.17 * math.ceil(len(labels) / in_a_line)  # inches
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - strip / figure.get_figheight()))
    figure.legend(handles, labels, loc="upper center", ncol=in_a_line, handlelength=1.6, borderaxespad=0.1)


def is_logarithmic(grid):
    """Whether a grid is spaced logarithmically: its middle is far below the mean of its ends."""
    return np.median(grid) < 0.2 * (grid.min() + grid.max())


def save(figure, path):
    """Writes a figure atomically: the file is complete or does not exist."""
    kind = path.suffix[1:]
    picture = io.BytesIO()
    figure.savefig(picture, format=kind, metadata=METADATA[kind])
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(picture.getvalue())
    os.replace(part, path)


def write_figures(figures, folder, kinds):
    """Writes {stem: figure} to a folder in every requested file format."""
    folder.mkdir(exist_ok=True)
    for stem, figure in figures.items():
        figure.draw_without_rendering()  # computes the layout once for all file formats
        figure.set_layout_engine("none")
        for kind in kinds:
            save(figure, folder / f"{stem}.{kind}")
