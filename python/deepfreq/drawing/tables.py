"""Reads the CSV files that the apps write to a run's folder, as dictionaries of columns."""

import csv
import json
import math
import re
from pathlib import Path

import numpy as np

from .._errors import InputError

# The columns of all files that the apps write, declared once for Python and C++ (cmake/csv_columns.cmake).
CSV_COLUMNS = json.loads((Path(__file__).parent / "csv_columns.json").read_text(encoding="utf-8"))
# The tables of a training run.
COLUMNS = {name: CSV_COLUMNS[name] for name in ("metrics.csv", "lfr.csv", "rdf.csv", "peaks.csv", "gradients.csv")}
TEXT_COLUMNS = ["network", "layer", "panel"]  # except in gradients.csv, whose layers are numbers


def to_number(text):
    """A cell as a number; a non-finite value (nothing measured) becomes NaN, which plots as a gap."""
    value = float(text) if text else math.nan
    return value if math.isfinite(value) else math.nan


def read_table(path, expected):
    """Reads a CSV file with these columns as a dictionary of arrays of text or numbers."""
    text = ["network"] if path.name == "gradients.csv" else TEXT_COLUMNS
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            rows = list(csv.reader(file))
    except (OSError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from error
    if not rows or rows[0] != expected:
        found = ",".join(rows[0]) if rows else "nothing"
        raise InputError(f"{path}: the header is '{found}' and should be '{','.join(expected)}'")
    if len(rows) == 1 and path.name in ("metrics.csv", "summary.csv"):  # others are empty if nothing was probed
        raise InputError(f"{path}: there is no row below the header")
    table = {name: [] for name in expected}
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(expected):
            raise InputError(f"{path}: line {line} has {len(row)} cells and should have {len(expected)}")
        for name, cell in zip(expected, row):
            try:
                table[name].append(cell if name in text else to_number(cell))
            except ValueError:
                raise InputError(f"{path}: line {line}: {name} is '{cell}' and should be a number") from None
    return {name: np.array(column) for name, column in table.items()}


def seeds_of(run_folder):
    """{seed: folder} of a run with several seeds, for those that have started."""
    folders = {path.name.removeprefix("seed-"): path for path in run_folder.glob("seed-*")}
    return {int(seed): folders[seed] for seed in sorted(folders, key=int) if (folders[seed] / "peaks.csv").exists()}


def in_step(tables):
    """Tables of several seeds, restricted to the epochs they have in common; their last epochs count as one epoch."""
    last = [max(table["epoch"], default=math.nan) for table in tables]
    shared = set.intersection(*(set(table["epoch"]) for table in tables))
    stepped = []
    for table, end in zip(tables, last):
        epochs = np.where(table["epoch"] == end, max(last), table["epoch"])
        keep = np.isin(epochs, [*shared, max(last)])
        stepped.append({**{name: column[keep] for name, column in table.items()}, "epoch": epochs[keep]})
    return stepped


def read_tables(run_folder, names=tuple(COLUMNS)):
    """{name: table} of a run; tables of several seeds are merged, with a column that distinguishes them."""
    seeds = seeds_of(run_folder)
    if not seeds:
        return {name: read_table(run_folder / name, COLUMNS[name]) for name in names}
    joined = {}
    for name in names:
        columns = COLUMNS[name]
        tables = [read_table(folder / name, columns) for folder in seeds.values()]
        if name in ("lfr.csv", "rdf.csv", "peaks.csv"):
            tables = in_step(tables)
        tables = [{**table, "seed": np.full(len(table["epoch"]), seed)} for seed, table in zip(seeds, tables)]
        joined[name] = {column: np.concatenate([table[column] for table in tables]) for column in tables[0]}
    return joined


def select(table, **wanted):
    """The rows of a table in which every named column has the wanted value."""
    keep = np.logical_and.reduce([table[name] == value for name, value in wanted.items()])
    return {name: column[keep] for name, column in table.items()}


def layers_of(table):
    """The layers of a table: those counted from the input, those counted from the output, then others as they come."""

    def order(layer):
        return (layer.startswith("-"), int(layer)) if re.fullmatch(r"-?\d+", layer) else (2, 0)

    return sorted(dict.fromkeys(table["layer"]), key=order)


def networks_of(table):
    """The networks of a table in the order of its rows."""
    return list(dict.fromkeys(table["network"]))
