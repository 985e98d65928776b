"""Draws the figures of a run from the CSV files that the apps write to its folder.

    python3 figures.py RUN_FOLDER [--format png,svg]

writes into RUN_FOLDER/figures:
    rdf      ratio density function of every layer, one panel per epoch (Fig. 8 of Xu & Zhou, AAAI 2021)
    lfr      low frequency ratio of every layer, in the same panels
    peaks    the peak of the RDF of every layer, against the epoch
    metrics  training loss and accuracies, against the epoch
    gradients  the gradient norm of every layer, against the epoch, if gradients.csv has rows
For a run with several networks, the figures compare them: rdf-layerL, lfr-layerL and peaks-layerL have one curve per
network, for each layer probed (L = -3: Fig. 6; -3_-1, f[-3] against f[-1]: Fig. 7), and so does metrics (Fig. 5). A run
with several seeds has its tables in folders seed-N: the figures show means, and the range over the seeds as a band. The
same CSV files give the same bytes.
"""

import sys

import plain_matplotlib  # before any module that draws
from deepfreq.drawing.layers import draw
from deepfreq.drawing.program import main
from deepfreq.drawing.tables import COLUMNS

if __name__ == "__main__":
    sys.exit(main(draw, ", ".join(COLUMNS)))
