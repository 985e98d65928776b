"""Collects the outputs of the layers of a PyTorch model for each sample, without affecting its training."""

from __future__ import annotations

import difflib
import fnmatch
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ._errors import InputError

if TYPE_CHECKING:
    import torch

Step = Callable[["torch.nn.Module", Any], Any]

# Module wrappers, and the attribute that holds the wrapped module; it is part of the names of the modules inside.
_WRAPPER_OF = {"DistributedDataParallel": "module", "DataParallel": "module", "OptimizedModule": "_orig_mod"}


def unwrapped(model: torch.nn.Module) -> torch.nn.Module:
    """The user's own module inside DistributedDataParallel, DataParallel and torch.compile. Rejects FSDP, whose modules
    hold only a shard of their weights."""
    for module in model.modules():
        names = {kind.__name__ for kind in type(module).__mro__}
        if names & {"FullyShardedDataParallel", "FSDPModule"}:
            raise InputError(f"model: {type(module).__name__} (FSDP) found, whose layers are spread over processes; a whole "
                             "model expected, as DistributedDataParallel has it")
    inner: Any = model
    while type(inner).__name__ in _WRAPPER_OF:
        inner = getattr(inner, _WRAPPER_OF[type(inner).__name__])
    return cast("torch.nn.Module", inner)


def matching_layers(model: torch.nn.Module, patterns: list[str]) -> dict[str, torch.nn.Module]:
    """The modules whose names match, in the model's order. In a pattern, * matches one part of a name or some of its
    letters: "blocks.*.mlp"."""
    modules = dict(_named_modules(model))
    chosen: set[str] = set()
    for pattern in patterns:
        found = [name for name in modules if _matches(name, pattern)]
        if not found:
            near = difflib.get_close_matches(pattern, modules, n=3, cutoff=0.4)
            known = ", ".join(map(repr, near or list(modules)[:5])) or "none"
            raise InputError(f"layers: {pattern!r} matches no layer of {type(model).__name__}; the nearest names are {known}")
        chosen.update(found)
    return {name: module for name, module in modules.items() if name in chosen}


def _named_modules(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Module]]:
    """(name, module) without the wrappers, and with wrapper attributes removed from the names."""
    wrapped = {}
    for name, module in model.named_modules():
        if type(module).__name__ in _WRAPPER_OF:
            wrapped[f"{name}."] = _WRAPPER_OF[type(module).__name__] + "."
    for name, module in model.named_modules():
        for prefix, added in sorted(wrapped.items(), key=lambda item: -len(item[0])):
            if f"{name}.".startswith(prefix + added):
                name = (prefix + f"{name}."[len(prefix + added):]).rstrip(".")
        if name and type(module).__name__ not in _WRAPPER_OF:
            yield name, module


def _matches(name: str, pattern: str) -> bool:
    parts, wanted = name.split("."), pattern.split(".")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))


def default_step(model: torch.nn.Module, batch: Any) -> Any:
    """Runs the model on a batch and returns its targets: (inputs, targets), or a dictionary with "labels" or "label"."""
    if isinstance(batch, Mapping):
        label = next((key for key in ("labels", "label", "targets", "target") if key in batch), None)
        if label is None:
            raise InputError(f"data: a batch with {', '.join(map(repr, batch))} found, one with 'labels' expected")
        model(**{key: value for key, value in batch.items() if key != label})
        return batch[label]
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise InputError(f"data: a batch that is a {type(batch).__name__} found, (inputs, targets) or a dictionary with "
                         "'labels' expected; `step` takes any other")
    inputs, targets = batch
    model(*inputs) if isinstance(inputs, (tuple, list)) else model(inputs)
    return targets


def moved(batch: Any, device: torch.device) -> Any:
    """The batch with its tensors on the model's device."""
    import torch

    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {key: moved(value, device) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return [moved(value, device) for value in batch]
    return batch


@contextmanager
def undisturbed(model: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode, without gradients, and run eagerly rather than compiled, because compiled code would skip hooks.
    Training flags and random states are restored afterwards, whatever happened."""
    import torch

    training = [(module, module.training) for module in model.modules()]
    compiled = [(module, module._compiled_call_impl) for module in model.modules()
                if getattr(module, "_compiled_call_impl", None) is not None]
    python_state, numpy_state = random.getstate(), np.random.get_state()
    devices = sorted({p.device.index for p in model.parameters() if p.device.type == "cuda"})
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=devices))
        stack.callback(np.random.set_state, numpy_state)
        stack.callback(random.setstate, python_state)
        for module, flag in training:
            stack.callback(setattr, module, "training", flag)
        for module, implementation in compiled:
            stack.callback(setattr, module, "_compiled_call_impl", implementation)
            module._compiled_call_impl = None
        stack.enter_context(_eagerly())
        stack.enter_context(torch.no_grad())
        model.eval()
        yield


def _eagerly() -> AbstractContextManager[Any]:
    import torch

    set_stance = getattr(getattr(torch, "compiler", None), "set_stance", None)
    return set_stance("force_eager") if set_stance is not None else nullcontext()


class Collector:
    """Collects the outputs of layers over the batches of `data`, up to a given number of samples."""

    def __init__(self, model: torch.nn.Module, data: Any, step: Step, samples: int | None, place: str) -> None:
        self._model, self._data, self._step, self._samples, self._place = model, data, step, samples, place
        self.capacity = self._most_samples()
        self._buffers: dict[str, torch.Tensor] = {}

    def _most_samples(self) -> int:
        if self._samples is not None:
            return self._samples
        if _are_arrays(self._data):
            return len(self._data[0])
        size = getattr(getattr(self._data, "dataset", None), "__len__", None)
        if size is None:
            raise InputError("data: its number of samples is not known; samples=N expected")
        return int(size())

    def _batches(self) -> Iterator[Any]:
        if not _are_arrays(self._data):
            return iter(self._data)
        x, y = self._data
        return ((x[first:first + 1024], y[first:first + 1024]) for first in range(0, len(x), 1024))

    def widths(self, layers: Mapping[str, torch.nn.Module]) -> dict[str, int]:
        """The number of outputs per sample of each layer, found from the first batch alone."""
        found: dict[str, int] = {}
        self._run(layers, lambda name, rows, first: found.__setitem__(name, rows.shape[1]), batches=1)
        return found

    def collect(self, layers: Mapping[str, torch.nn.Module], widths: Mapping[str, int]) -> tuple[dict[str, Any], Any]:
        """({name: float32 [n, width] on the measuring device}, targets [n]). The next call overwrites these tensors."""
        import torch

        for name in [name for name in self._buffers if name not in layers]:
            del self._buffers[name]
        for name in layers:
            if name not in self._buffers:
                self._buffers[name] = torch.empty((self.capacity, widths[name]), dtype=torch.float32, device=self._place)

        def keep(name: str, rows: torch.Tensor, first: int) -> None:
            self._buffers[name][first:first + len(rows)].copy_(rows)

        n, targets = self._run(layers, keep)
        if self._samples is not None and n < self._samples:
            raise InputError(f"data: {n} samples found, the {self._samples} asked for expected")
        return {name: self._buffers[name][:n] for name in layers}, targets

    def _run(self, layers: Mapping[str, torch.nn.Module], take: Callable[[str, torch.Tensor, int], None],
             batches: int | None = None) -> tuple[int, Any]:
        """Calls take(layer, rows, index of the first row) for the outputs of each batch; returns the number of samples
        and their targets."""
        import torch

        device = next((p.device for p in self._model.parameters()), torch.device("cpu"))
        outputs: dict[str, torch.Tensor] = {}
        targets: list[torch.Tensor] = []
        n = 0
        with undisturbed(self._model), _hooks(layers, outputs):
            for number, batch in enumerate(self._batches()):
                if n >= self.capacity or number == batches:
                    break
                outputs.clear()
                given = self._step(self._model, moved(batch, device))
                y = torch.as_tensor(given).detach().cpu()
                room = self.capacity - n
                for name in layers:
                    if name not in outputs:
                        raise InputError(f"layer {name!r} was not called when the model ran; one that it uses expected")
                    rows = outputs[name]
                    if len(rows) != len(y):
                        raise InputError(f"layer {name!r} gives shape {tuple(rows.shape)} for {len(y)} targets; a row for "
                                         "each sample expected")
                    take(name, rows.reshape(len(rows), -1)[:room], n)
                targets.append(y[:room])
                n += len(targets[-1])
        if n == 0:
            raise InputError("data: no batch found, at least one sample expected")
        return n, torch.cat(targets)

    def close(self) -> None:
        self._buffers.clear()


def _are_arrays(data: Any) -> bool:
    """Whether data is one complete (inputs, targets) pair rather than an iterable of batches."""
    return isinstance(data, tuple) and len(data) == 2 and all(hasattr(part, "shape") for part in data)


@contextmanager
def _hooks(layers: Mapping[str, torch.nn.Module], outputs: dict[str, torch.Tensor]) -> Iterator[None]:
    """While active, the output of each layer is stored in `outputs`."""
    import torch

    def keep(name: str) -> Callable[[Any, Any, Any], None]:
        def hook(module: Any, args: Any, output: Any) -> None:
            if not isinstance(output, torch.Tensor):
                raise InputError(f"layer {name!r} gives a {type(output).__name__}, a tensor expected: choose a layer within it")
            if name in outputs:
                raise InputError(f"layer {name!r} is called twice in one run of the model; one that is called once expected")
            if not output.is_floating_point():
                raise InputError(f"layer {name!r} gives {output.dtype}, floating point expected")
            outputs[name] = output.detach()

        return hook

    with ExitStack() as stack:
        for name, module in layers.items():
            stack.callback(module.register_forward_hook(keep(name)).remove)
        yield
