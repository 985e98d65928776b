"""Converts arrays of any framework to what the extension accepts. float32 in C order is passed without a copy; anything
else is converted in chunks by the framework it comes from."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._device import Device
from ._errors import InputError

if TYPE_CHECKING:
    from . import _core as core

# DLPack device types for host memory (CPU, and host memory pinned for CUDA or ROCm), and for CUDA memory.
_HOST_DEVICES = (1, 3, 11)
_CUDA_DEVICES = (2, 13)
_FLOATS = "floating point (16, 32 or 64 bits) expected"


def is_torch(x: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def _check_torch(name: str, x: Any) -> Any:
    """The tensor, detached, if its values are accessible; otherwise raises."""
    torch = sys.modules["torch"]
    if x.layout != torch.strided:
        raise InputError(f"{name}: a tensor of layout {x.layout} found, a dense one expected: x.to_dense()")
    if x.device.type == "meta":
        raise InputError(f"{name}: a meta tensor found, which has no numbers; one on the CPU or a CUDA device expected")
    if x.device.type not in ("cpu", "cuda") or (x.device.type == "cuda" and torch.version.hip is not None):
        of = "ROCm's " if x.device.type == "cuda" else ""
        raise InputError(f"{name}: a tensor on {of}{x.device} found, but deepfreq measures on the CPU and on CUDA devices: "
                         "x.cpu() expected")
    if x.is_quantized:
        raise TypeError(f"{name}: a quantized tensor ({x.dtype}) found, {_FLOATS}: x.dequantize()")
    return x.detach().resolve_conj().resolve_neg()


def _as_array(name: str, x: Any) -> tuple[Any, str]:
    """(array, place): the array itself or a view of the same memory; for lists and the like, a new array."""
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        raise InputError(f"{name}: a masked array found, one without masked elements expected")
    if not isinstance(x, np.ndarray) and hasattr(x, "__dlpack_device__"):
        kind, index = (int(number) for number in x.__dlpack_device__())
        if kind in _CUDA_DEVICES:
            return x, f"cuda:{index}"
        if kind not in _HOST_DEVICES:
            raise InputError(f"{name}: an array of {type(x).__module__.partition('.')[0]} on device type {kind} of DLPack "
                             "found, but deepfreq measures on the CPU and on CUDA devices: a copy in the host's memory expected")
    if hasattr(x, "toarray") and not isinstance(x, np.ndarray):
        raise InputError(f"{name}: a sparse {type(x).__name__} found, a dense array expected: x.toarray()")
    try:
        return np.asarray(x), "cpu"
    except (ValueError, TypeError) as error:
        raise TypeError(f"{name}: {type(x).__name__} found, an array expected ({error})") from None


def _on_host(x: Any) -> NDArray[Any]:
    """The same values as a NumPy array; shares memory if that is already on the host."""
    if is_torch(x):
        return np.asarray(x.cpu().numpy())
    return np.asarray(x.get() if hasattr(x, "get") else x)


class Samples:
    """An array of any framework whose first axis indexes samples."""

    def __init__(self, name: str, x: Any) -> None:
        self.name = name
        self._torch = is_torch(x)
        if self._torch:
            self._x: Any = _check_torch(name, x)
            self.place = str(self._x.device)  #: "cpu" or "cuda:N"
        else:
            self._x, self.place = _as_array(name, x)
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
        # bfloat16 and similar types from ml_dtypes have kind V, as structured arrays do, or f.
        return "f" if kind == "V" and self._x.dtype.names is None and "float" in self.dtype else kind

    def borrowed(self, device: Device) -> Any:
        """View [n, columns] of the same memory for the extension; None unless float32 in C order on that device."""
        if self.dtype != "float32" or self.place != device.place or not self._in_c_order():
            return None
        if device.place == "cpu":
            return np.asarray(self._x).reshape(self.n, self.columns)
        # Our stream waits for pending writes on the framework's stream.
        return self._x.reshape(self.n, self.columns).__dlpack__(stream=device.handle.stream)

    def _in_c_order(self) -> bool:
        if self._torch:
            return bool(self._x.is_contiguous())
        flags = getattr(self._x, "flags", None)
        if flags is None:  # JAX arrays always are
            return True
        return bool(flags.c_contiguous and getattr(flags, "aligned", True) and getattr(self._x.dtype, "isnative", True))

    def read(self, first: int, count: int) -> NDArray[np.float64]:
        """Rows first … first + count - 1 in double."""
        some = self._x[first:first + count]
        some = _on_host(some.double()) if self._torch else _on_host(some).astype(np.float64)
        return np.ascontiguousarray(some.reshape(count, self.columns))

    def labels(self) -> NDArray[np.int64]:
        x = _on_host(self._x).reshape(self.n)
        largest = np.iinfo(np.int64).max
        if x.dtype.kind == "u" and int(x.max()) > largest:
            raise InputError(f"{self.name}: label {x.max()} found, at most {largest} expected")
        return np.ascontiguousarray(x, dtype=np.int64)


def features_of(samples: Samples, normalize: str, device: Device) -> core.Features:
    """The samples as Features of the extension."""
    if samples.kind != "f":
        raise TypeError(f"{samples.name}: dtype {samples.dtype} found, {_FLOATS}")
    features: core.Features
    borrowed = samples.borrowed(device)
    if borrowed is not None:
        features = device.core.Features(device.handle, samples.name, borrowed, normalize)
    else:
        features = device.core.Features(device.handle, samples.name, samples.n, samples.columns, samples.read, normalize)
    return features


def targets_of(y: Any, n: int, of: str, device: Device) -> core.Targets:
    """y as Targets of the extension; it must have n samples."""
    samples = Samples("targets", y)
    if samples.n != n:
        raise InputError(f"{of} has {n} samples and targets {samples.n}, equally many expected")
    targets: core.Targets
    if samples.kind in "iub":
        if samples.columns != 1:
            raise InputError(f"targets: integers of shape {samples.shape} found, labels [n] or floats [n, c] expected")
        targets = device.core.Targets(device.handle, "targets", samples.labels())
    elif samples.kind == "f":
        targets = device.core.Targets(device.handle, "targets", samples.n, samples.columns, samples.read)
    else:
        raise TypeError(f"targets: dtype {samples.dtype} found, integer labels or floats expected")
    return targets
