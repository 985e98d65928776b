"""Draws Fig. 1 of Xu & Zhou, AAAI 2021, from the summary.csv that fit_functions writes to its folder.

    python3 fig1.py RUN_FOLDER [--format png,svg]

writes into RUN_FOLDER/figures:
    fig1a    epochs until the fixed error is reached, one bar per number of hidden layers
    fig1b    the same, one bar per frequency k
A bar is the mean over the seeds that reached the error; its whisker is their standard deviation. If some seeds did not,
the bar is hatched, with the number that did above it. If none did, the bar shows how far they were trained, with an
arrow. The same CSV file gives the same bytes.
"""

import sys

import plain_matplotlib  # before any module that draws
from deepfreq.drawing.fig1 import draw
from deepfreq.drawing.program import main

if __name__ == "__main__":
    sys.exit(main(draw, "summary.csv"))
