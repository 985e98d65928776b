"""Imports matplotlib as it comes: the same CSV files give the same figures, whatever matplotlibrc, style or backend the
user has chosen, and with a sentence where it is missing. To be imported before matplotlib."""

import logging
import os
import sys
import warnings
from pathlib import Path

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no remark about its font cache
warnings.filterwarnings("ignore", "Glyph")  # of a script that its font has not: drawn as boxes

os.environ.pop("MPLBACKEND", None)
os.environ["MATPLOTLIBRC"] = os.devnull
try:
    here = os.getcwd()
except OSError:  # it is gone
    here = None
os.chdir(Path(__file__).resolve().parent)  # a matplotlibrc in the current folder goes before all others
try:
    import matplotlib
except ImportError as error:
    print(f"{Path(sys.argv[0]).name}: {error}: install the Debian package python3-matplotlib", file=sys.stderr)
    sys.exit(2)
if here is not None:
    os.chdir(here)
matplotlib.rcdefaults()


def shown(name):
    """A name as a label: without mathematics in it, and without a leading _, which would keep it out of a legend."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # bytes that are not UTF-8
    text = "".join(letter if letter.isprintable() else " " for letter in text).replace("$", r"\$")
    text = text if len(text) <= 60 else text[:59] + "…"
    return rf"$\_${text[1:]}" if text.startswith("_") else text or " "
