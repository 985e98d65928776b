"""The gradient norm of every layer against the epoch, one panel a network: beyond the paper's Fig. 9, it shows the
vanishing of the gradient itself. Part of figures.py."""

import math

import matplotlib
import numpy as np
from matplotlib.figure import Figure

COLUMNS = ["network", "epoch", "layer", "gradient_norm"]


def matrix(table, network):
    """Epochs, layers, and norm[layer, epoch] of one network; NaN where there is none."""
    mine = table["network"] == network
    epochs, column = np.unique(table["epoch"][mine], return_inverse=True)
    layers, row = np.unique(table["layer"][mine], return_inverse=True)
    norm = np.full((len(layers), len(epochs)), math.nan)
    norm[row, column] = table["gradient_norm"][mine]
    return epochs, layers, norm


def gradient_figure(table, width):
    """A heat map a network, all with one logarithmic scale of colours; norms of 0 stay white."""
    networks = list(dict.fromkeys(table["network"]))
    columns = min(len(networks), 3)
    lines = math.ceil(len(networks) / columns)
    figure = Figure(figsize=(width, 0.3 + 2.0 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).flat
    above_zero = table["gradient_norm"][table["gradient_norm"] > 0]
    span = (above_zero.min(), above_zero.max()) if len(above_zero) else (1, 1)
    colours = matplotlib.colors.LogNorm(span[0], max(span[1], 1.001 * span[0]))
    for panel, network in zip(panels, networks):
        epochs, layers, norm = matrix(table, network)
        image = panel.pcolormesh(epochs, layers, np.where(norm > 0, norm, np.nan), norm=colours, cmap="viridis",
                                 shading="nearest", rasterized=True)
        panel.set_title(network)
        panel.grid(False)
    for panel in panels[len(networks):]:
        panel.set_visible(False)
    figure.supxlabel("epoch", fontsize=8)
    figure.supylabel("layer", fontsize=8)
    figure.colorbar(image, ax=list(panels), label="norm of its gradient")
    return figure
