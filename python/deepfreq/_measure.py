"""LFR and RDF of arrays."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from ._arrays import Samples, features_of, targets_of
from ._device import Device, device_at
from ._errors import InputError
from ._options import Options, Progress, options_of
from ._spectrum import Intervals, Peak, Spectra, Spectrum

if TYPE_CHECKING:
    from . import _core as core


def lfr(features: Any, targets: Any, inv_delta: ArrayLike | str | None = None, *, delta: ArrayLike | None = None,
        normalize: str = "max-abs", exclude_self: bool = False, rows: int | None = None, confidence: float = 0.95,
        seed: int = 0, device: str | None = None, progress: Progress | bool | None = None) -> Spectrum:
    """The frequency content of the function that maps `features` to `targets` (eqs. 3 to 6 of the paper).

    features: [n] or [n, …], one row per sample, flattened: floats from NumPy, PyTorch, JAX or anything NumPy can read.
        float32 in C order is measured in place, in host or GPU memory; other types and orders are converted, a few rows
        at a time.
    targets: integer labels [n], treated as one-hot, or floats [n] or [n, c].
    inv_delta: ascending filter widths 1/delta; or a grid in the notation of the apps, "LO:HI:N" or "log:LO:HI:N"; or
        None for a grid that covers the whole rise of LFR. delta: the widths themselves, instead of 1/delta.
    normalize: "max-abs" divides each column by its largest magnitude (the paper's text), "centred" subtracts its mean
        first (the authors' programs), "none" leaves it unchanged. The array itself is not modified.
    exclude_self: leave i = j out of both sums of eq. 4.
    rows: measure the energy of only this many samples i, drawn at random with `seed`, each against all samples j, and
        estimate LFR of the whole set from them. Spectrum.intervals holds intervals of the given confidence at each
        width. They are too narrow where a few rows make the difference: where LFR is within a percent of its floor or
        of 1. None: all rows, which is exact.
    device: where to measure: "cpu", "cuda" or "cuda:N"; None means where the features are.
    progress: True reports the progress of a long measurement on stderr; a function is called as progress(layer, share).

    Raises InputError (a ValueError) or TypeError, saying what was found and what was expected; MemoryError; and
    KeyboardInterrupt within a second of Ctrl-C. Warns about a curve without a peak or a row that dwarfs all others.
    """
    return spectra({"features": features}, targets, inv_delta, delta=delta, normalize=normalize, exclude_self=exclude_self,
                   rows=rows, confidence=confidence, seed=seed, device=device, progress=progress)["features"]


def spectra(features: Mapping[str, Any], targets: Any, inv_delta: ArrayLike | str | None = None, *,
            delta: ArrayLike | None = None, normalize: str = "max-abs", exclude_self: bool = False, rows: int | None = None,
            confidence: float = 0.95, seed: int = 0, device: str | None = None,
            progress: Progress | bool | None = None) -> Spectra:
    """The spectra of several layers' features with the same targets, all on one grid so that they can be compared.

    The arguments are those of `lfr`, except that features are given by name. `rows` draws the same samples for all.
    """
    if not isinstance(features, Mapping):
        raise TypeError(f"features: {type(features).__name__} found, a mapping from names to arrays expected")
    if not features:
        raise InputError("features: an empty mapping found, at least one layer expected")
    options = options_of(inv_delta, delta, normalize, exclude_self, rows, confidence, seed, progress)
    samples: dict[str, Samples] = {}
    for name, x in ((str(key), x) for key, x in features.items()):
        if name in samples:
            raise InputError(f"features: {name!r} found twice as a name, different names expected")
        samples[name] = Samples(name, x)
    first = next(iter(samples.values()))
    for other in samples.values():
        if other.n != first.n:
            raise InputError(f"{first.name} has {first.n} samples and {other.name} {other.n}, equally many expected")
        if other.place != first.place and device is None:
            raise InputError(f"{first.name} lies on {first.place} and {other.name} on {other.place}, one device expected, or "
                             "`device` to say which is to measure")
    on = device_at(first.place if device is None else str(device))
    loaded = {name: features_of(one, normalize, on) for name, one in samples.items()}
    return measure_loaded(loaded, targets_of(targets, first.n, first.name, on), first.n, options, on)


def measure_loaded(loaded: Mapping[str, core.Features], targets: core.Targets, n: int, options: Options,
                   device: Device) -> Spectra:
    """Spectra of features that are all loaded; warns about rows that dwarf all others."""
    for one in loaded.values():
        if one.warning:
            warn(one.warning)
    return measure({name: partial(loaded.__getitem__, name) for name in loaded}, targets, n, options, device)


def measure(sources: Mapping[str, Callable[[], core.Features]], targets: core.Targets, n: int, options: Options,
            device: Device) -> Spectra:
    """Spectra of the extension's Features; each source returns its Features when called."""
    rows = n if options.rows is None else options.rows
    if rows > n:
        raise InputError(f"rows is {rows}, but there are {n} samples; at most so many expected")
    curves: list[core.Curves]
    curves, told = device.core.measure(device.handle, list(sources.items()), targets, options.grid,
                                       exclude_self=options.exclude_self, rows=0 if rows == n else rows, seed=options.seed,
                                       progress=options.progress)
    for line in told:
        warn(line)
    return Spectra({name: Spectrum(name, *of[:4], Peak(*of[4]), n, rows, _intervals(of, options.confidence))
                    for name, of in zip(sources, curves)})


def _intervals(curves: core.Curves, confidence: float) -> Intervals | None:
    """Intervals from a normal distribution; None if there are no standard errors because all rows were measured."""
    _, lfr, _, rdf, _, lfr_error, rdf_error = curves
    if len(lfr_error) == 0:
        return None
    quantile = NormalDist().inv_cdf(0.5 + confidence / 2)
    return Intervals(confidence, lfr - quantile * lfr_error, lfr + quantile * lfr_error, rdf - quantile * rdf_error,
                     rdf + quantile * rdf_error)


def warn(line: str) -> None:
    """Issues a warning that points to the line that called this package."""
    here, level = Path(__file__).parent, 1
    while Path(sys._getframe(level).f_code.co_filename).parent == here:
        level += 1
    warnings.warn(line, stacklevel=level + 1)
