"""Where measurements run: the extension module for a device, and the device itself."""

from __future__ import annotations

import functools
import importlib
import re
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from . import _native
from ._errors import InputError

if TYPE_CHECKING:
    from . import _core


@dataclass(frozen=True)
class Device:
    """A device to measure on, and the module with its kernels."""

    place: str  #: "cpu" or "cuda:N", as in PyTorch
    core: Any  #: typed in _core.pyi
    handle: _core.Device


def why_no_cuda() -> str:
    """The reason why no GPU can be used here; empty if one can."""
    module = _cuda_module()
    if module is None:
        return "this installation was built without CUDA: where nvcc is found, pip install builds with it"
    reason: str = module.why_unavailable()
    return reason


@functools.cache
def device_at(place: str) -> Device:
    """The device named "cpu", "cuda" or "cuda:N". Repeated calls return the same object, with what it has loaded."""
    if place == "cpu":
        return Device("cpu", _native.core, _native.core.Device(0))
    if not re.fullmatch(r"cuda(:\d+)?", place):
        raise InputError(f"device is {place!r}, expected 'cpu', 'cuda' or 'cuda:N'")
    if place == "cuda":
        return device_at("cuda:0")
    if reason := why_no_cuda():
        raise InputError(f"device is {place!r}, but {reason}; device='cpu' measures there")
    core = _cuda_module()
    assert core is not None
    return Device(place, core, core.Device(int(place.removeprefix("cuda:"))))


@functools.cache
def _cuda_module() -> ModuleType | None:
    try:
        return importlib.import_module("deepfreq._core_cuda")
    except ModuleNotFoundError:
        return None
