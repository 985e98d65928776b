"""Measurements on a GPU, where there is one; and what the module for it stands on, where it was built."""

import subprocess

import deepfreq as df
import numpy as np
import pytest
from conftest import same
from deepfreq import _arrays, _device, _measure

gpu = pytest.mark.skipif(bool(_device.why_no_cuda()), reason=f"no GPU: {_device.why_no_cuda()}")


@pytest.fixture
def tensors(samples):
    torch = pytest.importorskip("torch")
    x, y = samples
    return torch.from_numpy(x).cuda(), torch.from_numpy(y).cuda()


def test_the_module_needs_no_library_of_cuda():
    module = _device._cuda_module()
    if module is None:
        pytest.skip("this package was built without CUDA")
    listed = subprocess.run(["readelf", "--dynamic", module.__file__], check=True, capture_output=True, text=True).stdout
    needed = [line.split("[")[1].rstrip("]") for line in listed.splitlines() if "(NEEDED)" in line]
    assert needed and not [name for name in needed if name.startswith(("libcu", "libnv", "libdnnl"))], needed
    listed = subprocess.run(["nm", "-D", "--defined-only", module.__file__], check=True, capture_output=True, text=True).stdout
    # Inline functions of CUDA's own headers are in namespaces of their version.
    assert [line.split()[2] for line in listed.splitlines() if line.split()[1] == "T"] == ["PyInit__core_cuda"]


@gpu
@pytest.mark.parametrize("options", [{}, {"normalize": "centred"}, {"normalize": "none", "exclude_self": True}, {"rows": 100}])
def test_a_gpu_measures_what_the_cpu_does(samples, tensors, options):
    on_cpu, on_gpu = df.lfr(*samples, "0.01:3:40", **options), df.lfr(*tensors, "0.01:3:40", **options)
    assert np.abs(on_cpu.lfr - on_gpu.lfr).max() <= 2e-5


@gpu
def test_float32_is_measured_where_it_lies(tensors):
    x, _ = tensors
    device = _device.device_at(str(x.device))
    assert _arrays.features_of(_arrays.Samples("x", x), "max-abs", device).address == x.data_ptr()


@gpu
def test_what_still_runs_on_another_stream_is_waited_for(tensors):
    import torch

    x, y = tensors
    expected = df.lfr(x, y)
    with torch.cuda.stream(torch.cuda.Stream()):
        a = torch.randn(4096, 4096, device="cuda")
        for _ in range(20):
            a = a @ a
            a = a / a.norm()
        late = torch.zeros_like(x) + x + 0 * a[0, 0]
        assert same(df.lfr(late, y), expected)


@gpu
def test_other_types_orders_and_devices_give_the_same(samples, tensors):
    x, y = tensors
    expected = df.lfr(x, y)
    for features, targets in ((x.double(), y), (x.t().contiguous().t(), y), (x, y.cpu()), (x, samples[1])):
        assert np.abs(df.lfr(features, targets, expected.inv_delta).lfr - expected.lfr).max() <= 1e-6
    from_host = df.lfr(*samples, expected.inv_delta, device="cuda")
    assert np.abs(from_host.lfr - expected.lfr).max() <= 1e-6
    on_host = df.lfr(x, y, expected.inv_delta, device="cpu")
    assert np.abs(on_host.lfr - df.lfr(*samples, expected.inv_delta).lfr).max() <= 1e-6


@gpu
def test_the_current_device_stays(tensors):
    import torch

    if torch.cuda.device_count() < 2:
        pytest.skip("one GPU")
    torch.cuda.set_device(1)
    df.lfr(*tensors)
    assert torch.cuda.current_device() == 1


@gpu
def test_a_probe_of_a_model_on_a_gpu_measures_there(tensors):
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(30, 10), torch.nn.Tanh()).cuda()
    with df.Probe(model, data=tensors) as probe:
        found = probe.measure()
        assert probe._device.place == "cuda:0"
        features = model(tensors[0])
    assert np.abs(found["1"].lfr - df.lfr(features, tensors[1], found["1"].inv_delta).lfr).max() <= 1e-5


@gpu
def test_too_little_memory_is_a_memory_error():
    import torch

    n = 300_000  # as many classes as samples
    with pytest.raises(MemoryError, match=r"MiB asked for.* MiB free"):
        df.lfr(torch.arange(n, device="cuda", dtype=torch.float32), torch.arange(n))


class OnGpu:
    """An array of NumPy that says it lies on a GPU, as CuPy's do."""

    def __init__(self, x, streams):
        self.x, self.streams = x, streams
        self.shape, self.dtype, self.flags = x.shape, x.dtype, x.flags

    def __dlpack_device__(self):
        return (2, 0)

    def __dlpack__(self, stream):
        self.streams.append(stream)
        return self.x.__dlpack__()

    def __getitem__(self, rows):
        return OnGpu(self.x[rows], self.streams)

    def __array__(self, *args):
        raise TypeError("implicit conversion of an array on a GPU")

    def reshape(self, *shape):
        return OnGpu(self.x.reshape(*shape), self.streams)

    def get(self):
        return self.x


@pytest.fixture
def cpu_as_gpu(monkeypatch):
    """The CPU in the place of cuda:0: what is done with arrays before the kernels have them."""
    core = _device.device_at("cpu").core
    gpu = _device.Device("cuda:0", core, core.Device(0))
    monkeypatch.setattr(_measure, "device_at", lambda place: gpu if place == "cuda:0" else _device.device_at(place))
    return gpu


def test_arrays_on_a_gpu_are_handed_over_by_dlpack_with_our_stream(cpu_as_gpu, samples):
    x, y = samples
    expected, streams = df.lfr(x, y), []
    assert same(df.lfr(OnGpu(x, streams), OnGpu(y, streams)), expected)
    assert streams == [cpu_as_gpu.handle.stream]
    assert same(df.lfr(OnGpu(x.reshape(600, 5, 6), streams), y), expected)
    borrowed = _arrays.features_of(_arrays.Samples("x", OnGpu(x, streams)), "max-abs", cpu_as_gpu)
    assert borrowed.address == x.ctypes.data


def test_other_arrays_on_a_gpu_are_converted_by_their_framework(cpu_as_gpu, samples):
    x, y = samples
    expected, streams = df.lfr(x, y), []
    for converted in (x.astype(np.float64), np.asfortranarray(x)):
        assert same(df.lfr(OnGpu(converted, streams), y), expected)
    assert same(df.lfr(OnGpu(x, streams), y, device="cpu"), expected)
    assert same(df.lfr(x, y, device="cuda:0"), expected)
    assert streams == []
