"""The figures of runs and measurements, for the apps and for `plot`: tables.py reads, style.py is what all share."""
