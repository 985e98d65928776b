"""Reports what this installation computes with, and whether its results are correct."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from . import _oracle
from ._device import device_at, why_no_cuda
from ._measure import lfr
from ._native import generation

ALLOWED = 1e-5  # error of LFR, at every width


def openmp_runtimes() -> list[str]:
    """Paths of the OpenMP libraries loaded in this process. If there are two, each has its own threads."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    paths = {line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) == 6}
    return sorted(path for path in paths if Path(path).name.startswith(("libgomp", "libomp", "libiomp")))


def self_check(device: str = "cpu") -> float:
    """The largest error of LFR on 300 samples, compared with NumPy in double precision."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((300, 20)), rng.integers(0, 3, 300)
    scaled, one_hot = _oracle.as_measured(x, y)
    distance = _oracle.squared_distances(scaled)
    s = lfr(x, y, device=device)
    return max(abs(float(found) - _oracle.low_frequency_ratio(distance, one_hot, float(width)))
               for width, found in zip(s.inv_delta[::10], s.lfr[::10]))


@dataclass(frozen=True)
class Report:
    """The findings of `doctor`; prints as a few lines."""

    version: str
    device: str  #: where measurements run
    generation: str  #: the processor generation that the kernels were compiled for
    openmp: list[str]  #: paths of the OpenMP runtimes loaded in this process
    cuda: str  #: the GPU, or the reason why there is none
    error: float  #: the largest error in the self-check, which includes the GPU if there is one
    healthy: bool

    def __str__(self) -> str:
        runtimes = ", ".join(self.openmp) or "linked in"
        if len(self.openmp) > 1:
            runtimes += ": more than one, each with threads of its own"
        verdict = "passed" if self.error <= ALLOWED else "FAILED"
        return (f"deepfreq {self.version}\n"
                f"device: {self.device}\n"
                f"kernels: for {self.generation.replace('_v', '-v').replace('x86_64', 'x86-64')}\n"
                f"OpenMP: {runtimes}\n"
                f"GPU: {self.cuda}\n"
                f"self-check: {verdict}, LFR is off by at most {self.error:.1e} (allowed: {ALLOWED:.0e})")

    __repr__ = __str__


def doctor() -> Report:
    """Version, processor, OpenMP, GPU and a self-check; `python -m deepfreq` prints it."""
    error = self_check()
    reason = why_no_cuda()
    if not reason:
        error = max(error, self_check("cuda"))
    runtimes = openmp_runtimes()
    return Report(version("deepfreq"), device_at("cpu").handle.description, generation(), runtimes,
                  f"none: {reason}" if reason else device_at("cuda").handle.description, error,
                  error <= ALLOWED and len(runtimes) <= 1)
