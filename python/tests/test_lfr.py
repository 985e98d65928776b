"""What is measured: against NumPy in double precision, against the app, and of arrays of every kind."""

import subprocess
import warnings

import deepfreq as df
import numpy as np
import pytest
from conftest import run_python, same
from data_sets import of_both_kinds_of_float
from deepfreq import _arrays, _device, _oracle

ALLOWED = 1e-5


def features_of(x):
    return _arrays.features_of(_arrays.Samples("x", x), "max-abs", _device.device_at("cpu"))


def test_every_kind_of_data_agrees_with_numpy_in_double(rng):
    for name, x, y, normalize, exclude_self in of_both_kinds_of_float(rng):
        scaled, targets = _oracle.as_measured(x, y, normalize)
        distance = _oracle.squared_distances(scaled)
        grid = _oracle.grid_around(distance, 49)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # LFR of some rises nowhere
            s = df.lfr(x, y, grid, normalize=normalize, exclude_self=exclude_self)
        assert np.array_equal(s.inv_delta, grid), name
        exact = [_oracle.low_frequency_ratio(distance, targets, width, exclude_self) for width in grid[::4]]
        assert np.abs(s.lfr[::4] - exact).max() <= ALLOWED, name
        assert (s.n, s.rows, s.intervals) == (len(x), len(x), None)


@pytest.mark.parametrize("normalize", ["max-abs", "centred", "none"])
def test_centred_and_raw_features_agree_with_numpy_in_double(samples, normalize):
    x, y = samples
    x = x + 5
    scaled, targets = _oracle.as_measured(x, y, normalize)
    distance = _oracle.squared_distances(scaled)
    s = df.lfr(x, y, normalize=normalize)
    exact = [_oracle.low_frequency_ratio(distance, targets, width) for width in s.inv_delta[::4]]
    assert np.abs(s.lfr[::4] - exact).max() <= ALLOWED


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", [{}, {"normalize": "centred"}, {"normalize": "none", "exclude_self": True},
                                     {"inv_delta": "log:0.01:10:30"}])
def test_the_app_measures_the_same(app, tmp_path, samples, dtype, options):
    x, y = samples[0].astype(dtype), samples[1]
    np.save(tmp_path / "features.npy", x)
    np.save(tmp_path / "y.npy", y)
    flags = ["--scale", options.get("normalize", "max-abs"), "--inv-delta", options.get("inv_delta", "auto")]
    flags += ["--exclude-self"] if options.get("exclude_self") else []
    subprocess.run([app, "--features", tmp_path / "features.npy", "--targets", tmp_path / "y.npy", *flags, "--device", "cpu",
                    "--no-figures", "--out", tmp_path / "app"], check=True, capture_output=True)
    df.lfr(x, y, **options).to_csv(tmp_path / "python")
    ours, theirs = df.load_run(tmp_path / "python"), df.load_run(tmp_path / "app")
    for table in ("lfr", "rdf", "peaks"):
        for column, values in ours[table].items():
            if values.dtype.kind == "f":
                # To the last digit printed where both are compiled for one processor; the app is for this very one.
                assert np.allclose(values, theirs[table][column], rtol=1e-6, atol=1e-8, equal_nan=True), column
            else:
                assert np.array_equal(values, theirs[table][column]), column


def test_float32_in_c_order_is_measured_where_it_lies(samples):
    x, y = samples
    before = x.copy()
    x.flags.writeable = False
    assert features_of(x).address == x.ctypes.data
    df.lfr(x, y)
    assert np.array_equal(x, before)


def test_no_copy_of_the_features_is_made_but_the_operations_own():
    """The app has a copy of the features in memory besides what the operation takes; here there is the array alone."""
    grown = run_python("""
        import resource, numpy as np, deepfreq as df
        x = np.zeros((20000, 1500), np.float32)   # 120 MB
        x[:] = np.random.default_rng(0).standard_normal(1500, np.float32)
        x[:, 0] = np.arange(20000)
        y = np.arange(20000) % 5
        df.lfr(x[:100], y[:100], [0.1, 1.0])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        df.lfr(x, y, [0.1, 1.0])
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / x.nbytes)
    """)
    # Rows and centred panels: two copies; sums of 20000 rows, and the chunks that are looked at, in double.
    assert float(grown) < 2.6


@pytest.mark.parametrize("convert", [
    pytest.param(lambda x: np.asfortranarray(x), id="fortran"),
    pytest.param(lambda x: np.repeat(x, 2, axis=1)[:, ::2], id="strided"),
    pytest.param(lambda x: x.astype(">f4"), id="big-endian"),
    pytest.param(lambda x: x.astype(np.float64), id="float64"),
    pytest.param(lambda x: x.reshape(600, 5, 6), id="three axes"),
    pytest.param(lambda x: x.tolist(), id="lists"),
    pytest.param(lambda x: np.ma.array(x), id="masked, none"),
])
def test_other_arrays_of_the_same_numbers_give_the_same(samples, convert):
    x, y = samples
    assert same(df.lfr(convert(x), y), df.lfr(x, y))


def test_half_precision_is_measured_as_the_numbers_it_holds(samples):
    x, y = samples
    half = x.astype(np.float16)
    assert same(df.lfr(half, y), df.lfr(half.astype(np.float32), y))


def test_a_memory_map_is_read_and_stays(tmp_path, samples):
    x, y = samples
    for dtype in (np.float32, np.float64):
        np.save(tmp_path / "x.npy", x.astype(dtype))
        mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
        assert same(df.lfr(mapped, y), df.lfr(x, y))


def test_targets_of_every_kind(samples):
    x, y = samples
    expected = df.lfr(x, y)
    one_hot = np.eye(3)[y]
    for targets in (y.astype(np.uint8), y.astype(np.int32), y.reshape(-1, 1), y.tolist(), 7 * y + 2, one_hot,
                    one_hot.astype(np.float32)):
        assert same(df.lfr(x, targets), expected)
    assert same(df.lfr(x, y == 1), df.lfr(x, (y == 1).astype(int)))
    scalar = df.lfr(x, x[:, 0])
    assert same(df.lfr(x, x[:, :1].astype(np.float64)), scalar)


def test_one_column_of_features_has_a_logarithmic_grid():
    x = np.linspace(-1, 1, 401)
    s = df.lfr(x, np.sin(3 * np.pi * x))
    steps = np.diff(np.log(s.inv_delta))
    assert np.allclose(steps, steps[0])


def test_delta_is_the_inverse_of_inv_delta(samples):
    x, y = samples
    by_delta = df.lfr(x, y, delta=[1.0, 4.0, 2.0])
    assert by_delta.inv_delta.tolist() == [0.25, 0.5, 1.0]
    assert same(by_delta, df.lfr(x, y, [0.25, 0.5, 1.0]))


def test_spectra_share_one_grid_and_keep_their_order(samples):
    x, y = samples
    found = df.spectra({"second": np.tanh(3 * x), "first": x}, y)
    assert list(found) == ["second", "first"]
    assert np.array_equal(found["first"].inv_delta, found["second"].inv_delta)
    assert found["first"].name == "first"


def test_warnings_point_to_the_caller(samples):
    x, y = samples
    with pytest.warns(UserWarning, match="LFR does not rise on the grid") as told:
        df.lfr(x, y, [1e9, 2e9])
    assert told[0].filename == __file__
    x = x.copy()
    x[7] *= 1e9
    with pytest.warns(UserWarning, match="row 7 is .* times as long as a typical row") as told:
        df.lfr(x, y, [0.1, 1.0, 10.0], normalize="none")
    assert told[0].filename == __file__


def test_torch_tensors(samples):
    torch = pytest.importorskip("torch")
    x, y = samples
    expected = df.lfr(x, y)
    tensor = torch.from_numpy(x.copy())
    assert features_of(tensor).address == tensor.data_ptr()
    for given in (tensor, tensor.double(), tensor.clone().requires_grad_(), tensor.t().contiguous().t(),
                  torch.stack([tensor, tensor])[1], torch.nn.Parameter(tensor)):
        assert same(df.lfr(given, torch.from_numpy(y)), expected)
    bfloat = tensor.bfloat16()
    assert same(df.lfr(bfloat, torch.from_numpy(y)), df.lfr(bfloat.float(), y))
    assert same(df.lfr(tensor, torch.nn.functional.one_hot(torch.from_numpy(y)).float()), expected)


def test_jax_arrays(samples):
    jax = pytest.importorskip("jax")
    x, y = samples
    array = jax.numpy.asarray(x)
    assert same(df.lfr(array, jax.numpy.asarray(y)), df.lfr(x, y))
    bfloat = array.astype("bfloat16")
    assert same(df.lfr(bfloat, y), df.lfr(np.asarray(bfloat).astype(np.float32), y))
