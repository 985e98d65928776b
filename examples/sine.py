# %% [markdown]
# # Where the power of a sine is
# LFR and RDF of sin(kπx) for several k: the peak of RDF moves to higher 1/δ with k (Figure 3 of the paper).

# %%
import deepfreq as df
import numpy as np

x = np.linspace(-1, 1, 2001)
peaks = {k: df.lfr(x, np.sin(k * np.pi * x), normalize="none").peak for k in (1, 2, 4, 6, 8)}
for k, peak in peaks.items():
    print(f"k = {k}: RDF peaks at 1/delta = {peak.inv_delta:.4g}, LFR has half of its rise at {peak.rise50:.4g}")

# %%
# All of them on one grid, to be drawn together. The features are the same x; what differs are the targets.
widths = np.logspace(0, 5, 400)
axes = None
for k in peaks:
    axes = df.lfr(x, np.sin(k * np.pi * x), widths, normalize="none").plot(axes, label=f"k = {k}", color=f"C{k}")
axes.legend()
axes.figure.savefig("sine.png")
