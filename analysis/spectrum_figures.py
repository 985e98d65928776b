"""Draws LFR and RDF of one measurement from the CSV files that the app `lfr` writes to its folder.

    python3 spectrum_figures.py FOLDER [--format png,svg]

writes FOLDER/figures/spectrum, both panels of Fig. 3 of Xu & Zhou (AAAI 2021) against the filter width 1/δ: (a) the low
frequency ratio and (b) the ratio density function, divided by the largest value of each curve. The same CSV files give
the same bytes.
"""

import sys

import plain_matplotlib  # before any module that draws
from deepfreq.drawing.spectra import draw
from deepfreq.drawing.program import main

if __name__ == "__main__":
    sys.exit(main(draw, "lfr.csv and rdf.csv"))
