"""Measures the frequency content of what remains to be learned at each layer of a network.

The Low Frequency Ratio (LFR) and Ratio Density Function (RDF) of *Deep Frequency Principle Towards Understanding Why
Deeper Learning Is Faster* (Xu & Zhou, AAAI 2021), exact on all samples:

    import deepfreq as df

    s = df.lfr(features, targets)            # Spectrum: .inv_delta .lfr .rdf .peak .plot() .to_csv()
    df.spectra({"fc1": f1, "fc2": f2}, y)    # several layers on a common grid, so that they can be compared
    with df.Probe(model, layers=["fc1", "blocks.*.mlp"], data=loader) as probe:
        probe.measure()                      # live, during the training of a PyTorch model
        probe.plot()

`df.doctor()` reports what this installation computes with; `df.load_run(folder)` reads the results of an app.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._doctor import doctor
    from ._errors import InputError
    from ._measure import lfr, spectra
    from ._probe import Probe
    from ._runs import Run, load_run
    from ._spectrum import Intervals, Peak, Spectra, Spectrum

__all__ = ["InputError", "Intervals", "Peak", "Probe", "Run", "Spectra", "Spectrum", "doctor", "lfr", "load_run", "spectra"]

# Loaded on first use, so that the apps can draw their figures from the source tree, without the extension.
_MODULE_OF = {"doctor": "_doctor", "InputError": "_errors", "lfr": "_measure", "spectra": "_measure", "Probe": "_probe",
              "Run": "_runs", "load_run": "_runs", "Intervals": "_spectrum", "Peak": "_spectrum", "Spectra": "_spectrum",
              "Spectrum": "_spectrum"}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("deepfreq")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'deepfreq' has no attribute {name!r}")
    return getattr(_import_module(f".{_MODULE_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__"])
