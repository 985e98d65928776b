"""The notebooks in examples/ run as they are, where their libraries and data are there."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT

NEEDS = {"sine": ["matplotlib"], "mnist_probe": ["torch", "matplotlib"], "resnet_probe": ["torch", "matplotlib"],
         "jax_features": ["jax", "matplotlib"]}


def test_every_notebook_is_known_here():
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == set(NEEDS)


@pytest.mark.parametrize("name", NEEDS)
def test_a_notebook_runs(name, tmp_path):
    for library in NEEDS[name]:
        pytest.importorskip(library)
    data = os.environ.get("DEEPFREQ_DATA", "")  # a path from where the tests were started
    ended = subprocess.run([sys.executable, ROOT / "examples" / f"{name}.py"], capture_output=True, text=True, cwd=tmp_path,
                           env={**os.environ, "MPLBACKEND": "agg", "DEEPFREQ_DATA": data and os.path.abspath(data)})
    if "MNIST is not there" in ended.stderr:
        pytest.skip("MNIST is not there")
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / f"{name}.png").stat().st_size > 1000
    assert "peaks at" in ended.stdout
