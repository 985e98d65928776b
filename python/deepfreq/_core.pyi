# What every one of the extension modules has (python/src/bindings.cpp). _native.py takes one for the processor,
# _device.py that for CUDA. x is an array, or what __dlpack__ gives of one on the device.
from collections.abc import Callable
from typing import overload

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Reader = Callable[[int, int], Numbers]

lfr_header: str
rdf_header: str
peaks_header: str

class Device:
    def __init__(self, index: int) -> None: ...
    @property
    def description(self) -> str: ...
    @property
    def stream(self) -> int: ...

class Features:
    @overload
    def __init__(self, device: Device, name: str, x: NDArray[np.float32], scaling: str) -> None: ...
    @overload
    def __init__(self, device: Device, name: str, rows: int, columns: int, read: Reader, scaling: str) -> None: ...
    @property
    def warning(self) -> str: ...
    @property
    def address(self) -> int: ...

class Targets:
    @overload
    def __init__(self, device: Device, name: str, labels: NDArray[np.int64]) -> None: ...
    @overload
    def __init__(self, device: Device, name: str, rows: int, columns: int, read: Reader) -> None: ...

# 1/delta, LFR, 1/delta of RDF, RDF, the peak, standard errors of LFR and of RDF (empty where all rows are measured)
Curves = tuple[Numbers, Numbers, Numbers, Numbers, tuple[float, float, float, float, float], Numbers, Numbers]
Sources = list[tuple[str, Callable[[], Features]]]

def measure(device: Device, sources: Sources, targets: Targets, grid: str | Numbers, *, exclude_self: bool, rows: int,
            seed: int, progress: Callable[[str, float], object] | None) -> tuple[list[Curves], list[str]]: ...
def csv_rows(inv_delta: Numbers, lfr: Numbers, rdf_inv_delta: Numbers, rdf: Numbers,
             peak: tuple[float, float, float, float, float], network: str, layer: str,
             epoch: str) -> tuple[list[str], list[str], str]: ...
def why_unavailable() -> str: ...
