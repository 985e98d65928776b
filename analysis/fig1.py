"""Draws Fig. 1 of Xu & Zhou, AAAI 2021, from the summary.csv that fit_functions leaves in its folder.

    python3 fig1.py RUN_FOLDER [--format png,svg]

writes into RUN_FOLDER/figures:
    fig1a    epochs until the fixed error, one bar for each number of hidden layers
    fig1b    the same, one bar for each frequency k
A bar is the mean over the seeds that got there, its whisker their standard deviation. Where some did not, it is
hatched, and above it stands how many did; where none did, it reaches as far as they were trained, with an arrow.
The same CSV file gives the same bytes.
"""

import sys

import plain_matplotlib  # before all that draws
from deepfreq.drawing.fig1 import draw
from deepfreq.drawing.program import main

if __name__ == "__main__":
    sys.exit(main(draw, "summary.csv"))
