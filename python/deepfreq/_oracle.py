"""LFR in double precision with NumPy, simple and slow: the reference that the tests and `doctor` compare measurements
with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def squared_distances(x: Numbers) -> Numbers:
    """[n,n] for the rows of x, relative error about 1e-10: from products for far pairs, differences for near ones."""
    x = x - x.mean(axis=0)
    norm = (x * x).sum(axis=1)
    reach = norm[:, None] + norm
    distance: Numbers = np.maximum(reach - 2 * x @ x.T, 0)
    near = np.argwhere(distance <= 1e-5 * reach)
    for part in np.array_split(near, max(1, len(near) * x.shape[1] // 10**7)):
        difference = x[part[:, 0]] - x[part[:, 1]]
        distance[part[:, 0], part[:, 1]] = (difference * difference).sum(axis=1)
    return distance


def low_frequency_ratio(distance: Numbers, y: Numbers, inv_delta: float, exclude_self: bool = False) -> float:
    """Eqs. 3 to 5 of the paper. Weights are divided by the largest in their row, so that none that matters underflows.
    With exclude_self, a sample that has no others contributes nothing."""
    if exclude_self:
        distance = distance.copy()
        np.fill_diagonal(distance, np.inf)
    nearest = distance.min(axis=1, keepdims=True)
    weights = np.exp(-(distance - np.where(np.isfinite(nearest), nearest, 0)) * (inv_delta / 2))
    total = weights.sum(axis=1, keepdims=True)
    y_low = weights @ y / np.where(total > 0, total, 1)
    return float((y_low**2).sum() / (y**2).sum())


def as_measured(features: NDArray[Any], targets: NDArray[Any], normalize: str = "max-abs") -> tuple[Numbers, Numbers]:
    """Normalized features [n,d] and targets [n,c] (labels as one-hot), both in double precision."""
    x = features.reshape(len(features), -1).astype(np.float64)
    if normalize == "centred":
        x = x - x.mean(axis=0)
    if normalize != "none":
        largest = np.abs(x).max(axis=0)
        x = x / np.where(largest > 0, largest, 1)
    if targets.dtype.kind in "iub":
        return x, (targets.reshape(-1, 1) == np.unique(targets)).astype(np.float64)
    return x, targets.reshape(len(targets), -1).astype(np.float64)


def grid_around(distance: Numbers, count: int) -> Numbers:
    """Widths 1/delta over six decades around the inverse of the mean squared distance."""
    middle = 1 / distance.mean() if distance.any() else 1.0
    grid: Numbers = middle * np.logspace(-3, 3, count)
    return grid
