"""Selects the extension module for this processor. The kernels are compiled for three generations of x86-64, one module
each; on other architectures, one module suits any processor."""

import importlib
import os
import platform
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

# The flags that each generation adds, as in /proc/cpuinfo (x86-64 psABI, "microarchitecture levels"), newest first.
_X86_64_V2 = {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}
_X86_64_V3 = _X86_64_V2 | {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}
_X86_64_V4 = _X86_64_V3 | {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"}
GENERATIONS = {"x86_64_v4": _X86_64_V4, "x86_64_v3": _X86_64_V3, "x86_64_v2": _X86_64_V2}


def processor_flags() -> set[str]:
    """The features of this processor, as reported by Linux."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("flags"):
            return set(line.partition(":")[2].split())
    return set()


def generation() -> str:
    """The newest generation that this processor supports; $DEEPFREQ_PROCESSOR requests an older one."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return "any"
    flags = processor_flags()
    usable = [name for name, needed in GENERATIONS.items() if needed <= flags]
    if not usable:
        missing = ", ".join(sorted(_X86_64_V2 - flags))
        raise ImportError(f"deepfreq needs a processor of x86-64-v2 or later, and this one lacks {missing}")
    asked = os.environ.get("DEEPFREQ_PROCESSOR", usable[0])
    if asked not in usable:
        raise ImportError(f"DEEPFREQ_PROCESSOR is '{asked}', expected one that this processor is: {', '.join(usable)}")
    return asked


def load() -> ModuleType:
    try:
        return importlib.import_module(f"deepfreq._core_{generation()}")
    except ImportError as error:
        if "libgomp" in str(error):
            raise ImportError(f"{error}: deepfreq needs OpenMP's library, install the package libgomp1") from error
        raise


if TYPE_CHECKING:
    from . import _core as core
else:
    core = load()

__all__ = ["core"]
