"""The gradient norm of every layer against the epoch, one panel per network. It goes beyond the paper's Fig. 9 and
shows the vanishing of the gradient itself."""

import math

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


def matrix(table, network):
    """Epochs, layers, and norm[layer, epoch] of one network; NaN, drawn white, where no norm is above 0."""
    mine = (table["network"] == network) & np.isfinite(table["epoch"]) & np.isfinite(table["layer"])
    epochs, column = np.unique(table["epoch"][mine], return_inverse=True)
    layers, row = np.unique(table["layer"][mine], return_inverse=True)
    total, count = np.zeros((2, len(layers), len(epochs)))
    np.add.at(total, (row, column), table["gradient_norm"][mine])
    np.add.at(count, (row, column), 1)  # one per seed
    norm = np.divide(total, count, out=np.full(total.shape, math.nan), where=count > 0)
    return epochs, layers, np.where(norm > 0, norm, math.nan)


def edges(centres):
    """Cell edges around these centres: midpoints, and 1/2 beyond the ends, so that a single cell also has a width."""
    return np.concatenate(([centres[0] - 0.5], (centres[:-1] + centres[1:]) / 2, [centres[-1] + 0.5]))


def colour_scale(norms):
    """One logarithmic scale for all norms above 0. If all are equal, it spans a factor of ten so as not to be empty."""
    norms = norms[norms > 0]
    low, high = (norms.min(), norms.max()) if len(norms) else (1, 1)
    return ScalarMappable(LogNorm(low, high if high > 1.001 * low else 10 * low), "viridis")


def gradient_figure(table, width):
    """One heat map per network, all with the same logarithmic colour scale; norms of 0 stay white."""
    networks = list(dict.fromkeys(table["network"]))
    columns = min(len(networks), 3)
    lines = math.ceil(len(networks) / columns)
    figure = Figure(figsize=(width, 0.3 + 2.0 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).flat
    colours = colour_scale(table["gradient_norm"])
    for panel, network in zip(panels, networks):
        epochs, layers, norm = matrix(table, network)
        if norm.size:
            panel.pcolormesh(edges(epochs), edges(layers), norm, norm=colours.norm, cmap=colours.cmap,
                             rasterized=True)
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True, min_n_ticks=1))
        panel.set_title(network)
        panel.grid(False)
    for panel in panels[len(networks):]:
        panel.set_visible(False)
    figure.supxlabel("epoch", fontsize=8)
    figure.supylabel("layer", fontsize=8)
    figure.colorbar(colours, ax=list(panels), label="norm of its gradient")
    return figure
