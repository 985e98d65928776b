"""Every wrong input is refused by one sentence: what, what was found, what was expected."""

import re

import deepfreq as df
import numpy as np
import pytest
from deepfreq import _device

X = np.random.default_rng(0).standard_normal((20, 4)).astype(np.float32)
Y = np.arange(20) % 2


def changed(row, column, value):
    x = X.copy()
    x[row, column] = value
    return x


# features, targets, options, exception, and the beginning of its sentence
CASES = {
    "other n": (X, Y[:19], {}, df.InputError, "features has 20 samples and targets 19, equally many expected"),
    "no samples": (X[:0], Y[:0], {}, df.InputError, r"features: shape \(0, 4\) found, at least one sample expected"),
    "no columns": (X[:, :0], Y, {}, df.InputError, r"features: shape \(20, 0\) found, at least one number"),
    "one number": (np.float32(1), Y, {}, df.InputError, "features: a single number found"),
    "NaN": (changed(3, 2, np.nan), Y, {}, df.InputError, "features: nan found at row 3, column 2, finite numbers expected"),
    "infinity": (changed(19, 0, -np.inf).astype(float), Y, {}, df.InputError, "features: -inf found at row 19, column 0"),
    "NaN in targets": (X, np.where(Y, np.nan, 1.0), {}, df.InputError, "targets: nan found at row 1, column 0"),
    "integer features": (Y, Y, {}, TypeError, "features: dtype int64 found, floating point"),
    "bool features": (X > 0, Y, {}, TypeError, "features: dtype bool found, floating point"),
    "complex features": (X + 1j, Y, {}, TypeError, "features: dtype complex64 found, floating point"),
    "strings": (np.array(["a"] * 20), Y, {}, TypeError, "features: dtype <U1 found, floating point"),
    "objects": (np.array([None] * 20), Y, {}, TypeError, "features: dtype object found, floating point"),
    "nothing": (None, Y, {}, df.InputError, "features: a single number found, one row"),
    "ragged lists": ([[1.0], [1.0, 2.0]], [0, 1], {}, TypeError, "features: list found, an array expected"),
    "complex targets": (X, Y * 1j, {}, TypeError, "targets: dtype complex128 found, integer labels or floats expected"),
    "negative label": (X, Y - 1, {}, df.InputError, "targets: label -1 found at row 0, labels of at least 0 expected"),
    "label too large": (X, np.full(20, 2**63, np.uint64), {}, df.InputError, "targets: label 9223372036854775808 found"),
    "integers [n, c]": (X, np.eye(20, dtype=int), {}, df.InputError, r"targets: integers of shape \(20, 20\) found, labels"),
    "targets all 0": (X, 0.0 * Y, {}, df.InputError, r"features: all targets \[20, 1\] are 0"),
    "masked": (np.ma.array(X, mask=X > 0), Y, {}, df.InputError, "features: a masked array found"),
    "unsorted": (X, Y, {"inv_delta": [1, 3, 2]}, df.InputError, "inv_delta: 2.0 found after 3.0, ascending widths expected"),
    "equal widths": (X, Y, {"inv_delta": [1, 1]}, df.InputError, "inv_delta: 1.0 found after 1.0"),
    "one width": (X, Y, {"inv_delta": [1]}, df.InputError, r"inv_delta: shape \(1,\) found, 2 to 100000 widths expected"),
    "no widths": (X, Y, {"inv_delta": []}, df.InputError, r"inv_delta: shape \(0,\) found"),
    "too many": (X, Y, {"inv_delta": np.arange(100001)}, df.InputError, r"inv_delta: shape \(100001,\) found"),
    "grid of two axes": (X, Y, {"inv_delta": X}, df.InputError, r"inv_delta: shape \(20, 4\) found"),
    "negative width": (X, Y, {"inv_delta": [-1, 1]}, df.InputError, "inv_delta: -1.0 found at 0, finite numbers of at least 0"),
    "NaN width": (X, Y, {"inv_delta": [1, np.nan]}, df.InputError, "inv_delta: nan found at 1, finite numbers"),
    "not a grid": (X, Y, {"inv_delta": "1:2"}, df.InputError, "the grid of 1/delta '1:2': there are not three"),
    "words for widths": (X, Y, {"inv_delta": ["a", "b"]}, TypeError, "inv_delta: list found, numbers expected"),
    "delta of 0": (X, Y, {"delta": [0, 1]}, df.InputError, "delta: 0.0 found at 0, finite numbers above 0 expected"),
    "delta twice": (X, Y, {"delta": [1, 1]}, df.InputError, "delta: 1.0 found twice"),
    "both": (X, Y, {"inv_delta": [1, 2], "delta": [1, 2]}, df.InputError, "both delta and inv_delta given"),
    "normalize": (X, Y, {"normalize": "centered"}, df.InputError, "normalize is 'centered', expected one of 'max-abs', 'c"),
    "device": (X, Y, {"device": "gpu"}, df.InputError, "device is 'gpu', expected 'cpu', 'cuda' or 'cuda:N'"),
    "one row": (X, Y, {"rows": 1}, df.InputError, "rows is 1, at least 2 expected, or None for all"),
    "more rows than samples": (X, Y, {"rows": 21}, df.InputError, "rows is 21, but there are 20 samples; at most so many"),
    "half a row": (X, Y, {"rows": 2.5}, TypeError, "rows: float found, an integer expected"),
    "certainty": (X, Y, {"confidence": 1}, df.InputError, "confidence is 1, a number between 0 and 1 expected"),
    "negative seed": (X, Y, {"seed": -1}, df.InputError, r"seed is -1, at least 0 and below 2\*\*64 expected"),
    "progress": (X, Y, {"progress": 3}, TypeError, "progress: int found, True or a function of a layer and a share expected"),
    "targets of the sample all 0": (X, np.eye(20)[0], {"rows": 2, "inv_delta": [1, 2]}, df.InputError,
                                    "all targets of the 2 sampled rows are 0"),
    "rises nowhere": (0 * X, Y, {}, df.InputError, "nothing measured: LFR rises nowhere"),
    "one row, centred": (X[:1], Y[:1], {"normalize": "centred"}, df.InputError, "features: one row found to be centred"),
}


@pytest.mark.parametrize("name", CASES)
def test_wrong_input_is_refused_by_a_sentence(name):
    features, targets, options, kind, sentence = CASES[name]
    with pytest.raises(kind) as raised:
        df.lfr(features, targets, **options)
    assert type(raised.value) is kind
    assert re.match(sentence, str(raised.value)), str(raised.value)
    assert "\n" not in str(raised.value) and "incompatible function arguments" not in str(raised.value)


def test_an_input_error_is_a_value_error():
    assert issubclass(df.InputError, ValueError)


@pytest.mark.parametrize("features, kind, sentence", [
    (X, TypeError, "features: ndarray found, a mapping from names to arrays expected"),
    ({}, df.InputError, "features: an empty mapping found"),
    ({"1": X, 1: X}, df.InputError, "features: '1' found twice as a name, different names expected"),
    ({"a": X, "b": X[:7]}, df.InputError, "a has 20 samples and b 7, equally many expected"),
    ({"a": X, "b": X > 0}, TypeError, "b: dtype bool found"),
    ({"a": X, "b": changed(1, 1, np.nan)}, df.InputError, "b: nan found at row 1, column 1"),
])
def test_spectra_name_the_layer(features, kind, sentence):
    with pytest.raises(kind, match=sentence):
        df.spectra(features, Y)


def test_tensors_that_have_no_numbers_here_are_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(df.InputError, match="features: a meta tensor found"):
        df.lfr(torch.zeros(20, 4, device="meta"), Y)
    with pytest.raises(df.InputError, match="features: a tensor of layout torch.sparse_coo found, a dense one expected"):
        df.lfr(torch.from_numpy(X).to_sparse(), Y)
    with pytest.raises(TypeError, match="features: dtype complex64 found"):
        df.lfr(torch.from_numpy(X + 1j), Y)
    with pytest.raises(TypeError, match=r"features: a quantized tensor \(torch.qint8\) found"):
        df.lfr(torch.quantize_per_tensor(torch.from_numpy(X), 0.1, 0, torch.qint8), Y)


class Elsewhere:
    """An array on some device, as DLPack numbers them."""

    def __init__(self, kind, index=0):
        self.kind, self.index = kind, index
        self.shape, self.dtype = X.shape, X.dtype

    def __dlpack_device__(self):
        return (self.kind, self.index)


def test_arrays_on_other_devices_are_refused_with_the_cure():
    with pytest.raises(df.InputError, match="device type 10 of DLPack found, but deepfreq measures on the CPU and on CUDA dev"):
        df.lfr(Elsewhere(10), Y)


def test_a_gpu_that_cannot_be_used_is_refused_with_the_reason():
    if not _device.why_no_cuda():
        pytest.skip("there is a GPU")
    for features, device in ((Elsewhere(2, 1), None), (X, "cuda:1")):
        with pytest.raises(df.InputError, match=r"device is 'cuda:1', but (this installation was built without CUDA: where nvcc"
                           r"|no NVIDIA driver was found|.*driver).*; device='cpu' measures there"):
            df.lfr(features, Y, device=device)


def test_layers_on_different_devices_are_refused():
    with pytest.raises(df.InputError, match="a lies on cpu and b on cuda:0, one device expected, or `device` to say which"):
        df.spectra({"a": X, "b": Elsewhere(2)}, Y)


def test_a_sparse_matrix_is_refused():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(df.InputError, match=r"features: a sparse csr_\w+ found, a dense array expected: x.toarray\(\)"):
        df.lfr(sparse.csr_matrix(X), Y)


def test_more_memory_than_there_is_is_a_memory_error():
    n = 1_000_000  # as many classes as samples: identifiers taken for labels
    with pytest.raises(MemoryError, match=r"out of memory on cpu: .*: 3814697\.3 MiB asked for, [0-9.]+ MiB free"):
        df.lfr(np.zeros(n, np.float32), np.arange(n))
