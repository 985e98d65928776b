"""Arrays of any framework as what the extension takes: float32 in C order without a copy, all else in chunks, converted
by the framework it comes from."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import InputError
from ._native import core

_HOST_DEVICES = (1, 3, 11)  # DLPack's numbers: CPU, and host memory that a GPU can read (CUDA, ROCm)
_FLOATS = "floating point (16, 32 or 64 bits) expected"


def is_torch(x: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def _check_torch(name: str, x: Any) -> Any:
    """A tensor that NumPy can look at."""
    if x.layout != sys.modules["torch"].strided:
        raise InputError(f"{name}: a tensor of layout {x.layout} found, a dense one expected: x.to_dense()")
    if x.device.type == "meta":
        raise InputError(f"{name}: a meta tensor found, which has no numbers; one on the CPU expected")
    if x.device.type != "cpu":
        raise InputError(f"{name}: a tensor on {x.device} found, but this build of deepfreq measures on the CPU: x.cpu() "
                         "expected")
    if x.is_quantized:
        raise TypeError(f"{name}: a quantized tensor ({x.dtype}) found, {_FLOATS}: x.dequantize()")
    return x.detach().resolve_conj().resolve_neg()


def _as_numpy(name: str, x: Any) -> NDArray[Any]:
    """The array itself, or a view of the same memory, or, of lists and the like, a new one."""
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        raise InputError(f"{name}: a masked array found, one without masked elements expected")
    if not isinstance(x, np.ndarray) and hasattr(x, "__dlpack_device__"):
        device = int(x.__dlpack_device__()[0])
        if device not in _HOST_DEVICES:
            raise InputError(f"{name}: an array of {type(x).__module__.partition('.')[0]} on device type {device} of DLPack "
                             "found, but this build of deepfreq measures on the CPU: a copy in the host's memory expected")
    if hasattr(x, "toarray") and not isinstance(x, np.ndarray):
        raise InputError(f"{name}: a sparse {type(x).__name__} found, a dense array expected: x.toarray()")
    try:
        return np.asarray(x)
    except (ValueError, TypeError) as error:
        raise TypeError(f"{name}: {type(x).__name__} found, an array expected ({error})") from None


class Samples:
    """An array whose first axis counts samples, whatever it is an array of."""

    def __init__(self, name: str, x: Any) -> None:
        self.name = name
        self._torch = is_torch(x)
        self._x: Any = _check_torch(name, x) if self._torch else _as_numpy(name, x)
        self.shape = tuple(int(extent) for extent in self._x.shape)
        if not self.shape:
            raise InputError(f"{name}: a single number found, one row for each sample expected")
        if self.shape[0] == 0:
            raise InputError(f"{name}: shape {self.shape} found, at least one sample expected")
        self.n = self.shape[0]
        self.columns = math.prod(self.shape[1:])
        if self.columns == 0:
            raise InputError(f"{name}: shape {self.shape} found, at least one number for each sample expected")

    @property
    def dtype(self) -> str:
        return str(self._x.dtype).removeprefix("torch.")

    @property
    def kind(self) -> str:
        """f(loat), i(nteger), u(nsigned), b(ool), or something that is not measured."""
        if self._torch:
            dtype = self._x.dtype
            if dtype.is_floating_point:
                return "f"
            return "c" if dtype.is_complex else "b" if self.dtype == "bool" else "i"
        kind: str = self._x.dtype.kind
        # bfloat16 and its like, of ml_dtypes, are of kind V, as structured arrays are, or f.
        return "f" if kind == "V" and self._x.dtype.names is None and "float" in self.dtype else kind

    def float32(self) -> NDArray[np.float32] | None:
        """[n, columns] of the very memory, if it is float32 in C order."""
        if self.dtype != "float32":
            return None
        if self._torch:
            x = self._x.numpy() if self._x.is_contiguous() else None
        else:
            x = self._x if self._x.flags.c_contiguous and self._x.flags.aligned and self._x.dtype.isnative else None
        return None if x is None else np.asarray(x).reshape(self.n, self.columns)

    def read(self, first: int, count: int) -> NDArray[np.float64]:
        """Rows first … first + count - 1 in double."""
        some = self._x[first:first + count]
        some = some.double().numpy() if self._torch else some.astype(np.float64)
        return np.ascontiguousarray(np.asarray(some).reshape(count, self.columns))

    def labels(self) -> NDArray[np.int64]:
        x = self._x.numpy() if self._torch else self._x
        x = np.asarray(x).reshape(self.n)
        largest = np.iinfo(np.int64).max
        if x.dtype.kind == "u" and int(x.max()) > largest:
            raise InputError(f"{self.name}: label {x.max()} found, at most {largest} expected")
        return np.ascontiguousarray(x, dtype=np.int64)


def features_of(name: str, x: Any, normalize: str) -> tuple[core.Features, int]:
    """The extension's Features, and how many samples they have."""
    samples = Samples(name, x)
    if samples.kind != "f":
        raise TypeError(f"{name}: dtype {samples.dtype} found, {_FLOATS}")
    as_they_are = samples.float32()
    if as_they_are is not None:
        return core.Features(name, as_they_are, normalize), samples.n
    return core.Features(name, samples.n, samples.columns, samples.read, normalize), samples.n


def targets_of(y: Any, n: int, of: str) -> core.Targets:
    """The extension's Targets, which are to be those of n samples."""
    samples = Samples("targets", y)
    if samples.n != n:
        raise InputError(f"{of} has {n} samples and targets {samples.n}, equally many expected")
    if samples.kind in "iub":
        if samples.columns != 1:
            raise InputError(f"targets: integers of shape {samples.shape} found, labels [n] or floats [n, c] expected")
        return core.Targets("targets", samples.labels())
    if samples.kind != "f":
        raise TypeError(f"targets: dtype {samples.dtype} found, integer labels or floats expected")
    return core.Targets("targets", samples.n, samples.columns, samples.read)
