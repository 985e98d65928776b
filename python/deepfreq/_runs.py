"""Results of the apps as plain arrays."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ._errors import InputError

if TYPE_CHECKING:
    from pandas import DataFrame

Table = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Run(Mapping[str, Table]):
    """The tables that an app wrote to its folder, by name: "metrics", "lfr", "rdf", "peaks", "gradients".

    A table has one array per column of the CSV file. For a run with several seeds it holds the rows of all of them, and
    an extra column "seed".
    """

    folder: Path
    manifest: dict[str, Any]  #: manifest.json: what was run, and on what
    tables: dict[str, Table]

    def __getitem__(self, name: str) -> Table:
        return self.tables[name]

    def __iter__(self) -> Any:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)

    def __repr__(self) -> str:
        rows = ", ".join(f"{name}: {len(next(iter(table.values())))} rows" for name, table in self.items())
        return f"Run({self.folder}: {rows})"

    def to_pandas(self, name: str = "lfr") -> DataFrame:
        """One table as a DataFrame; needs pandas."""
        import pandas as pd

        return pd.DataFrame(self.tables[name])


def load_run(folder: str | os.PathLike[str]) -> Run:
    """Reads the output folder of `./run APP`. Raises InputError, naming the file that is not what it should be."""
    from .drawing.tables import COLUMNS, read_tables, seeds_of

    folder = Path(folder)
    places = [folder / f"seed-{seed}" for seed in seeds_of(folder)] or [folder]
    names = [name for name in COLUMNS if all((place / name).exists() for place in places)]
    if "lfr.csv" not in names:
        raise InputError(f"{places[0]}: no lfr.csv found, the folder of a run expected")
    tables = read_tables(folder, names)
    return Run(folder, _manifest(folder, places), {name.removesuffix(".csv"): table for name, table in tables.items()})


def _manifest(folder: Path, places: list[Path]) -> dict[str, Any]:
    for path in (folder / "manifest.json", places[0] / "manifest.json"):
        if path.exists():
            try:
                manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
                return manifest
            except ValueError as error:
                raise InputError(f"{path}: {error}, JSON expected") from error
    return {}
