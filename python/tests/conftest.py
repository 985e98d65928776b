import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def samples(rng):
    """600 samples in three classes: features [600, 30] float32 and labels."""
    labels = rng.integers(0, 3, 600)
    x = rng.standard_normal((3, 30))[labels] + rng.standard_normal((600, 30))
    return x.astype(np.float32), labels


@pytest.fixture(scope="session")
def app():
    """The program `lfr` of a build of this source tree."""
    build = os.environ.get("DEEPFREQ_BUILD")
    if build is None:
        pytest.skip("DEEPFREQ_BUILD, which ./run tests sets, names no build of the apps")
    return Path(build) / "bin" / "lfr"


def run_python(code, **environment):
    """What a new interpreter prints that runs this code."""
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300,
                           env={**os.environ, **environment})
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def same(a, b):
    """Whether two spectra are the same to the last bit."""
    return (np.array_equal(a.inv_delta, b.inv_delta) and np.array_equal(a.lfr, b.lfr) and np.array_equal(a.rdf, b.rdf)
            and np.array_equal(a.peak, b.peak, equal_nan=True))
