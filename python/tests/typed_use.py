"""A program that uses the package, for test_results.test_types: its types are known to whoever calls it."""

import deepfreq as df
import numpy as np

spectrum: df.Spectrum = df.lfr(np.zeros((3, 2), np.float32), [0, 1, 1], inv_delta=[0.1, 1.0], normalize="none")
peak: float = spectrum.peak.inv_delta
spectra: dict[str, df.Spectrum] = df.spectra({"fc1": np.zeros((3, 2))}, np.zeros(3))
