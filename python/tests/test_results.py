"""What is done with spectra and runs: tables, plots, types."""

import subprocess
import sys

import deepfreq as df
import numpy as np
import pytest
from conftest import ROOT


def test_a_spectrum_is_frozen_and_says_what_it_is_in_a_line(samples):
    s = df.lfr(*samples)
    assert repr(s).startswith(f"Spectrum(features: n = 600, {len(s.lfr)} widths 1/delta = ") and "\n" not in repr(s)
    assert len(s.rdf) == len(s.rdf_inv_delta) == len(s.inv_delta) - 1
    assert np.allclose(s.rdf, np.diff(s.lfr) / np.diff(s.inv_delta))
    with pytest.raises(AttributeError):
        s.lfr = s.rdf
    assert repr(df.spectra({"a": samples[0]}, samples[1])).startswith("Spectra(a: RDF peaks at ")


def test_tables_are_read_back(tmp_path, samples):
    x, y = samples
    found = df.spectra({"fc1": x, "fc,2": np.tanh(x)}, y)
    found.to_csv(tmp_path / "new" / "folder")
    run = df.load_run(tmp_path / "new" / "folder")
    assert set(run) == {"lfr", "rdf", "peaks"} and f"lfr: {2 * len(found['fc1'].lfr)} rows" in repr(run)
    assert set(run["lfr"]["layer"]) == {"fc1", "fc,2"}
    of_fc1 = run["lfr"]["layer"] == "fc1"
    assert np.allclose(run["lfr"]["lfr"][of_fc1], found["fc1"].lfr, rtol=1e-8)


def test_pandas(tmp_path, samples):
    pytest.importorskip("pandas")
    found = df.spectra({"a": samples[0]}, samples[1])
    frame = found.to_pandas()
    assert list(frame.columns) == ["a"] and frame.index.name == "inv_delta"
    assert np.array_equal(frame["a"], found["a"].to_pandas()["a"])
    found.to_csv(tmp_path)
    assert len(df.load_run(tmp_path).to_pandas("peaks")) == 1


def write_idx(path, array):
    """A file of MNIST's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes([0, 0, 8, array.ndim]) + b"".join(extent.to_bytes(4, "big") for extent in array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def write_mnist(folder, rng):
    """Images and labels at random, as MNIST's files."""
    for part, n in (("train", 300), ("t10k", 100)):
        write_idx(folder / f"{part}-images-idx3-ubyte", rng.integers(0, 256, (n, 28, 28)))
        write_idx(folder / f"{part}-labels-idx1-ubyte", rng.integers(0, 10, n))


def test_runs_of_an_app_are_read(app, tmp_path, rng):
    write_mnist(tmp_path / "mnist", rng)
    for name, seeds in (("one", "1"), ("two", "2")):
        subprocess.run([app.parent / "train_mlp_mnist", "--data", tmp_path / "mnist", "--hidden", "20x2", "--samples", "200",
                        "--epochs", "1", "--no-figures", "--device", "cpu", "--seeds", seeds, "--out", tmp_path / name],
                       check=True, capture_output=True)
    one, two = df.load_run(tmp_path / "one"), df.load_run(tmp_path / "two")
    assert set(one) == set(two) == {"metrics", "lfr", "rdf", "peaks", "gradients"}
    assert one["metrics"]["epoch"].tolist() == [0, 1] and "seed" not in one["metrics"]
    assert set(two["lfr"]["seed"]) == {0, 1} and two["metrics"]["epoch"].tolist() == [0, 1, 0, 1]
    assert one.manifest and two.manifest
    assert set(one["peaks"]["layer"]) == {"1", "2"}


def test_kept_checkpoints_are_safetensors_files(app, tmp_path, rng):
    safetensors = pytest.importorskip("safetensors.numpy")
    write_mnist(tmp_path / "mnist", rng)
    subprocess.run([app.parent / "train_mlp_mnist", "--data", tmp_path / "mnist", "--hidden", "20x2", "--samples", "200",
                    "--epochs", "1", "--keep-checkpoints", "--no-figures", "--device", "cpu", "--out", tmp_path / "run"],
                   check=True, capture_output=True)
    kept = sorted((tmp_path / "run" / "checkpoints").rglob("*.safetensors"))
    assert [path.name for path in kept] == ["epoch-000000.safetensors", "epoch-000001.safetensors"]
    tensors = safetensors.load_file(kept[1])
    weights = {name: x.shape for name, x in tensors.items() if not name.startswith("adam.")}
    assert weights == {"layers.1.weight": (20, 784), "layers.1.bias": (20,), "layers.2.weight": (20, 20),
                       "layers.2.bias": (20,), "layers.3.weight": (10, 20), "layers.3.bias": (10,)}
    assert {name.removeprefix("adam.m.") for name in tensors if name.startswith("adam.m.")} == set(weights)
    assert all(np.isfinite(x).all() and x.any() for x in tensors.values())
    # The network itself in NumPy: its loss is the one that the app has written.
    images = np.frombuffer((tmp_path / "mnist" / "train-images-idx3-ubyte").read_bytes()[16:], np.uint8).reshape(-1, 784)
    labels = np.frombuffer((tmp_path / "mnist" / "train-labels-idx1-ubyte").read_bytes()[8:], np.uint8)
    f = images[:200] / 255
    for layer in (1, 2, 3):
        f = f @ tensors[f"layers.{layer}.weight"].T.astype(float) + tensors[f"layers.{layer}.bias"]
        f = np.tanh(f) if layer < 3 else f
    loss = ((f - np.eye(10)[labels[:200]]) ** 2).mean()
    assert loss == pytest.approx(df.load_run(tmp_path / "run")["metrics"]["train_loss"][1], rel=1e-5)


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(df.InputError, match="no lfr.csv found, the folder of a run expected"):
        df.load_run(tmp_path)
    (tmp_path / "lfr.csv").write_text("a,b\n1,2\n")
    with pytest.raises(df.InputError, match="lfr.csv: the header is 'a,b' and should be 'network,layer,"):
        df.load_run(tmp_path)


def test_plots(samples):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    x, y = samples
    found = df.spectra({"fc1": x, "_fc2": np.tanh(x)}, y)
    axes = found.plot()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["fc1", r"$\_$fc2"]
    assert np.nanmax(axes.lines[0].get_ydata()) == 1.0
    assert found["fc1"].plot(axes, curve="lfr", color="black", label="again") is axes
    assert axes.lines[-1].get_color() == "black" and np.array_equal(axes.lines[-1].get_ydata(), found["fc1"].lfr)
    with pytest.raises(df.InputError, match="curve is 'both', expected 'rdf' or 'lfr'"):
        found.plot(curve="both")


def test_plots_leave_matplotlib_as_the_user_has_set_it(samples):
    matplotlib = pytest.importorskip("matplotlib")
    before = dict(matplotlib.rcParams)
    df.lfr(*samples).plot()
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("what", [["-p", "deepfreq"], ["--strict", ROOT / "python" / "tests" / "typed_use.py"]],
                         ids=["of the package", "for those who use it"])
def test_types(what):
    pytest.importorskip("mypy")
    ended = subprocess.run([sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", *what],
                           capture_output=True, text=True, cwd=ROOT / "python")
    assert ended.returncode == 0, ended.stdout
