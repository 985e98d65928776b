"""Spectra during training with Hugging Face's Trainer.

    from deepfreq.hugging_face import SpectrumCallback

    callback = SpectrumCallback(layers="vit.encoder.layer.*", data=loader, samples=2000)
    Trainer(model, arguments, train_dataset=..., callbacks=[callback]).train()
    callback.probe.plot()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from transformers import TrainerCallback

from ._errors import InputError
from ._probe import Probe


class SpectrumCallback(TrainerCallback):  # type: ignore[misc]
    """Measures before the first epoch and after every `every`-th one; with several processes, on the first only.

    The arguments are those of `deepfreq.Probe`; batches are dictionaries with "labels", like the Trainer's own. `probe`
    is the Probe with its history; it is set when training begins.
    """

    def __init__(self, layers: str | Iterable[str] = "*", data: Any = None, *, every: int = 1, **options: Any) -> None:
        if every < 1:
            raise InputError(f"every is {every}, at least 1 expected")
        self.probe: Probe | None = None
        self._layers, self._data, self._every, self._options = layers, data, every, options

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            self.probe = Probe(model, self._layers, self._data, **self._options)
            self.probe.measure(round(state.epoch or 0))

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        epoch = round(state.epoch)
        if self.probe is not None and epoch % self._every == 0:
            self.probe.measure(epoch)
