"""The main program of the scripts that draw the figures of one folder."""

import argparse
import sys
from pathlib import Path

import matplotlib

from .._errors import InputError
from .style import METADATA, STYLE


def to_kinds(text):
    kinds = text.split(",")
    for kind in kinds:
        if kind not in METADATA:
            raise argparse.ArgumentTypeError(f"'{kind}' is none of {', '.join(METADATA)}")
    return kinds


def main(draw, files):
    """Main function of a script that draws a run's figures from `files` with draw(folder, kinds); its exit status."""
    parser = argparse.ArgumentParser(description="Draws the figures of a run from its CSV files.")
    parser.add_argument("run_folder", type=Path, help=f"folder with {files}")
    parser.add_argument("--format", type=to_kinds, default="png,svg", help="of png, svg, pdf (default: png,svg)")
    arguments = parser.parse_args()
    try:
        with matplotlib.rc_context(STYLE):
            draw(arguments.run_folder, arguments.format)
    except InputError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{parser.prog}: {error.filename}: cannot be written ({error.strerror})", file=sys.stderr)
        return 1
    return 0
