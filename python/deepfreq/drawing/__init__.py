"""Figures of runs and measurements, for the apps and for `plot`: tables.py reads data, style.py is shared by all."""
