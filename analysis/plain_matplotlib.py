"""Imports matplotlib with its defaults, so that the same CSV files give the same figures whatever matplotlibrc, style
or backend the user has chosen. If it is missing, one sentence says so. Import this module before matplotlib. The
programs in this folder use drawing/ of the package deepfreq from the source tree; a packed program has it next to
itself."""

import logging
import os
import sys
import warnings
from pathlib import Path

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no message about its font cache
warnings.filterwarnings("ignore", "Glyph")  # scripts missing from its font are drawn as boxes

os.environ.pop("MPLBACKEND", None)
os.environ["MATPLOTLIBRC"] = os.devnull
try:
    here = os.getcwd()
except OSError:  # it has been deleted
    here = None
os.chdir(Path(__file__).resolve().parent)  # a matplotlibrc in the current folder would take precedence
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
