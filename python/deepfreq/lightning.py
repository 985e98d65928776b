"""Spectra during training with Lightning.

    from deepfreq.lightning import SpectrumCallback

    callback = SpectrumCallback(layers=["fc1", "fc2"], data=validation_loader)
    Trainer(callbacks=[callback]).fit(module, train_loader)
    callback.probe.plot()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

try:
    from lightning.pytorch import Callback
except ImportError:
    from pytorch_lightning import Callback

from ._errors import InputError
from ._probe import Probe


class SpectrumCallback(Callback):  # type: ignore[misc]
    """Measures before the first epoch and after every `every`-th one; with several processes, on the first only.

    The arguments are those of `deepfreq.Probe`. `probe` is the Probe with its history; it is set when training begins.
    """

    def __init__(self, layers: str | Iterable[str] = "*", data: Any = None, *, every: int = 1, **options: Any) -> None:
        if every < 1:
            raise InputError(f"every is {every}, at least 1 expected")
        self.probe: Probe | None = None
        self._layers, self._data, self._every, self._options = layers, data, every, options

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        if trainer.is_global_zero:
            self.probe = Probe(pl_module, self._layers, self._data, **self._options)
            self.probe.measure(trainer.current_epoch)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        if self.probe is not None and (trainer.current_epoch + 1) % self._every == 0:
            self.probe.measure(trainer.current_epoch + 1)
