"""The results of a measurement: curves over the filter width, and their peaks."""

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
    """Where a function has its power. NaN: not shown by the curve."""

    inv_delta: float  #: where RDF is largest
    rdf: float  #: its value there
    #: 1/delta at which LFR first passes 10, 50 and 90 % of its rise
    rise10: float
    rise50: float
    rise90: float


class Intervals(NamedTuple):
    """Pointwise confidence intervals for the curves of all samples, estimated from a random subset of rows."""

    confidence: float
    lfr_low: Numbers
    lfr_high: Numbers
    rdf_low: Numbers
    rdf_high: Numbers


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum:
    """LFR and RDF of a set of samples {(x_i, y_i)} (eqs. 3 and 6 of the paper)."""

    name: str  #: name of the features
    inv_delta: Numbers  #: filter widths 1/delta, ascending
    lfr: Numbers  #: LFR at each of these widths
    rdf_inv_delta: Numbers  #: midpoints between neighbouring widths
    rdf: Numbers  #: d LFR / d(1/delta) at each midpoint; one fewer than widths
    peak: Peak
    n: int  #: number of samples
    rows: int  #: number of samples over which energies were summed
    intervals: Intervals | None = None  #: confidence intervals; None if LFR is exact, from all rows

    def __repr__(self) -> str:
        rows = "" if self.intervals is None else f", {self.rows} of them sampled"
        return (f"Spectrum({self.name}: n = {self.n}{rows}, {len(self.inv_delta)} widths 1/delta = {self.inv_delta[0]:.4g} to "
                f"{self.inv_delta[-1]:.4g}, RDF peaks at {self.peak.inv_delta:.4g})")

    def plot(self, ax: Axes | None = None, *, curve: str = "rdf", **style: Any) -> Axes:
        """Plots "rdf" (divided by its maximum, as in the paper) or "lfr" against 1/delta, into `ax` or a new figure,
        with a band for the intervals if there are any."""
        return Spectra({self.name: self}).plot(ax, curve=curve, **style)

    def to_csv(self, folder: str | os.PathLike[str]) -> None:
        """Writes lfr.csv, rdf.csv and peaks.csv as `./run lfr` does, to a folder that is created if necessary."""
        Spectra({self.name: self}).to_csv(folder)

    def to_pandas(self) -> DataFrame:
        """LFR indexed by 1/delta; needs pandas."""
        return Spectra({self.name: self}).to_pandas()


class Spectra(dict[str, Spectrum]):
    """Spectra by feature name, in the order of the layers, all on one grid."""

    def __repr__(self) -> str:
        return "Spectra(" + ", ".join(f"{name}: RDF peaks at {s.peak.inv_delta:.4g}" for name, s in self.items()) + ")"

    def plot(self, ax: Axes | None = None, *, curve: str = "rdf", **style: Any) -> Axes:
        """One curve per spectrum: "rdf", over its maximum, or "lfr"; with a legend if there are several."""
        from .drawing.spectra import draw_spectra

        drawn: Axes = draw_spectra(self, ax, curve, style)
        return drawn

    def to_csv(self, folder: str | os.PathLike[str]) -> None:
        """Writes lfr.csv, rdf.csv and peaks.csv as `./run lfr` does, to a folder that is created if necessary."""
        write_tables(Path(folder), {("features", name, ""): s for name, s in self.items()})

    def to_pandas(self) -> DataFrame:
        """LFR, one column per spectrum, indexed by 1/delta; needs pandas."""
        import pandas as pd

        first = next(iter(self.values()))
        index = pd.Index(first.inv_delta, name="inv_delta")
        return pd.DataFrame({name: s.lfr for name, s in self.items()}, index=index)


def write_tables(folder: Path, spectra: dict[tuple[str, str, str], Spectrum]) -> None:
    """Writes the apps' tables of spectra by network, layer and epoch; each file is written completely or not at all."""
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
