"""The samples of the LFR benchmarks in Python, the same for all of them."""

import numpy as np


def make(n, d, c, widths):
    """(x [n, d] float32, labels [n], 1/delta [widths]): c clouds, one per class; LFR rises from near 0 to near 1."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, c, n)
    x = (0.5 * rng.standard_normal((c, d))[label] + rng.standard_normal((n, d))).astype(np.float32)
    # Up to widths where the nearest pairs have no weight: exp(-u) with u from 0 to 20 at the mean squared distance.
    scale = 2 * ((x - x.mean(axis=0)) ** 2).sum(axis=1).mean()
    return x, label, np.linspace(0, 40 / scale, widths + 1)[1:]
