"""The options of a measurement, and their validation."""

from __future__ import annotations

import operator
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._errors import InputError
from ._spectrum import Numbers

NORMALIZATIONS = ("max-abs", "centred", "none")
MAX_WIDTHS = 100_000

#: Called with the layer being measured and the fraction of it that is done, at most ten times per second.
Progress = Callable[[str, float], object]


@dataclass(frozen=True)
class Options:
    grid: str | Numbers  #: by name, or ascending widths 1/delta
    normalize: str
    exclude_self: bool
    rows: int | None
    confidence: float
    seed: int
    progress: Progress | None


def options_of(inv_delta: ArrayLike | str | None, delta: ArrayLike | None, normalize: str, exclude_self: bool,
               rows: int | None, confidence: float, seed: int, progress: Progress | bool | None) -> Options:
    """Checks the arguments of `deepfreq.lfr`; raises InputError or TypeError."""
    if normalize not in NORMALIZATIONS:
        raise InputError(f"normalize is {normalize!r}, expected one of {', '.join(map(repr, NORMALIZATIONS))}")
    if rows is not None and (rows := _integer("rows", rows)) < 2:
        raise InputError(f"rows is {rows}, at least 2 expected, or None for all")
    if not 0 < confidence < 1:
        raise InputError(f"confidence is {confidence}, a number between 0 and 1 expected")
    if not 0 <= (seed := _integer("seed", seed)) < 2**64:
        raise InputError(f"seed is {seed}, at least 0 and below 2**64 expected")
    return Options(grid_of(inv_delta, delta), normalize, bool(exclude_self), rows, float(confidence), seed,
                   _reporter(progress))


def _integer(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: {type(value).__name__} found, an integer expected") from None


def grid_of(inv_delta: ArrayLike | str | None, delta: ArrayLike | None) -> str | Numbers:
    """The grid as core.measure accepts it: by name, or as ascending widths 1/delta."""
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


def _reporter(progress: Progress | bool | None) -> Progress | None:
    if progress is None or progress is False:
        return None
    if progress is True:
        return _Lines()
    if not callable(progress):
        raise TypeError(f"progress: {type(progress).__name__} found, True or a function of a layer and a share expected")
    return progress


class _Lines:
    """Reports long measurements on stderr: one line rewritten in place on a terminal, elsewhere a line now and then."""

    _SECONDS = 10.0  # between lines, where they are not rewritten

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._next = time.monotonic() + (0 if self._terminal else self._SECONDS)

    def __call__(self, name: str, share: float) -> None:
        now = time.monotonic()
        if self._terminal:
            print(f"\r{name}: {share:4.0%}", end="\n" if share == 1 else "", file=sys.stderr, flush=True)
        elif now >= self._next:
            print(f"{name}: {share:.0%}", file=sys.stderr, flush=True)
            self._next = now + self._SECONDS
