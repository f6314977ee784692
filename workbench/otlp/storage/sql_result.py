"""`SqlResult`: what a query found."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench import display
from workbench.otlp.storage._extras import import_extra

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

__all__ = ["SqlResult"]

MOST_ROWS = 20


@dataclass(frozen=True, slots=True, eq=False)
class SqlResult:
    """Rows that a query found; they draw themselves, and are an Arrow table to every library that takes one.

    Attributes
    ----------
    table : pyarrow.Table
    """

    table: pa.Table

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, column: str) -> pa.ChunkedArray:
        return self.table[column]

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> pa.Table:
        """Return the rows as an Arrow table."""
        return self.table

    def to_pandas(self) -> "pd.DataFrame":
        """Return the rows as a pandas data frame."""
        return self.table.to_pandas()

    def to_polars(self) -> "pl.DataFrame":
        """Return the rows as a polars data frame."""
        polars: Any = import_extra("polars", "tables", "to_polars")
        return polars.from_arrow(self.table)

    def _shown(self) -> display.Table:
        rows = [
            [_cell(value) for value in row.values()] for row in self.table.slice(0, MOST_ROWS).to_pylist()
        ]
        hidden = len(self.table) - len(rows)
        more = f", the first {len(rows)} shown" if hidden else ""
        title = f"{len(self.table):,} row{'s' if len(self.table) != 1 else ''}{more}"
        return display.table(self.table.column_names, rows, title=title)

    def __repr__(self) -> str:
        return repr(self._shown()) if self.table.num_columns else "no rows"

    def _repr_html_(self) -> str:
        return self._shown()._repr_html_() if self.table.num_columns else "no rows"


def _cell(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else "" if value is None else value
