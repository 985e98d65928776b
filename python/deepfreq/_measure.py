"""LFR and RDF of arrays."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import features_of, targets_of
from ._errors import InputError
from ._native import core
from ._spectrum import Numbers, Peak, Spectra, Spectrum

NORMALIZATIONS = ("max-abs", "centred", "none")
MAX_WIDTHS = 100_000


def lfr(features: Any, targets: Any, inv_delta: ArrayLike | str | None = None, *, delta: ArrayLike | None = None,
        normalize: str = "max-abs", exclude_self: bool = False, device: str | None = None) -> Spectrum:
    """The frequency content of the function that takes `features` to `targets` (eqs. 3 to 6 of the paper).

    features: [n] or [n, …], a row for each sample, flattened: floats of NumPy, PyTorch, JAX or anything NumPy can read.
        float32 in C order is measured where it lies; other types and orders are converted, a few rows at a time.
    targets: integer labels [n], taken as one-hot, or floats [n] or [n, c].
    inv_delta: ascending filter widths 1/delta; or a grid as the apps take it, "LO:HI:N" or "log:LO:HI:N"; or None for
        one that shows the whole rise of LFR. delta: the widths themselves, in place of 1/delta.
    normalize: "max-abs" divides each column by its largest magnitude (the paper's text), "centred" takes its mean off
        before that (the authors' programs), "none" leaves it. The array itself stays as it is.
    exclude_self: leave i = j out of both sums of eq. 4.
    device: where to measure; None is where the features are, which is the CPU in this build.

    Raises InputError, a ValueError, or TypeError, with what was found and what was expected; MemoryError; and
    KeyboardInterrupt within a second of Ctrl-C. Warns of a curve without a peak and of a row that dwarfs all others.
    """
    return spectra({"features": features}, targets, inv_delta, delta=delta, normalize=normalize, exclude_self=exclude_self,
                   device=device)["features"]


def spectra(features: Mapping[str, Any], targets: Any, inv_delta: ArrayLike | str | None = None, *,
            delta: ArrayLike | None = None, normalize: str = "max-abs", exclude_self: bool = False,
            device: str | None = None) -> Spectra:
    """The spectra of several layers' features with the same targets, all on one grid, as comparing them needs.

    Arguments are those of `lfr`, with features by name.
    """
    if not isinstance(features, Mapping):
        raise TypeError(f"features: {type(features).__name__} found, a mapping from names to arrays expected")
    if not features:
        raise InputError("features: an empty mapping found, at least one layer expected")
    check_normalize(normalize)
    if device not in (None, "cpu"):
        raise InputError(f"device is {device!r}, but this build of deepfreq measures on the CPU: None or 'cpu' expected")
    grid = grid_of(inv_delta, delta)
    loaded: dict[str, core.Features] = {}
    samples: dict[str, int] = {}
    for name, x in ((str(key), x) for key, x in features.items()):
        if name in loaded:
            raise InputError(f"features: {name!r} found twice as a name, different names expected")
        loaded[name], samples[name] = features_of(name, x, normalize)
    first = next(iter(samples))
    y = targets_of(targets, samples[first], first)
    for name, n in samples.items():
        if n != samples[first]:
            raise InputError(f"{first} has {samples[first]} samples and {name} {n}, equally many expected")
    return measure_loaded(loaded, y, samples[first], grid, bool(exclude_self))


def check_normalize(normalize: str) -> None:
    if normalize not in NORMALIZATIONS:
        raise InputError(f"normalize is {normalize!r}, expected one of {', '.join(map(repr, NORMALIZATIONS))}")


def measure_loaded(loaded: Mapping[str, core.Features], targets: core.Targets, n: int, grid: str | Numbers,
                   exclude_self: bool) -> Spectra:
    """Spectra of features that are all there; warns of rows that dwarf all others."""
    for one in loaded.values():
        if one.warning:
            warn(one.warning)
    return measure({name: partial(loaded.__getitem__, name) for name in loaded}, targets, n, grid, exclude_self)


def measure(sources: Mapping[str, Callable[[], core.Features]], targets: core.Targets, n: int, grid: str | Numbers,
            exclude_self: bool) -> Spectra:
    """Spectra of the extension's Features, which a source makes or has when it is called."""
    curves, told = core.measure(list(sources.items()), targets, grid, exclude_self)
    for line in told:
        warn(line)
    return Spectra({name: Spectrum(name, *of[:4], Peak(*of[4]), n, n) for name, of in zip(sources, curves)})


def warn(line: str) -> None:
    """A warning that points to the line that called this package."""
    here, level = Path(__file__).parent, 1
    while Path(sys._getframe(level).f_code.co_filename).parent == here:
        level += 1
    warnings.warn(line, stacklevel=level + 1)


def grid_of(inv_delta: ArrayLike | str | None, delta: ArrayLike | None) -> str | Numbers:
    """What core.measure takes: a grid by its name, or ascending widths 1/delta."""
    if inv_delta is not None and delta is not None:
        raise InputError("both delta and inv_delta given, one of them expected")
    if inv_delta is None and delta is None:
        return "auto"
    if isinstance(inv_delta, str):
        return inv_delta
    name, given = ("inv_delta", inv_delta) if delta is None else ("delta", delta)
    try:
        widths = np.array(given, dtype=np.float64, ndmin=1)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: {type(given).__name__} found, numbers expected") from None
    if widths.ndim != 1 or not 2 <= len(widths) <= MAX_WIDTHS:
        raise InputError(f"{name}: shape {widths.shape} found, 2 to {MAX_WIDTHS} widths expected")
    positive = widths > 0 if name == "delta" else widths >= 0
    bad = np.flatnonzero(~(np.isfinite(widths) & positive))
    if len(bad):
        least = "above 0" if name == "delta" else "of at least 0"
        raise InputError(f"{name}: {widths[bad[0]]} found at {bad[0]}, finite numbers {least} expected")
    if name == "delta":
        widths = np.sort(1.0 / widths)
    same = np.flatnonzero(np.diff(widths) <= 0)
    if len(same) and name == "delta":
        raise InputError(f"delta: {1.0 / widths[same[0]]} found twice, different widths expected")
    if len(same):
        i = int(same[0])
        raise InputError(f"inv_delta: {widths[i + 1]} found after {widths[i]}, ascending widths expected")
    return widths
