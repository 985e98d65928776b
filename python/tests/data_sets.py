"""Samples of different kinds, whose LFR is held against NumPy in double precision (deepfreq._oracle)."""

import numpy as np


def data_sets(rng):
    """Yields (name, features, targets, normalize, exclude_self)."""
    def normal(n, d, scale=1.0):
        return scale * rng.standard_normal((n, d))

    def size(low, high):
        return int(rng.integers(low, high + 1))

    def labels(n, c):
        return rng.integers(0, c, n)

    yield "one sample", normal(1, size(1, 9)), labels(1, 1), "max-abs", False
    yield "two samples", normal(2, size(1, 99)), np.array([0, 1]), "max-abs", True
    n = size(500, 2000)
    x = np.linspace(-1, 1, n)
    yield "a sine, float64", x, np.sin(7 * np.pi * x), "none", False
    yield "the widest", normal(1200, 3072), labels(1200, 10), "max-abs", False
    distinct = normal(size(100, 500), size(2, 80), 1e-6)
    x = np.tile(distinct, (4, 1))
    yield "duplicates with different labels, scale 1e-6", x, labels(len(x), 5), "none", False
    x = normal(size(500, 1500), 40)
    x[:, ::2] = rng.standard_normal(20)
    x[:, 0] = 0
    yield "constant columns", x, normal(len(x), 3), "max-abs", False
    x = normal(size(1000, 3000), size(5, 50), 1e6)
    yield "scale 1e6, 12 targets of scale 1e-6", x, 1e-6 * np.tanh(x[:, :1] / 1e6 + normal(1, 12)), "none", False
    centres = 10 * rng.integers(-1, 2, (size(500, 2500), 100))
    x = centres + normal(*centres.shape, 1e-3)
    yield "dense clusters far from each other", x, labels(len(x), 12), "none", True
    d = size(10, 200)
    x = normal(size(200, 1500), d) * 10.0 ** rng.uniform(-6, 6, d)
    yield "columns of scales 1e-6 to 1e6", x, labels(len(x), 7), "max-abs", False
    n = size(2000, 4000)
    label = labels(n, 10)
    inner = rng.standard_normal((10, 10))[label] / 2 + normal(n, 10)
    yield "a trained layer: tanh of ten directions", np.tanh(0.3 * inner @ normal(10, 300)), label, "max-abs", False
    n = size(50, 500)
    yield "all features alike", np.full((n, 30), 0.1), 1 + normal(n, 1), "max-abs", False


def of_both_kinds_of_float(rng):
    """The same sets, every second one in float32."""
    for number, (name, x, y, normalize, exclude_self) in enumerate(data_sets(rng)):
        if number % 2:
            x, y = x.astype(np.float32), y if y.dtype.kind == "i" else y.astype(np.float32)
        yield name, x, y, normalize, exclude_self
