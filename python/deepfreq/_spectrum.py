"""What is measured: curves over the filter width, and where they peak."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._native import core

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

Numbers = NDArray[np.float64]


class Peak(NamedTuple):
    """Where a function's power is. NaN: what the curve does not show."""

    inv_delta: float  #: where RDF is largest
    rdf: float  #: its value there
    #: 1/delta at which LFR first passes 10, 50 and 90 % of its rise
    rise10: float
    rise50: float
    rise90: float


class Intervals(NamedTuple):
    """Where the curves of all samples lie, as far as a sample of rows can tell: at each width, with this confidence."""

    confidence: float
    lfr_low: Numbers
    lfr_high: Numbers
    rdf_low: Numbers
    rdf_high: Numbers


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum:
    """LFR and RDF of a set of samples {(x_i, y_i)} (eqs. 3 and 6 of the paper)."""

    name: str  #: of the features
    inv_delta: Numbers  #: filter widths 1/delta, ascending
    lfr: Numbers  #: at each of them
    rdf_inv_delta: Numbers  #: halfway between two widths
    rdf: Numbers  #: d LFR / d(1/delta), at each of these; one fewer
    peak: Peak
    n: int  #: samples
    rows: int  #: samples over which energies were summed
    intervals: Intervals | None = None  #: of confidence; None where LFR is exact, of all rows

    def __repr__(self) -> str:
        rows = "" if self.intervals is None else f", {self.rows} of them sampled"
        return (f"Spectrum({self.name}: n = {self.n}{rows}, {len(self.inv_delta)} widths 1/delta = {self.inv_delta[0]:.4g} to "
                f"{self.inv_delta[-1]:.4g}, RDF peaks at {self.peak.inv_delta:.4g})")

    def plot(self, ax: Axes | None = None, *, curve: str = "rdf", **style: Any) -> Axes:
        """Draws "rdf" (over its maximum, as the paper does) or "lfr" over 1/delta, into `ax` or a new figure; with a band
        for the intervals, where there are some."""
        return Spectra({self.name: self}).plot(ax, curve=curve, **style)

    def to_csv(self, folder: str | os.PathLike[str]) -> None:
        """Writes lfr.csv, rdf.csv and peaks.csv as `./run lfr` does, into a folder that is made if need be."""
        Spectra({self.name: self}).to_csv(folder)

    def to_pandas(self) -> DataFrame:
        """LFR over 1/delta; needs pandas."""
        return Spectra({self.name: self}).to_pandas()


class Spectra(dict[str, Spectrum]):
    """Spectra by the name of their features, in the order of the layers, all on one grid."""

    def __repr__(self) -> str:
        return "Spectra(" + ", ".join(f"{name}: RDF peaks at {s.peak.inv_delta:.4g}" for name, s in self.items()) + ")"

    def plot(self, ax: Axes | None = None, *, curve: str = "rdf", **style: Any) -> Axes:
        """One curve for each: "rdf", over its maximum, or "lfr"; with a legend where there are several."""
        from .drawing.spectra import draw_spectra

        drawn: Axes = draw_spectra(self, ax, curve, style)
        return drawn

    def to_csv(self, folder: str | os.PathLike[str]) -> None:
        """Writes lfr.csv, rdf.csv and peaks.csv as `./run lfr` does, into a folder that is made if need be."""
        write_tables(Path(folder), {("features", name, ""): s for name, s in self.items()})

    def to_pandas(self) -> DataFrame:
        """LFR, one column for each, over 1/delta; needs pandas."""
        import pandas as pd

        first = next(iter(self.values()))
        index = pd.Index(first.inv_delta, name="inv_delta")
        return pd.DataFrame({name: s.lfr for name, s in self.items()}, index=index)


def write_tables(folder: Path, spectra: dict[tuple[str, str, str], Spectrum]) -> None:
    """The apps' tables of spectra by network, layer and epoch; each file stands there whole or not at all."""
    lfr, rdf, peaks = [core.lfr_header], [core.rdf_header], [core.peaks_header]
    for (network, layer, epoch), s in spectra.items():
        of_lfr, of_rdf, peak = core.csv_rows(s.inv_delta, s.lfr, s.rdf_inv_delta, s.rdf, s.peak, network, layer, epoch)
        lfr += of_lfr
        rdf += of_rdf
        peaks.append(peak)
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (("lfr.csv", lfr), ("rdf.csv", rdf), ("peaks.csv", peaks)):
        part = folder / f"{name}.{os.getpid()}.part"
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
        part.replace(folder / name)
