"""LFR estimated from some of the rows, and how far a measurement is."""

import os
import pty
import subprocess
import sys

import deepfreq as df
import numpy as np
import pytest
from conftest import same


@pytest.fixture
def many(rng):
    labels = rng.integers(0, 4, 6000)
    return (rng.standard_normal((4, 12))[labels] + rng.standard_normal((6000, 12))).astype(np.float32), labels


def test_some_rows_estimate_what_all_have(many):
    exact = df.lfr(*many, "0.5:20:30")
    s = df.lfr(*many, "0.5:20:30", rows=800)
    assert (s.n, s.rows, s.intervals.confidence) == (6000, 800, 0.95)
    assert "800 of them sampled" in repr(s)
    half = (s.intervals.lfr_high - s.intervals.lfr_low) / 2
    assert np.allclose(s.intervals.lfr_low + half, s.lfr) and np.allclose(s.intervals.rdf_low, 2 * s.rdf - s.intervals.rdf_high)
    assert np.all(np.abs(s.lfr - exact.lfr) <= 2.5 * half)
    assert 0 < half.max() < 0.05
    assert exact.intervals is None and exact.rows == 6000


def test_intervals_widen_with_confidence_and_narrow_with_rows(many):
    def width(rows, confidence):
        of = df.lfr(*many, [1.0, 2.0], rows=rows, confidence=confidence).intervals
        return of.lfr_high - of.lfr_low

    assert np.all(width(500, 0.99) > width(500, 0.9))
    assert np.all(width(2000, 0.95) < width(500, 0.95))


def test_the_seed_draws_the_rows(many):
    first = df.lfr(*many, rows=300, seed=7)
    assert same(df.lfr(*many, rows=300, seed=7), first)
    assert not same(df.lfr(*many, rows=300, seed=8), first)


def test_all_rows_are_exact(many):
    s = df.lfr(*many, rows=6000)
    assert s.intervals is None and same(s, df.lfr(*many))


def test_layers_are_estimated_from_the_same_rows(many):
    x, y = many
    found = df.spectra({"a": x, "b": x.copy()}, y, rows=300)
    assert same(found["a"], found["b"])


def test_intervals_are_drawn_as_a_band(many):
    pytest.importorskip("matplotlib").use("Agg")
    s = df.lfr(*many, rows=300)
    for curve in ("lfr", "rdf"):
        assert len(s.plot(curve=curve).collections) == 1
        assert len(df.lfr(*many).plot(curve=curve).collections) == 0


def test_a_probe_samples_rows_too(many):
    torch = pytest.importorskip("torch")
    x, y = (torch.from_numpy(array) for array in many)
    model = torch.nn.Sequential(torch.nn.Linear(12, 5), torch.nn.Tanh())
    told = []
    with df.Probe(model, data=(x, y), rows=400, progress=lambda *of: told.append(of)) as probe:
        assert probe.measure()["1"].rows == 400
    assert {name for name, _ in told} == {"0", "1"}


def test_progress_is_told_layer_by_layer(many):
    told = []
    x, y = many
    df.spectra({"a": x, "b": x}, y, [1.0, 2.0], progress=lambda name, share: told.append((name, share)))
    assert [name for name, _ in told] == sorted(name for name, _ in told)
    for name in "ab":
        shares = [share for of, share in told if of == name]
        assert shares == sorted(shares) and shares[-1] == 1.0


def test_what_progress_raises_ends_the_measurement(many):
    x, y = many
    for at in ("a", "b"):
        def fail(name, share, at=at):
            if name == at:
                raise KeyError(name)

        with pytest.raises(KeyError, match=at):
            df.spectra({"a": x, "b": x}, y, [1.0, 2.0], progress=fail)
    assert same(df.lfr(*many), df.lfr(*many))


def test_a_terminal_sees_one_line_and_a_file_nothing_of_what_is_short():
    code = ("import numpy as np, deepfreq as df; x = np.random.default_rng(0).standard_normal((3000, 40)); "
            "df.lfr(x, np.arange(3000) % 3, [0.1, 1], progress=True)")
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stderr == b""
    try:
        terminal, end = pty.openpty()
    except OSError as error:
        pytest.skip(f"no terminal: {error}")
    subprocess.run([sys.executable, "-c", code], check=True, stderr=end)
    os.close(end)
    written = os.read(terminal, 10000).decode()
    os.close(terminal)
    assert written.endswith("\rfeatures: 100%\r\n") and written.count("\n") == 1
