"""Imports matplotlib as it comes: the same CSV files give the same figures, whatever matplotlibrc, style or backend the
user has chosen, and with a sentence where it is missing. To be imported before matplotlib. The package deepfreq, whose
drawing/ the programs of this folder call, is that of the source tree; a packed program has it beside itself."""

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

folder = Path(__file__).resolve().parent
sys.path.insert(0, str(folder if (folder / "deepfreq").is_dir() else folder.parent / "python"))
