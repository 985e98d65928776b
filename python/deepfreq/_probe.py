"""Spectra of the layers of a PyTorch model during its training."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from ._arrays import Samples, features_of, targets_of
from ._collect import Collector, Step, default_step, matching_layers, unwrapped
from ._device import device_at
from ._errors import InputError
from ._measure import measure, measure_loaded, warn
from ._options import Progress, options_of
from ._spectrum import Spectra, write_tables

if TYPE_CHECKING:
    import torch
    from matplotlib.figure import Figure

    from . import _core as core


class Probe:
    """Measures what remains to be learned at each layer of a model whenever `measure` is called in the user's training.

    model: a torch.nn.Module, possibly wrapped in DistributedDataParallel, DataParallel or torch.compile: its layers are
        run without the wrappers here. layers: names as in model.named_modules(), with * for one part of a name
        ("blocks.*.mlp"); by default the model's children. data: a DataLoader, or (inputs, targets) as two tensors.
    samples: how many samples to measure, from the first on; by default all. inv_delta, delta, normalize, exclude_self,
        rows, confidence, seed, progress: as for `deepfreq.lfr`.
    step: runs the model on one batch and returns its targets; needed if batches are neither (inputs, targets) nor
        dictionaries with "labels". device: where features are stored and measured; by default where the model is.
        memory_limit: bytes for features; if they need more, one layer is collected at a time, in several passes over
        the data.

    Measuring uses as many threads as PyTorch (torch.set_num_threads): both share one OpenMP runtime.

    Between measurements the model has no hooks, and its training flags and all random states are unchanged. Raises
    InputError for layers that match nothing, are not called, are called twice, or return anything but a tensor.
    """

    def __init__(self, model: torch.nn.Module, layers: str | Iterable[str] = "*", data: Any = None, *,
                 samples: int | None = None, inv_delta: ArrayLike | str | None = None, delta: ArrayLike | None = None,
                 normalize: str = "max-abs", exclude_self: bool = False, rows: int | None = None, confidence: float = 0.95,
                 seed: int = 0, progress: Progress | bool | None = None, step: Step | None = None,
                 device: str | None = None, memory_limit: int = 4 << 30) -> None:
        import torch

        if not isinstance(model, torch.nn.Module):
            raise TypeError(f"model: {type(model).__name__} found, a torch.nn.Module expected")
        if data is None:
            raise InputError("data: None found, a DataLoader or (inputs, targets) expected")
        if samples is not None and samples < 1:
            raise InputError(f"samples is {samples}, at least 1 expected")
        self._options = options_of(inv_delta, delta, normalize, exclude_self, rows, confidence, seed, progress)
        inner = unwrapped(model)
        self._layers = matching_layers(inner, [layers] if isinstance(layers, str) else list(layers))
        if not self._layers:
            raise InputError("layers: an empty list found, at least one name expected")
        self._memory_limit = memory_limit
        place = str(next((p.device for p in inner.parameters()), "cpu")) if device is None else str(device)
        self._device = device_at(place)
        self._collector: Collector | None = Collector(inner, data, step or default_step, samples, self._device.place)
        self._widths: dict[str, int] | None = None
        #: Spectra by epoch, in the order of measurement
        self.history: dict[float, Spectra] = {}

    @property
    def layers(self) -> list[str]:
        return list(self._layers)

    def __repr__(self) -> str:
        return f"Probe({', '.join(self.layers)}: measured at {len(self.history)} epochs)"

    def measure(self, epoch: float | None = None) -> Spectra:
        """The current spectra of all layers, on one grid. `history` keeps them under `epoch`, by default its length."""
        if self._collector is None:
            raise InputError("the probe is closed; a new one expected")
        if epoch is None:
            epoch = len(self.history)
        if self._widths is None:
            self._widths = self._collector.widths(self._layers)
        spectra = self._at_once(self._collector) if self._fits() else self._one_by_one(self._collector)
        self.history[epoch] = spectra
        return spectra

    def _fits(self) -> bool:
        assert self._collector is not None and self._widths is not None
        return 4 * self._collector.capacity * sum(self._widths.values()) <= self._memory_limit

    def _at_once(self, collector: Collector) -> Spectra:
        assert self._widths is not None
        rows, targets = collector.collect(self._layers, self._widths)
        loaded = {name: self._features(name, x) for name, x in rows.items()}
        n = len(targets)
        return measure_loaded(loaded, targets_of(targets, n, "data", self._device), n, self._options, self._device)

    def _features(self, name: str, x: torch.Tensor) -> core.Features:
        return features_of(Samples(name, x), self._options.normalize, self._device)

    def _one_by_one(self, collector: Collector) -> Spectra:
        """Each layer is collected again for each pass over it, with the same samples in the same order."""
        assert self._widths is not None
        widths = self._widths
        latest: dict[str, core.Features] = {}
        warned: set[str] = set()

        def collected(name: str) -> core.Features:
            if name not in latest:
                latest.clear()
                rows, _ = collector.collect({name: self._layers[name]}, widths)
                latest[name] = self._features(name, rows[name])
                if latest[name].warning and name not in warned:
                    warned.add(name)
                    warn(latest[name].warning)
            return latest[name]

        first = self.layers[0]
        _, targets = collector.collect({first: self._layers[first]}, widths)
        n = len(targets)
        sources = {name: partial(collected, name) for name in self._layers}
        return measure(sources, targets_of(targets, n, "data", self._device), n, self._options, self._device)

    def plot(self, curve: str = "rdf") -> Figure:
        """A new figure with one panel per measured epoch and one curve per layer: "rdf", over its maximum, or "lfr"."""
        if not self.history:
            raise InputError("nothing is measured yet, a call of measure() expected")
        from .drawing.layers import history_figure

        figure: Figure = history_figure(self.history, curve)
        return figure

    def to_csv(self, folder: str | os.PathLike[str]) -> None:
        """Writes lfr.csv, rdf.csv and peaks.csv for all epochs, as the apps do; `deepfreq.load_run` reads them."""
        write_tables(Path(folder), {("model", name, f"{epoch:g}"): s for epoch, spectra in self.history.items()
                                    for name, s in spectra.items()})

    def close(self) -> None:
        """Frees the memory of the features. The history is kept."""
        if self._collector is not None:
            self._collector.close()
        self._collector = None

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.close()
